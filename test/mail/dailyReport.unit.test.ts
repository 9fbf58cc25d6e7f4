import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { DayFigures } from '../../src/mail/dailyReport.js';
import { reportOf } from '../../src/mail/dailyReport.js';
import { daysDue, MISSED_DAYS, readReportTime, spanOf } from '../../src/mail/reportTime.js';

const BERLIN = { hour: 6, timeZone: 'Europe/Berlin' };
const at = (text: string): number => Date.parse(text);
const lastDay = (time: typeof BERLIN, now: string) => daysDue(time, at(now)).at(-1);

it('a day is reported on the next one, at the hour of the zone', () => {
  expect(lastDay(BERLIN, '2026-11-29T04:59:59Z')?.day).toBe('2026-11-27');
  expect(lastDay(BERLIN, '2026-11-29T05:00:00Z')).toEqual({
    day: '2026-11-28',
    from: at('2026-11-27T23:00:00Z'),
    to: at('2026-11-28T23:00:00Z'),
    due: at('2026-11-29T05:00:00Z'),
  });
  expect(lastDay({ hour: 0, timeZone: 'UTC' }, '2026-11-29T00:00:00Z')?.day).toBe('2026-11-28');
});

it('clocks that are put forward or back move the hour, and the day is shorter or longer', () => {
  expect(lastDay(BERLIN, '2027-03-28T12:00:00Z')?.due).toBe(at('2027-03-28T04:00:00Z'));
  const [from, to] = spanOf(BERLIN, '2027-03-28');
  expect((to.getTime() - from.getTime()) / 3_600_000).toBe(23);
  expect(lastDay(BERLIN, '2026-10-25T12:00:00Z')?.due).toBe(at('2026-10-25T05:00:00Z'));
});

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kathmandu',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
];

it('days follow each other without a gap, and each is found again by its name', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2028-01-01T00:00:00Z') }),
      (timeZone, hour, now) => {
        const days = daysDue({ hour, timeZone }, now);
        expect(days.length).toBe(MISSED_DAYS);
        days.forEach(({ day, from, to, due }, index) => {
          const [begin, end] = spanOf({ hour, timeZone }, day);
          expect([begin.getTime(), end.getTime()]).toEqual([from, to]);
          if (index > 0) expect(from).toBe(days[index - 1]?.to);
          expect(due).toBeGreaterThanOrEqual(to);
          expect(due).toBeLessThanOrEqual(now);
        });
        // The next one is not due yet.
        expect((days.at(-1)?.due ?? 0) + 25 * 3_600_000).toBeGreaterThan(now);
      },
    ),
    { numRuns: 200 },
  );
});

describe('what is told', () => {
  const figures: DayFigures = {
    plans: [
      { plan: 'free', accounts: 10 },
      { plan: 'team', accounts: 2 },
    ],
    opened: 3,
    deleted: 1,
    calls: 1234n,
    refused: 5n,
    errors: 2n,
    revenue: [
      { currency: 'usd', invoiced: 19_900, oneTime: 1000, refunds: 0 },
      { currency: 'eur', invoiced: 0, oneTime: 0, refunds: 0 },
    ],
  };

  it('are accounts, calls and money', () => {
    expect(reportOf('2026-11-28', BERLIN, figures)).toEqual([
      'The figures of 2026-11-28 (Europe/Berlin):',
      'New accounts: 3. Deleted: 1. There are 12 now: free 10, team 2.',
      'Calls: 1234. Refused by a limit: 5. Failed, by an internal error or a time-out: 2.',
      'Invoiced: 199.00 USD. Paid once, for credits or analyses: 10.00 USD. Paid back of that: 0.00 USD.',
    ]);
  });

  it('says so where there is nothing', () => {
    const empty = { plans: [], opened: 0, deleted: 0, calls: 0n, refused: 0n, errors: 0n, revenue: [] };
    expect(reportOf('2026-11-28', BERLIN, empty)).toEqual([
      'The figures of 2026-11-28 (Europe/Berlin):',
      'New accounts: 0. Deleted: 0. There are 0 now.',
      'Nobody called.',
      'Nothing was invoiced.',
    ]);
  });
});

describe('dailyReport of a profile', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tollgraph-report-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  const read = async (text: string) => {
    const file = join(directory, 'shop.yaml');
    await writeFile(file, `name: shop\n${text}`);
    return readReportTime(file);
  };

  it('is an hour, and UTC unless it names a zone', async () => {
    expect(await read('')).toBeUndefined();
    expect(await read('dailyReport: { hour: 0 }')).toEqual({ hour: 0, timeZone: 'UTC' });
    expect(await read('dailyReport: { hour: 23, timeZone: Asia/Kathmandu }')).toEqual({
      hour: 23,
      timeZone: 'Asia/Kathmandu',
    });
  });

  it.each([
    ['dailyReport: { hour: 24 }', /shop\.yaml:2: dailyReport\.hour/],
    [
      'dailyReport: { hour: 6, timeZone: Mars/Olympus }',
      /shop\.yaml:2: dailyReport\.timeZone: is no time zone/,
    ],
    ['dailyReport: daily', /dailyReport/],
  ])('%s is refused with its line', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});
