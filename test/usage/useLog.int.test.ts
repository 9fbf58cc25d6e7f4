import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { usage } from '../../projections/usage/model.js';
import { UsageQueries } from '../../projections/usage/queries.js';
import { useBatches } from '../../projections/useBatches/model.js';
import { UseBatchQueries } from '../../projections/useBatches/queries.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Position } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import type { Use } from '../../src/usage/events.js';
import { usageStream, useReversalStream } from '../../src/usage/events.js';
import type { UsePlace, UsesWanted } from '../../src/usage/records/useLog.js';
import { UseLog } from '../../src/usage/records/useLog.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from './uses.js';

const LONG = 60_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let store: PostgresEventStore;
let projector: Projector;
let reader: EventReader;
let log: UseLog;

beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
  reader = new EventReader(store);
  projector = await Projector.open(database.sql, reader, [usage, useBatches], () => undefined, {
    retryMs: [],
  });
  projector.start();
  log = new UseLog(
    new UseBatchQueries(database.sql, projector.access('useBatches')),
    store,
    new UsageQueries(database.sql, projector.access('usage')),
  );
});
afterAll(async () => {
  reader.close();
  await projector.stop();
  await database.remove();
});

/** Stores a batch. @returns its position, and its id */
async function flush(
  groups: readonly { readonly account: string; readonly uses: readonly Use[] }[],
  takesBack?: string,
): Promise<readonly [Position, string]> {
  const data = { groups, node: 'n', start: 's', ...(takesBack !== undefined && { batch: takesBack }) };
  const type = takesBack === undefined ? 'UsesRecorded' : 'UsesCorrected';
  const event = newEvent({ type, data: JSON.stringify(data) });
  const { position } = await store.append(usageStream(randomUUID(), '2026-11-22'), NO_STREAM, [event]);
  return [position, event.id];
}

async function shown(position: Position): Promise<void> {
  for (const model of ['usage', 'useBatches'])
    expect(await projector.reached(model, position, LONG)).toBe(true);
}

const wanted = (account: string, over: Partial<UsesWanted> = {}): UsesWanted => ({
  account,
  environment: 'live',
  key: undefined,
  endpoint: undefined,
  from: undefined,
  to: undefined,
  matches: () => true,
  ...over,
});

/** Ids of all uses, page by page. */
async function all(asked: UsesWanted, first: number): Promise<string[]> {
  const ids: string[] = [];
  for (let after: UsePlace | undefined; ;) {
    const { uses, next } = await log.page(asked, first, after);
    expect(uses.length).toBeLessThanOrEqual(first);
    ids.push(...uses.map(({ use }) => use.id));
    if (!next) return ids;
    after = next;
  }
}

const use = fc.record({
  account: fc.nat({ max: 1 }),
  key: fc.constantFrom('a', 'b'),
  endpoint: fc.constantFrom('/x', '/y'),
  environment: fc.constantFrom<Use['environment']>('live', 'live', 'test'),
  hour: fc.nat({ max: 3 }),
});

it('lists every use once, the last first, in pages of any size, and by key, endpoint and time', async () => {
  const batches = fc.array(fc.array(use, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(batches, fc.integer({ min: 1, max: 7 }), async (told, first) => {
      const accounts = [randomUUID(), randomUUID()] as const;
      const stored: { readonly account: string; readonly use: Use }[] = [];
      let last = 0;
      for (const batch of told) {
        const groups = accounts.map((account, place) => ({
          account,
          uses: batch
            .filter((one) => one.account === place)
            .map(({ key, endpoint, environment, hour }) =>
              newUse({ key, endpoint, environment, at: Date.UTC(2026, 10, 22, hour) }),
            ),
        }));
        const some = groups.filter(({ uses }) => uses.length > 0);
        stored.push(...some.flatMap(({ account, uses }) => uses.map((one) => ({ account, use: one }))));
        [last] = await flush(some);
      }
      await shown(last);
      const expected = (matches: (one: Use) => boolean): string[] =>
        stored
          .filter(
            ({ account, use: one }) => account === accounts[0] && one.environment === 'live' && matches(one),
          )
          .map(({ use: { id } }) => id)
          .reverse();
      const asked = wanted(accounts[0]);
      expect(await all(asked, first)).toEqual(expected(() => true));
      expect(await all({ ...asked, key: 'a' }, first)).toEqual(expected(({ key }) => key === 'a'));
      expect(await all({ ...asked, endpoint: '/y' }, first)).toEqual(
        expected(({ endpoint }) => endpoint === '/y'),
      );
      const [from, to] = [Date.UTC(2026, 10, 22, 1), Date.UTC(2026, 10, 22, 3)];
      expect(await all({ ...asked, from, to }, first)).toEqual(expected(({ at }) => at >= from && at < to));
    }),
    { numRuns: 8 },
  );
  expect((await projector.rebuild('useBatches')).differing).toEqual([]);
});

it('leaves out what was taken back, what counts nothing, and reservations that are open', async () => {
  const account = randomUUID();
  const [taken, stays] = [newUse(), newUse()];
  const [, batch] = await flush([{ account, uses: [taken, stays] }]);
  await flush([{ account, uses: [taken] }], batch);
  const terms = { expiresAt: Date.UTC(2026, 10, 22, 13), onExpiry: 'release' } as const;
  const reserved = newUse({ id: 'r', phase: 'reserved', reservation: terms });
  const settled = newUse({ id: 'r', phase: 'final', replaces: { requests: 1 } });
  const reported = newUse({ id: 'u', phase: 'final' });
  await flush([
    { account: randomUUID(), uses: [newUse({ id: 'other', phase: 'final' })] },
    { account, uses: [reserved, reported] },
  ]);
  const [last] = await flush([{ account, uses: [reported, settled] }]);
  await shown(last);
  expect(await all(wanted(account), 10)).toEqual(['r', 'u', stays.id]);
});

it('lists what an operator took back, with the reason', async () => {
  const account = randomUUID();
  const reported = newUse({ id: 'u', phase: 'final' });
  await flush([{ account, uses: [reported] }]);
  const reversal = { ...reported, phase: 'reversed', reason: 'reported by mistake' };
  const data = JSON.stringify({ account, use: reversal });
  const event = newEvent({ type: 'UseReversed', data });
  const { position } = await store.append(useReversalStream(randomUUID()), NO_STREAM, [event]);
  await shown(position);
  const { uses } = await log.page(wanted(account), 10, undefined);
  expect(uses.map(({ use }) => [use.id, use.phase, use.reason])).toEqual([
    ['u', 'reversed', 'reported by mistake'],
    ['u', 'final', undefined],
  ]);
});

it('goes on where few of many match', async () => {
  const account = randomUUID();
  let last = 0;
  for (let i = 0; i < 70; i++) [last] = await flush([{ account, uses: [newUse({ id: `a.${i}` })] }]);
  await shown(last);
  const asked = wanted(account, { matches: ({ id }) => id === 'a.3' });
  const first = await log.page(asked, 10, undefined);
  expect([first.uses.length, first.next !== undefined]).toEqual([0, true]);
  expect(await all(asked, 10)).toEqual(['a.3']);
});
