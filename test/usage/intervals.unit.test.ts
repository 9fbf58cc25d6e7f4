import type { Interval, TimelineAsked } from '../../src/usage/analytics/analytics.js';
import { UsageAnalytics } from '../../src/usage/analytics/analytics.js';

const NOW = Date.parse('2026-11-29T10:20:00Z');
const analytics = new UsageAnalytics({} as never);

/** When the intervals begin, and when the last ends. */
const boundaries = (interval: Interval, timeZone: string, from?: string, to?: string): string[] => {
  const asked: TimelineAsked = {
    account: 'a',
    environment: 'live',
    filter: {},
    from: from === undefined ? undefined : new Date(from),
    to: to === undefined ? undefined : new Date(to),
    interval,
    timeZone,
    groupBy: [],
    first: 400,
  };
  return analytics.boundaries(asked, NOW).map((date) => date.toISOString().replace(':00.000Z', 'Z'));
};

describe('the intervals of a timeline', () => {
  it('are hours of the zone, which begin at another minute half an hour off and a quarter', () => {
    const [from, to] = ['2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z'];
    expect(boundaries('hour', 'UTC', from, to)).toEqual(['2026-03-01T10:00Z', '2026-03-01T11:00Z']);
    expect(boundaries('hour', 'Asia/Kolkata', from, to)).toEqual([
      '2026-03-01T09:30Z',
      '2026-03-01T10:30Z',
      '2026-03-01T11:30Z',
    ]);
    expect(boundaries('hour', 'Asia/Kathmandu', from, to)).toEqual([
      '2026-03-01T09:15Z',
      '2026-03-01T10:15Z',
      '2026-03-01T11:15Z',
    ]);
    expect(boundaries('quarter-hour', 'Asia/Kathmandu', from, '2026-03-01T10:20:00Z')).toEqual([
      '2026-03-01T10:00Z',
      '2026-03-01T10:15Z',
      '2026-03-01T10:30Z',
    ]);
  });

  it('are hours of sixty minutes where clocks are set, also by half an hour', () => {
    const hours = boundaries('hour', 'Australia/Lord_Howe', '2026-04-04T13:00:00Z', '2026-04-04T17:00:00Z');
    const minutes = hours.slice(1).map((at, i) => (Date.parse(at) - Date.parse(hours[i] ?? '')) / 60_000);
    expect(minutes).toEqual(minutes.map(() => 60));
    expect(boundaries('hour', 'America/New_York', '2026-03-08T06:30:00Z', '2026-03-08T08:00:00Z')).toEqual([
      '2026-03-08T06:00Z',
      '2026-03-08T07:00Z',
      '2026-03-08T08:00Z',
    ]);
  });

  it('are days of 23 and 25 hours where clocks are set', () => {
    expect(boundaries('day', 'America/New_York', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z')).toEqual([
      '2026-03-08T05:00Z',
      '2026-03-09T04:00Z',
    ]);
    expect(boundaries('day', 'America/New_York', '2026-11-01T12:00:00Z', '2026-11-02T05:00:00Z')).toEqual([
      '2026-11-01T04:00Z',
      '2026-11-02T05:00Z',
    ]);
  });

  it('know leap days and the ends of months', () => {
    expect(boundaries('day', 'UTC', '2028-02-28T23:59:59Z', '2028-03-01T00:00:00Z')).toEqual([
      '2028-02-28T00:00Z',
      '2028-02-29T00:00Z',
      '2028-03-01T00:00Z',
    ]);
    expect(boundaries('month', 'Asia/Kolkata', '2027-12-31T18:30:00Z', '2028-03-01T00:00:00Z')).toEqual([
      '2027-12-31T18:30Z',
      '2028-01-31T18:30Z',
      '2028-02-29T18:30Z',
      '2028-03-31T18:30Z',
    ]);
  });

  it('end with what is asked for, exclusive, and by default now', () => {
    expect(boundaries('day', 'UTC', '2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z')).toHaveLength(2);
    expect(boundaries('day', 'UTC', '2026-11-01T00:00:00Z', '2026-11-02T00:00:00.001Z')).toHaveLength(3);
    expect(boundaries('day', 'UTC').at(-1)).toBe('2026-11-30T00:00Z');
    expect(boundaries('day', 'UTC')[0]).toBe('2026-11-01T00:00Z');
    expect(boundaries('month', 'UTC')).toHaveLength(14);
  });

  it.each<[Interval, string, string | undefined, string]>([
    ['day', '2026-11-02T00:00:00Z', '2026-11-02T00:00:00Z', '"to" must be later than "from".'],
    ['day', '2027-01-01T00:00:00Z', undefined, '"to" must be later than "from".'],
    ['quarter-hour', '2026-11-01T00:00:00Z', '2026-11-08T00:15:00Z', 'At most 7 days by the quarter-hour'],
    ['hour', '2026-10-01T00:00:00Z', '2026-11-01T02:00:00Z', 'At most 31 days by the hour'],
    ['day', '2025-10-01T00:00:00Z', undefined, 'At most 400 days by the day'],
    ['month', '0001-01-01T00:00:00Z', undefined, 'At most 120 months by the month'],
    ['day', '2026-11-01T00:00:00Z', '9999-12-31T23:59:59Z', 'At most 400 days by the day'],
  ])('are refused by the %s from %s to %s', (interval, from, to, message) => {
    expect(() => boundaries(interval, 'UTC', from, to)).toThrow(message);
  });
});
