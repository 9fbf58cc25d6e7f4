import fc from 'fast-check';
import type { FixedWindow } from '../../src/usage/periods.js';
import { isFixed, periodEnd, periodOf } from '../../src/usage/periods.js';

const at = (iso: string): number => Date.parse(iso);
const both = (time: number): string[] => [periodOf('day', time), periodOf('month', time)];

it.each([
  ['2026-11-22T12:00:00.000Z', 'day:2026-11-22', '2026-11-23', 'month:2026-11', '2026-12-01'],
  ['2026-12-31T23:59:59.999Z', 'day:2026-12-31', '2027-01-01', 'month:2026-12', '2027-01-01'],
  ['2027-01-01T00:00:00.000Z', 'day:2027-01-01', '2027-01-02', 'month:2027-01', '2027-02-01'],
  ['2028-02-28T23:59:59.999Z', 'day:2028-02-28', '2028-02-29', 'month:2028-02', '2028-03-01'],
  ['2028-02-29T00:00:00.000Z', 'day:2028-02-29', '2028-03-01', 'month:2028-02', '2028-03-01'],
  ['2027-02-28T23:59:59.999Z', 'day:2027-02-28', '2027-03-01', 'month:2027-02', '2027-03-01'],
  ['2100-02-28T12:00:00.000Z', 'day:2100-02-28', '2100-03-01', 'month:2100-02', '2100-03-01'],
])('puts %s into %s and %s', (time, day, nextDay, month, nextMonth) => {
  expect(both(at(time))).toEqual([day, month]);
  expect(periodEnd('day', at(time))).toBe(at(`${nextDay}T00:00:00.000Z`));
  expect(periodEnd('month', at(time))).toBe(at(`${nextMonth}T00:00:00.000Z`));
});

it('is the calendar of UTC, not of the machine', () => {
  expect(both(at('2026-12-01T00:30:00+01:00'))).toEqual(['day:2026-11-30', 'month:2026-11']);
  expect(both(at('2026-11-30T23:30:00-01:00'))).toEqual(['day:2026-12-01', 'month:2026-12']);
});

it('gives the same answers in whatever order it is asked', () => {
  const times = [
    at('2026-11-30T23:59:59.999Z'),
    at('2026-12-01T00:00:00.000Z'),
    at('2026-11-30T00:00:00.000Z'),
    at('2027-01-01T00:00:00.000Z'),
  ];
  const expected = [
    ['day:2026-11-30', 'month:2026-11'],
    ['day:2026-12-01', 'month:2026-12'],
    ['day:2026-11-30', 'month:2026-11'],
    ['day:2027-01-01', 'month:2027-01'],
  ];
  expect(times.map(both)).toEqual(expected);
  expect([...times].reverse().map(both)).toEqual([...expected].reverse());
  expect([...times, ...times].map(both)).toEqual([...expected, ...expected]);
});

it('covers time without a gap: a period holds its every moment, and its end is the next one’s', () => {
  const times = fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) });
  fc.assert(
    fc.property(times, fc.constantFrom<FixedWindow>('day', 'month'), (time, window) => {
      const end = periodEnd(window, time);
      expect(end).toBeGreaterThan(time);
      expect(periodOf(window, end - 1)).toBe(periodOf(window, time));
      expect(periodOf(window, end)).not.toBe(periodOf(window, time));
      const iso = new Date(time).toISOString();
      expect(periodOf(window, time)).toBe(`${window}:${iso.slice(0, window === 'day' ? 10 : 7)}`);
    }),
    { numRuns: 200 },
  );
});

it('knows which windows have periods', () => {
  expect(['minute', 'hour', 'day', 'month'].filter(isFixed)).toEqual(['day', 'month']);
});
