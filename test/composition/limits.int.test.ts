import { randomUUID } from 'node:crypto';
import type { UsageQueries } from '../../projections/usage/queries.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { canonicalJson } from '../../src/canonicalJson.js';
import type { Limits } from '../../src/composition/limits.js';
import { openLimiter } from '../../src/composition/limits.js';
import { Shutdown } from '../../src/shutdown.js';
import type { Stores } from '../../src/composition/stores.js';
import type { Config } from '../../src/config.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { silentLogger } from '../../src/logger.js';
import type { Limit } from '../../src/plans/profile.js';
import { usageStream } from '../../src/usage/events.js';
import { Amounts } from '../../src/usage/limits/amounts.js';
import type { Journal } from '../../src/usage/journal/journal.js';
import type { Limiter } from '../../src/usage/limits/limiter.js';
import { CountersUnavailable } from '../../src/usage/limits/limiter.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { plan, shop } from '../plans/shop.js';
import { freshSql } from '../support/database.js';
import { asked, limit, NOON, time } from '../usage/limiter.contract.js';
import { newUse } from '../usage/uses.js';

const MINUTE = 60_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let store: EventStore;
const shutdown = new Shutdown(silentLogger);
beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
});
afterAll(async () => {
  await shutdown.run();
  await database.remove();
});

/** Stores calls of the key k1 of the account a, as they were made. */
async function recordCalls(times: readonly number[]): Promise<void> {
  const uses = times.map((at) => newUse({ at, key: 'k1' }));
  const data = canonicalJson({ groups: [{ account: 'a', uses }], node: 'n', start: 's' });
  const metadata = JSON.stringify({
    schemaVersion: 1,
    at: new Date(times.at(-1) ?? NOON).toISOString(),
    environment: 'live',
    correlationId: 'c',
  });
  const event = newEvent({ type: 'UsesRecorded', data, metadata });
  await store.append(usageStream(randomUUID(), '2026-11-22'), NO_STREAM, [event]);
}

/** The limits of a process that has just started, where the profile's plan has these. */
async function startedLimits(limits: readonly Limit[], ledger: { incomplete: boolean }): Promise<Limits> {
  const profile = shop({ plans: [plan('free', 1, { limits: [...limits] }), plan('pro', 1)] });
  const usage = {
    seen: () => Number.MAX_SAFE_INTEGER,
    counters: async () => ({
      amounts: new Amounts(),
      held: new Amounts(),
      seen: Number.MAX_SAFE_INTEGER,
      incomplete: ledger.incomplete,
    }),
  };
  return openLimiter(
    {
      store,
      profile,
      clock: () => NOON,
      billingClock: () => NOON,
      elapsed: () => time.elapsed,
    } as unknown as Stores,
    usage as unknown as UsageQueries,
    { lastPosition: 0 } as Journal,
    { redisUrl: undefined } as Config,
    silentLogger,
    shutdown,
  );
}
const started = async (limits: readonly Limit[]): Promise<Limiter> =>
  (await startedLimits(limits, { incomplete: false })).limiter;

describe('a limit by the hour', () => {
  const HOURLY = limit('hour', 3);
  const MINUTELY = limit('minute', 9);
  beforeAll(() => recordCalls([NOON - 50 * MINUTE, NOON - 30 * MINUTE, NOON - 3 * MINUTE]));

  it.each([
    ['as the process starts', [HOURLY]],
    ['only from a profile on that is published later', [MINUTELY]],
  ])('that a plan has %s finds the calls of the hour', async (_name, limits) => {
    const limiter = await started(limits);
    const take = await limiter.take(asked([HOURLY, MINUTELY], NOON));
    expect(take).toMatchObject({ kind: 'refused', retryAfterMs: 10 * MINUTE });
  });

  it('that a key has kept, though the plans have none any more, finds them too', async () => {
    const limiter = await started([MINUTELY]);
    const take = await limiter.take(asked([MINUTELY], NOON, { key: { id: 'k1', limits: [HOURLY] } }));
    expect(take).toMatchObject({ kind: 'refused', retryAfterMs: 10 * MINUTE });
  });
});

describe('what was spent and cannot be found out', () => {
  const MONTHLY = limit('month', 5);
  const other = (accountId: string) => ({ accountId });

  it('is never taken for nothing: calls are refused until it can be, and that is told', async () => {
    const ledger = { incomplete: true };
    const { limiter, problem } = await startedLimits([MONTHLY], ledger);
    const take = async () => limiter.take(asked([MONTHLY], NOON, other('b')));
    await expect(take()).rejects.toThrow(CountersUnavailable);
    await expect(limiter.states(asked([MONTHLY], NOON, other('b')))).rejects.toThrow(CountersUnavailable);
    expect(problem()).toMatch('parked a batch');
    ledger.incomplete = false;
    expect(await take()).toMatchObject({ kind: 'taken' });
    expect(problem()).toBeUndefined();
    // What is in memory goes on.
    ledger.incomplete = true;
    expect(await take()).toMatchObject({ kind: 'taken' });
    await expect((async () => limiter.take(asked([MONTHLY], NOON, other('c'))))()).rejects.toThrow(
      CountersUnavailable,
    );
  });
});
