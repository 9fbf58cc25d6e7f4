import * as fc from 'fast-check';
import { projectedTotal, WEEK_HOURS } from '../../src/usage/analytics/projection.js';

const HOUR_MS = 3_600_000;
const WEEK_MS = WEEK_HOURS * HOUR_MS;
const NOW = Date.UTC(2026, 10, 12, 10, 20);

const amount = fc.bigInt({ min: 0n, max: 10n ** 24n });
const week = fc.array(amount, { minLength: WEEK_HOURS, maxLength: WEEK_HOURS });
const left = fc.integer({ min: 0, max: 31 * 24 * HOUR_MS });
const since = fc.option(fc.integer({ min: 2 * HOUR_MS, max: WEEK_MS }), { nil: undefined });

const known = fc.record({ used: amount, week, left, since }).map(({ left: more, since: ago, ...rest }) => ({
  ...rest,
  now: NOW,
  end: NOW + more,
  since: ago === undefined ? undefined : NOW - ago,
}));

it('is never below what was used, and is that at the end', () => {
  fc.assert(
    fc.property(known, (given) => {
      expect(projectedTotal(given)).toBeGreaterThanOrEqual(given.used);
      expect(projectedTotal({ ...given, end: NOW })).toBe(given.used);
    }),
  );
});

it('never falls where more was used, or more time is left', () => {
  fc.assert(
    fc.property(known, fc.nat({ max: WEEK_HOURS - 1 }), amount, left, (given, hour, more, later) => {
      const before = projectedTotal(given) ?? 0n;
      const higher = given.week.with(hour, (given.week[hour] ?? 0n) + more);
      expect(projectedTotal({ ...given, week: higher })).toBeGreaterThanOrEqual(before);
      expect(projectedTotal({ ...given, end: given.end + later })).toBeGreaterThanOrEqual(before);
      expect(projectedTotal({ ...given, used: given.used + more })).toBe(before + more);
    }),
  );
});

it('goes on with what is as much in each hour, or the same in each week', () => {
  fc.assert(
    fc.property(amount, left, (rate, more) => {
      const even = Array.from({ length: WEEK_HOURS }, () => rate);
      const expected = (rate * BigInt(more) + BigInt(HOUR_MS / 2)) / BigInt(HOUR_MS);
      const given = { used: 0n, week: even, now: NOW, end: NOW + more };
      expect(projectedTotal({ ...given, since: undefined })).toBe(expected);
    }),
  );
  fc.assert(
    fc.property(week, fc.integer({ min: 1, max: 4 }), (hours, weeks) => {
      const sum = hours.reduce((total, one) => total + one, 0n);
      const given = { used: 5n, week: hours, since: undefined, now: NOW, end: NOW + weeks * WEEK_MS };
      expect(projectedTotal(given)).toBe(5n + sum * BigInt(weeks));
    }),
  );
});

it('takes the same hours of the week before, and of a part of an hour a part', () => {
  const hours = Array.from({ length: WEEK_HOURS }, (_, i) => BigInt(i * 60));
  const at = (minutes: number) =>
    projectedTotal({ used: 0n, week: hours, since: undefined, now: NOW, end: NOW + minutes * 60_000 });
  // 10:20 to 10:40, where the hour from ten o'clock had nothing; then the one from eleven, which had 60.
  expect(at(20)).toBe(0n);
  expect(at(41)).toBe(1n);
  expect(at(100)).toBe(60n);
  expect(at(101)).toBe(62n);
});

it('says nothing of the first hour, and then the mean', () => {
  const hours = Array.from({ length: WEEK_HOURS }, () => 0n).with(WEEK_HOURS - 1, 100n);
  const hour = NOW - 20 * 60_000;
  const of = (begun: number) =>
    projectedTotal({ used: 100n, week: hours, since: hour - begun, now: NOW, end: NOW + 10 * HOUR_MS });
  expect(of(0)).toBeUndefined();
  expect(of(HOUR_MS)).toBe(1_100n);
  expect(of(2 * HOUR_MS)).toBe(600n);
});
