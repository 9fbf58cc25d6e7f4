import { join } from 'node:path';
import type { Queries } from '../../projections/index.js';
import { UsageReports } from '../../projections/usage/reports.js';
import type { Config } from '../config.js';
import { Leadership } from '../following/leases.js';
import type { Logger } from '../logger.js';
import type { DayFigures } from '../mail/dailyReport.js';
import { DailyReports, reportOf } from '../mail/dailyReport.js';
import type { ReportTime } from '../mail/reportTime.js';
import { readReportTime, spanOf } from '../mail/reportTime.js';
import { Outage } from '../outage.js';
import type { Shutdown } from '../shutdown.js';
import { Wake } from '../wake.js';
import type { RunningProjections } from './projections.js';
import type { Stores } from './stores.js';

/** From one look at the clock to the next, in milliseconds. */
const LOOK_MS = 60_000;
/** How long a report waits for what has happened until now, in milliseconds. */
const SHOWN_MS = 1_000;

/** When the profile reports; undefined where it does not, or where that is off. @throws ConfigError */
export const reportTimeOf = async (
  { profile, dailyReport }: Config,
  root: string,
): Promise<ReportTime | undefined> =>
  dailyReport ? readReportTime(join(root, 'profiles', `${profile}.yaml`)) : undefined;

/** Asks for the reports of days, in one of the processes that run policies. */
export function reportDays(
  time: ReportTime,
  { leases }: RunningProjections,
  { commands, clock }: Stores,
  log: Logger,
  shutdown: Shutdown,
): DailyReports {
  const reports = new DailyReports(commands, time);
  const onError = (error: unknown): void => log.error('the daily report cannot be asked for yet', error);
  const wake = new Wake();
  const work = async (): Promise<boolean> => {
    await reports.ask(clock());
    return false;
  };
  const leadership = new Leadership({
    leases,
    name: 'daily-reports',
    lead: (_lease, until) => wake.repeat(until, work, { restMs: LOOK_MS, onError }),
    stand: () => Promise.resolve(),
    onError,
  });
  leadership.start();
  shutdown.add('daily reports', () => leadership.stop());
  return reports;
}

/** Writes the report of a day from the read models, once they show all that has happened. */
export function reportWriter(
  time: ReportTime,
  { models, sql }: RunningProjections,
  queries: Pick<Queries, 'planHistory' | 'revenue'>,
  { store, profile }: Stores,
): (day: string) => Promise<string[]> {
  const usage = new UsageReports(sql, models.access('usage'));
  return async (day) => {
    if (!(await models.allReached(await store.head(), SHOWN_MS))) {
      throw new Outage('the read models are behind, so that figures would be missing');
    }
    const [from, to] = spanOf(time, day);
    // Moments of these are exclusive and inclusive, the other way round than times of days.
    const [before, end] = [new Date(from.getTime() - 1), new Date(to.getTime() - 1)];
    const [plans, changes, calls, revenue] = await Promise.all([
      queries.planHistory.asTheyStand.accountsByPlan(end, profile.defaultPlan),
      queries.planHistory.asTheyStand.changes(before, end),
      usage.total({ account: undefined, environment: 'live', filter: {} }, from, to),
      queries.revenue.asTheyStand.between(from, to),
    ]);
    const figures: DayFigures = {
      plans,
      opened: changes.opened,
      deleted: changes.deleted,
      calls: calls.uses,
      refused: calls.refused,
      errors: calls.errors,
      revenue: revenue.map(({ currency, invoiced, one_time: oneTime, refunds }) => ({
        currency,
        invoiced,
        oneTime,
        refunds,
      })),
    };
    return reportOf(day, time, figures);
  };
}
