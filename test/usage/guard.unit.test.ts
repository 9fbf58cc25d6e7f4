import { Guard, GUARD_PER_MINUTE } from '../../src/usage/limits/guard.js';

let now: number;
beforeEach(() => {
  now = 7_000;
});
const guardOf = (amount?: number, windowMs?: number): Guard => new Guard(amount, windowMs, () => now);
const waitAt = (guard: Guard, ms: number, who = 'a'): number => {
  now = 7_000 + ms;
  return guard.take(who).waitMs;
};

it('lets 60 calls a minute pass, and says how long the next one has to wait', () => {
  const guard = guardOf();
  const waits = Array.from({ length: GUARD_PER_MINUTE }, (_, i) => waitAt(guard, i * 100));
  expect(GUARD_PER_MINUTE).toBe(60);
  expect(waits.every((wait) => wait === 0)).toBe(true);
  expect(waitAt(guard, 10_000)).toBe(50_000);
});

it('lets the call pass after exactly that wait, however often it was refused meanwhile', () => {
  const guard = guardOf();
  for (let i = 0; i < GUARD_PER_MINUTE; i++) waitAt(guard, 0);
  for (let i = 0; i < 100; i++) expect(waitAt(guard, 59_999)).toBe(1);
  expect(waitAt(guard, 60_000)).toBe(0);
});

it('holds in every interval of a minute, not by the minutes of the clock', () => {
  const guard = guardOf();
  for (let i = 0; i < GUARD_PER_MINUTE; i++) expect(waitAt(guard, 59_000)).toBe(0);
  expect(waitAt(guard, 61_000)).toBe(58_000);
});

it('guards each caller alone', () => {
  const guard = guardOf();
  for (let i = 0; i <= GUARD_PER_MINUTE; i++) waitAt(guard, 0);
  expect(waitAt(guard, 0, 'b')).toBe(0);
});

it('takes another amount and window, and a call that was given back does not count', () => {
  const guard = guardOf(2, 10_000);
  expect(waitAt(guard, 0)).toBe(0);
  now = 7_001;
  const second = guard.take('a');
  expect([second.waitMs, waitAt(guard, 2)]).toEqual([0, 9_998]);
  second.giveBack();
  guard.take('a').giveBack();
  expect([waitAt(guard, 3), waitAt(guard, 4)]).toEqual([0, 9_996]);
  expect(waitAt(guard, 10_000)).toBe(0);
});

it('goes by the time that passes, not by the clock', () => {
  const read = Date.now;
  try {
    const guard = new Guard(1);
    Date.now = () => read() + 86_400_000;
    expect(guard.take('a').waitMs).toBe(0);
    Date.now = read;
    expect(guard.take('a').waitMs).toBeLessThanOrEqual(60_000);
    expect(guard.take('a').waitMs).toBeGreaterThan(0);
  } finally {
    Date.now = read;
  }
});
