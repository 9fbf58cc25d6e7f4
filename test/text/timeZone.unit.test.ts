import * as fc from 'fast-check';
import { calendarSteps, isTimeZone, offsetAt } from '../../src/text/timeZone.js';

const DAY_MS = 86_400_000;

/** Zones that set their clocks by an hour or half of it, at midnight too, and one that has left out a day. */
const ZONES = [
  'UTC',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Havana',
  'Africa/Cairo',
  'Asia/Beirut',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Kiritimati',
] as const;

const dates = new Map(
  ZONES.map((zone) => [
    zone,
    new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }),
  ]),
);
const dateIn = (zone: (typeof ZONES)[number], at: number): string => dates.get(zone)?.format(at) ?? '';

it.each(['UTC', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
  '%s is a time zone',
  (name) => {
    expect(isTimeZone(name)).toBe(true);
  },
);

it.each(['', 'Mars/Olympus', '+05:30', 'Asia/Kolkata ', '../etc/passwd', 'A'.repeat(1000), 'Asia\0Kolkata'])(
  '%j is none',
  (name) => {
    expect(isTimeZone(name)).toBe(false);
  },
);

it('knows how far clocks are ahead', () => {
  const at = Date.UTC(2026, 6, 1);
  expect(
    ['Asia/Kolkata', 'Asia/Kathmandu', 'America/New_York'].map((zone) => offsetAt(zone, at) / 60_000),
  ).toEqual([330, 345, -240]);
});

it('begins each day and month where its date begins, in whatever zone', () => {
  const time = fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2030, 0, 1) });
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      fc.constantFrom('day' as const, 'month' as const),
      time,
      fc.integer({ min: 1, max: 70 * DAY_MS }),
      (zone, step, from, length) => {
        const name = (at: number): string => dateIn(zone, at).slice(0, step === 'day' ? 10 : 7);
        const starts = calendarSteps(zone, step, from, from + length, 400);
        expect(starts[0]).toBeLessThanOrEqual(from);
        expect(starts.at(-1)).toBeGreaterThanOrEqual(from + length);
        expect(starts.at(-2)).toBeLessThan(from + length);
        for (const [i, start] of starts.entries()) {
          // The first moment of its date, and the last before the next.
          expect([zone, name(start - 1) < name(start)]).toEqual([zone, true]);
          const next = starts[i + 1];
          if (next !== undefined) expect([zone, name(next - 1)]).toEqual([zone, name(start)]);
        }
      },
    ),
    { numRuns: 300 },
  );
});

it('leaves out the day that Samoa has left out', () => {
  const starts = calendarSteps(
    'Pacific/Apia',
    'day',
    Date.UTC(2011, 11, 29, 12),
    Date.UTC(2011, 11, 31, 12),
    10,
  );
  expect(starts.map((start) => dateIn('Pacific/Apia', start))).toEqual(
    expect.arrayContaining(['2011-12-29', '2011-12-31']),
  );
  expect(starts.map((start) => dateIn('Pacific/Apia', start))).not.toContain('2011-12-30');
});

it('says where there are more than so many', () => {
  expect(calendarSteps('UTC', 'day', 0, 100 * DAY_MS, 10)).toHaveLength(12);
  expect(calendarSteps('UTC', 'day', 0, 10 * DAY_MS, 10)).toHaveLength(11);
});
