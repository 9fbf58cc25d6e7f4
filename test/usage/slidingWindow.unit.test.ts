import fc from 'fast-check';
import { SlidingWindow } from '../../src/usage/limits/slidingWindow.js';

const WINDOW_MS = 100;

/** What the window must say: a log of every call, filtered anew at each question. */
class Log {
  times: number[] = [];

  used(now: number): number {
    return this.times.filter((at) => at > now - WINDOW_MS).length;
  }

  freeAt(now: number, amount: number): number {
    let at = now;
    while (this.used(at) >= amount) at++;
    return at;
  }

  remove(at: number): void {
    const index = this.times.lastIndexOf(at);
    if (index >= 0) this.times.splice(index, 1);
  }
}

const steps = fc.array(
  fc.record({
    // Standing still, walking, jumping exactly to, just before and beyond a window's end.
    forward: fc.oneof(fc.constant(0), fc.nat(20), fc.constantFrom(99, 100, 101), fc.nat(300)),
    amount: fc.integer({ min: 1, max: 20 }),
    kind: fc.constantFrom('add', 'add', 'add', 'remove', 'ask'),
    which: fc.nat(30),
  }),
  { maxLength: 120 },
);

it('says the same as a log of all calls', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const window = new SlidingWindow(WINDOW_MS);
      const log = new Log();
      let now = 1_000;
      for (const { forward, amount, kind, which } of all) {
        now += forward;
        if (kind === 'add') {
          window.add(now);
          log.times.push(now);
        } else if (kind === 'remove') {
          // A time that is in the log, or one that was never added.
          const at = log.times[log.times.length - 1 - which] ?? now - which;
          window.remove(at);
          log.remove(at);
        }
        expect(window.freeAt(now, amount)).toBe(log.freeAt(now, amount));
        expect(window.used(now)).toBe(log.used(now));
      }
    }),
    { numRuns: 300 },
  );
});

it('lets at most the limit through in every interval of the window', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60), { maxLength: 200 }), fc.integer({ min: 1, max: 12 }), (gaps, amount) => {
      const window = new SlidingWindow(WINDOW_MS);
      const passed: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        if (window.freeAt(now, amount) !== now) continue;
        window.add(now);
        passed.push(now);
      }
      for (const begin of passed) {
        expect(passed.filter((at) => at >= begin && at < begin + WINDOW_MS).length).toBeLessThanOrEqual(
          amount,
        );
      }
    }),
  );
});

it('takes back a call in the middle and keeps the order of the rest', () => {
  const window = new SlidingWindow(WINDOW_MS);
  for (const at of [0, 10, 20, 30]) window.add(at);
  window.remove(10);
  expect(window.freeAt(30, 2)).toBe(20 + WINDOW_MS);
  expect(window.used(100)).toBe(2);
});
