import { Leases } from '../../src/following/leases.js';
import type { Sql } from '../../src/sql/sql.js';
import type { Deferred } from '../eventsourcing/fixtures.js';
import { deferred } from '../eventsourcing/fixtures.js';

const TTL_MS = 600;

interface Renewal extends Deferred<{ name: string }[]> {
  readonly names: unknown;
}

beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

/** A database that takes its time to prolong leases. */
async function scene() {
  const renewals: Renewal[] = [];
  const sql = {
    script: () => Promise.resolve(),
    query: (text: string, params: readonly unknown[]) => {
      if (text.includes('INSERT INTO read.leases')) return Promise.resolve([{ epoch: 1 }]);
      const renewal = { ...deferred<{ name: string }[]>(), names: params[0] };
      renewals.push(renewal);
      return renewal.promise;
    },
  } as unknown as Sql;
  const leases = await Leases.open(sql, { holder: 'n', alone: false, ttlMs: TTL_MS });
  const taken = await Promise.all(['a', 'b', 'c'].map((name) => leases.take(name)));
  return { renewals, lost: () => taken.map((lease) => lease?.lost.aborted) };
}

it('asks a slow database once for all leases, and not again before it has answered', async () => {
  const { renewals, lost } = await scene();
  jest.advanceTimersByTime(3 * TTL_MS);
  expect(renewals.map(({ names }) => names)).toEqual([['a', 'b', 'c']]);
  renewals[0]?.resolve([{ name: 'b' }]);
  await new Promise(setImmediate);
  expect(lost()).toEqual([false, true, false]);
  jest.advanceTimersByTime(TTL_MS / 3);
  expect(renewals[1]?.names).toEqual(['a', 'c']);
});

it('keeps its leases while the database is away, and goes on', async () => {
  const { renewals, lost } = await scene();
  jest.advanceTimersByTime(TTL_MS / 3);
  renewals[0]?.reject(new Error('away'));
  await new Promise(setImmediate);
  expect(lost()).toEqual([false, false, false]);
  jest.advanceTimersByTime(TTL_MS / 3);
  expect(renewals).toHaveLength(2);
});
