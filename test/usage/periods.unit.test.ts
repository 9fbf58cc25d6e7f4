import fc from 'fast-check';
import type { FixedWindow } from '../../src/usage/limits/periods.js';
import {
  countedIn,
  isFixed,
  isPartOfLifetime,
  periodAt,
  periodEnd,
  periodOf,
  periodsOf,
} from '../../src/usage/limits/periods.js';

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
    fc.property(times, fc.constantFrom('day' as const, 'month' as const), (time, window) => {
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
  const windows = ['minute', 'hour', 'day', 'month', 'billing-period', 'lifetime'];
  expect(windows.filter(isFixed)).toEqual(['day', 'month', 'billing-period', 'lifetime']);
});

/** Months from an anchor, the plainest way: one after the other, by counting days. */
function naiveMonth(anchor: number, n: number): number {
  const from = new Date(anchor);
  let [year, month] = [from.getUTCFullYear(), from.getUTCMonth()];
  for (let i = 0; i < Math.abs(n); i++) {
    month += Math.sign(n);
    if (month > 11) [year, month] = [year + 1, 0];
    if (month < 0) [year, month] = [year - 1, 11];
  }
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month] as number;
  const pad = (part: number): string => String(part).padStart(2, '0');
  const day = pad(Math.min(from.getUTCDate(), days));
  return Date.parse(`${year}-${pad(month + 1)}-${day}T${from.toISOString().slice(11)}`);
}

describe('months from an anchor on', () => {
  const anchors = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2100, 0, 1) });

  it('are those of a naive calendar, month ends clamped', () => {
    fc.assert(
      fc.property(
        anchors,
        fc.integer({ min: -60, max: 200 }),
        fc.nat({ max: 27 * 86_400_000 }),
        (anchor, n, ms) => {
          const begin = naiveMonth(anchor, n);
          const period = periodAt('month', begin + ms, { month: anchor });
          expect(period).toEqual({ id: `month:${anchor}:${n}`, begin, end: naiveMonth(anchor, n + 1) });
          expect(periodAt('billing-period', begin + ms, { billing: anchor })).toEqual(period);
          expect(periodAt('month', period.end - 1, { month: anchor })).toEqual(period);
          expect(periodAt('month', period.end, { month: anchor }).id).toBe(`month:${anchor}:${n + 1}`);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    [
      '2026-01-31T12:00:00.000Z',
      '2026-02-28T11:59:59.999Z',
      0,
      '2026-01-31T12:00:00.000Z',
      '2026-02-28T12:00:00.000Z',
    ],
    [
      '2026-01-31T12:00:00.000Z',
      '2026-02-28T12:00:00.000Z',
      1,
      '2026-02-28T12:00:00.000Z',
      '2026-03-31T12:00:00.000Z',
    ],
    [
      '2028-01-31T00:00:00.000Z',
      '2028-02-29T00:00:00.000Z',
      1,
      '2028-02-29T00:00:00.000Z',
      '2028-03-31T00:00:00.000Z',
    ],
    [
      '2028-02-29T08:00:00.000Z',
      '2029-02-28T09:00:00.000Z',
      12,
      '2029-02-28T08:00:00.000Z',
      '2029-03-29T08:00:00.000Z',
    ],
    [
      '2026-12-31T23:59:59.999Z',
      '2026-12-31T23:59:59.998Z',
      -1,
      '2026-11-30T23:59:59.999Z',
      '2026-12-31T23:59:59.999Z',
    ],
  ])('anchored at %s, %s is in month %i', (anchor, time, n, begin, end) => {
    expect(periodAt('month', at(time), { month: at(anchor) })).toEqual({
      id: `month:${at(anchor)}:${n}`,
      begin: at(begin),
      end: at(end),
    });
  });

  it('are the calendar’s where there is no anchor, also as billing periods', () => {
    const time = at('2026-11-22T12:00:00Z');
    for (const window of ['month', 'billing-period'] as const) {
      expect(periodAt(window, time, { month: null }).id).toBe('month:2026-11');
    }
    // The anchor of the one is not that of the other.
    expect(periodAt('month', time, { billing: 0 }).id).toBe('month:2026-11');
  });
});

it('stores a use with its day, its month, and the months of its anchors, each once', () => {
  const time = at('2026-11-22T12:00:00Z');
  const anchor = at('2026-11-10T00:00:00Z');
  expect(periodsOf(time)).toEqual(['day:2026-11-22', 'month:2026-11']);
  const anchored = ['day:2026-11-22', 'month:2026-11', `month:${anchor}:0`];
  expect(periodsOf(time, { billing: anchor })).toEqual(anchored);
  expect(periodsOf(time, { month: anchor, billing: anchor })).toEqual(anchored);
  expect(anchored.filter(isPartOfLifetime)).toEqual(['month:2026-11']);
});

it('names a period that was reset anew, and stores uses with both names', () => {
  const time = at('2026-11-22T12:00:00Z');
  const resets = {
    day: { period: 'day:2026-11-22', generation: 2 },
    month: { period: 'month:2026-10', generation: 1 },
  };
  expect(periodAt('day', time, { resets }).id).toBe('day:2026-11-22~day.2');
  // Of an earlier month.
  expect(periodAt('month', time, { resets }).id).toBe('month:2026-11');
  const periods = periodsOf(time, { resets });
  expect(periods).toEqual(['day:2026-11-22', 'month:2026-11', 'day:2026-11-22~day.2']);
  expect(periods.filter(isPartOfLifetime)).toEqual(['month:2026-11']);
  expect(countedIn('day', periods)).toBe('day:2026-11-22~day.2');
  expect(countedIn('month', periods)).toBe('month:2026-11');
  expect(countedIn('lifetime', periods)).toBe('lifetime');
  const anchor = at('2026-11-10T00:00:00Z');
  const anchored = {
    billing: anchor,
    resets: { 'billing-period': { period: `month:${anchor}:0`, generation: 1 } },
  };
  const all = periodsOf(time, anchored);
  expect(countedIn('billing-period', all, anchored)).toBe(`month:${anchor}:0~billing-period.1`);
  expect(countedIn('month', all, anchored)).toBe('month:2026-11');
});

it('has one period for the whole life, and finds the same one for the same question at any time', () => {
  expect(periodAt('lifetime', 0)).toEqual({ id: 'lifetime', begin: -Infinity, end: Infinity });
  const windows = fc.constantFrom<FixedWindow>('day', 'month', 'billing-period', 'lifetime');
  const asked = fc.tuple(windows, fc.nat({ max: 4e12 }), fc.constantFrom(null, 1e12, 1.5e12));
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 20 }), (all) => {
      const ask = ([window, time, anchor]: (typeof all)[number]): string =>
        periodAt(window, time, { month: anchor, billing: anchor }).id;
      const first = all.map(ask);
      expect([...all].reverse().map(ask).reverse()).toEqual(first);
    }),
  );
});
