import type { Position } from '../../src/eventsourcing/event.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import type { UsageEvent } from '../../src/usage/events.js';
import { UsageChanges } from '../../src/usage/analytics/usageChanges.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { newUse } from './uses.js';

/** Intervals that were asked for, in order; each ends when the test says so. */
let intervals: { readonly ms: number; readonly end: () => void }[];
let moves: UsageChanges;
beforeEach(() => {
  intervals = [];
  moves = new UsageChanges({
    journalPosition: () => 7,
    intervalMs: 250,
    wait: (ms, signal) =>
      new Promise<void>((resolve, reject) => {
        intervals.push({ ms, end: resolve });
        signal.addEventListener('abort', () => reject(new Error('no longer needed')));
      }),
  });
});

type Uses = UsageEvent['data']['groups'][number]['uses'];

function batch(position: Position, account: string, uses: Uses, type = 'UsesRecorded'): void {
  const { id, metadata } = newEvent();
  const data = JSON.stringify({ groups: [{ account, uses }], node: 'n', start: 's' });
  moves.apply([new StoredEvent(position, 'usage-n-2026-11-22', 0, id, type, data, metadata)], position);
}

/** Whether a promise is settled once everything that can go on has gone on. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise(setImmediate);
  return done;
}

it('tells at once up to where there is something to be counted', async () => {
  expect((await moves.watch('a', 'live').next()).value).toBe(7);
  batch(9, 'b', [newUse()]);
  expect((await moves.watch('a', 'live').next()).value).toBe(9);
});

it('tells of a batch with uses of the account, after the interval, and then of none', async () => {
  const watching = moves.watch('a', 'live');
  await watching.next();
  const next = watching.next();
  batch(8, 'a', [newUse()]);
  expect(await settled(next)).toBe(false);
  expect(intervals.map(({ ms }) => ms)).toEqual([250]);
  intervals[0]?.end();
  expect((await next).value).toBe(8);
  const later = watching.next();
  intervals[1]?.end();
  expect(await settled(later)).toBe(false);
  batch(9, 'a', [newUse()], 'UsesCorrected');
  expect((await later).value).toBe(9);
});

it('has the newest alone for whoever reads slowly', async () => {
  const watching = moves.watch('a', 'live');
  await watching.next();
  for (let position = 8; position <= 1_000; position++) batch(position, 'a', [newUse()]);
  intervals[0]?.end();
  expect((await watching.next()).value).toBe(1_000);
  intervals[1]?.end();
  expect(await settled(watching.next())).toBe(false);
});

it('says nothing of other accounts, of the other environment, and of refusals', async () => {
  const watching = moves.watch('a', 'live');
  await watching.next();
  intervals[0]?.end();
  const next = watching.next();
  batch(8, 'b', [newUse()]);
  batch(9, 'a', [newUse({ environment: 'test' })]);
  batch(10, 'a', [newUse({ status: 'refused', meters: {} })]);
  expect(await settled(next)).toBe(false);
  batch(11, 'a', [newUse({ environment: 'test' }), newUse()]);
  expect((await next).value).toBe(11);
});

it('tells every subscriber, each in its own time', async () => {
  const [one, two] = [moves.watch('a', 'live'), moves.watch('a', 'live')];
  await Promise.all([one.next(), two.next()]);
  batch(8, 'a', [newUse()]);
  intervals[1]?.end();
  expect((await two.next()).value).toBe(8);
  batch(9, 'a', [newUse()]);
  intervals[0]?.end();
  expect((await one.next()).value).toBe(9);
});

it.each(['while it waits for a move', 'during an interval'])('ends %s, and is forgotten', async (when) => {
  const watching = moves.watch('a', 'live');
  const other = moves.watch('a', 'live');
  await watching.next();
  const next = watching.next();
  if (when === 'while it waits for a move') intervals[0]?.end();
  expect(await settled(next)).toBe(false);
  await watching.return?.();
  expect((await next).done).toBe(true);
  expect((await watching.next()).done).toBe(true);
  expect(moves.watched).toBe(true);
  await other.return?.();
  expect(moves.watched).toBe(false);
});
