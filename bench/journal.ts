import { PostgresEventStore } from '../src/adapters/postgres/eventStore.js';
import type { Sql } from '../src/sql/sql.js';
import type { Use } from '../src/usage/events.js';
import { Journal } from '../src/usage/journal/journal.js';
import { silentLogger } from '../src/logger.js';
import { median } from './statistics.js';

/** As many calls as wait for their records at once. */
const WAITING = 1_024;

/** Durable uses a second: each of so many callers records its next use when the last one is stored. */
export async function benchJournal(sql: Sql, quick: boolean): Promise<number> {
  const store = await PostgresEventStore.open(sql);
  const journal = new Journal({ store, node: 'bench', clock: Date.now, log: silentLogger, flushMs: 1 });
  const use = (): Use => ({
    actualCost: null,
    address: 'Zm9vYmFyYmF6cXV4MTIzNA',
    at: Date.now(),
    costVersion: null,
    durationUs: 250,
    endpoint: '/graphql',
    environment: 'live',
    estimatedCost: null,
    id: journal.mintUseId(),
    key: 'd0283049-7e15-5a9f-a3b7-4f02a0f39188',
    meters: { requests: 1 },
    method: 'POST',
    operation: 'Read',
    patterns: ['4df0913e-64bc-5801-a27b-19bedcb84643'],
    periods: ['day:2026-11-22', 'month:2026-11'],
    planVersion: 1,
    refusal: null,
    rootFields: ['pattern'],
    source: null,
    status: 'ok',
  });
  const perSecond: number[] = [];
  const seconds = quick ? 1 : 3;
  for (let round = 0; round < (quick ? 3 : 6); round++) {
    const until = performance.now() + seconds * 1000;
    const started = performance.now();
    let stored = 0;
    await Promise.all(
      Array.from({ length: WAITING }, async (_, i) => {
        while (performance.now() < until) {
          await journal.record(`account-${i % 50}`, use());
          stored++;
        }
      }),
    );
    // The first round warms up.
    if (round > 0) perSecond.push((stored * 1000) / (performance.now() - started));
  }
  await journal.close();
  return median(perSecond);
}
