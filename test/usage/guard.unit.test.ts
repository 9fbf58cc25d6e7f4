import { Guard, GUARD_PER_MINUTE } from '../../src/usage/guard.js';

const NOON = Date.UTC(2026, 10, 22, 12);

it('lets 60 calls a minute pass, and says how long the next one has to wait', () => {
  const guard = new Guard();
  const waits = Array.from({ length: GUARD_PER_MINUTE }, (_, i) => guard.take('a', NOON + i * 100));
  expect(GUARD_PER_MINUTE).toBe(60);
  expect(waits.every((wait) => wait === 0)).toBe(true);
  expect(guard.take('a', NOON + 10_000)).toBe(50_000);
});

it('lets the call pass after exactly that wait, however often it was refused meanwhile', () => {
  const guard = new Guard();
  for (let i = 0; i < GUARD_PER_MINUTE; i++) guard.take('a', NOON);
  for (let i = 0; i < 100; i++) expect(guard.take('a', NOON + 59_999)).toBe(1);
  expect(guard.take('a', NOON + 60_000)).toBe(0);
});

it('holds in every interval of a minute, not by the minutes of the clock', () => {
  const guard = new Guard();
  for (let i = 0; i < GUARD_PER_MINUTE; i++) expect(guard.take('a', NOON + 59_000)).toBe(0);
  expect(guard.take('a', NOON + 61_000)).toBe(58_000);
});

it('guards each caller alone', () => {
  const guard = new Guard();
  for (let i = 0; i <= GUARD_PER_MINUTE; i++) guard.take('a', NOON);
  expect(guard.take('b', NOON)).toBe(0);
});

it('takes another amount and window, and a call that was given back does not count', () => {
  const guard = new Guard(2, 10_000);
  expect([guard.take('a', NOON), guard.take('a', NOON + 1), guard.take('a', NOON + 2)]).toEqual([
    0, 0, 9_998,
  ]);
  guard.giveBack('a', NOON + 1);
  guard.giveBack('b', NOON);
  expect([guard.take('a', NOON + 3), guard.take('a', NOON + 4)]).toEqual([0, 9_996]);
  expect(guard.take('a', NOON + 10_000)).toBe(0);
});
