import type { Queries } from '../../projections/index.js';
import type { BillingWorker } from '../billing/worker.js';
import type { Config } from '../config.js';
import type { Logger } from '../logger.js';
import type { DailyReports } from '../mail/dailyReport.js';
import type { Profile } from '../plans/profile.js';
import type { Shutdown } from '../shutdown.js';
import type { Billing } from './billing.js';
import { workBilling } from './billing.js';
import { endGrantedPlans } from './grants.js';
import { createMailCarrier } from './mail.js';
import { sendOutgoing } from './outgoing.js';
import type { OverageParts, OverageWork } from './overage.js';
import { workOverage } from './overage.js';
import type { RunningProjections } from './projections.js';
import { reportDays, reportTimeOf, reportWriter } from './reports.js';
import type { Scanner } from './scanner.js';
import { sweepBlobs, workAnalyses } from './scanner.js';
import type { Stores } from './stores.js';

/** What workers work with, in whichever role a process runs them. */
export interface WorkerParts {
  readonly config: Config;
  readonly root: string;
  readonly stores: Stores;
  readonly projections: RunningProjections;
  readonly queries: Queries;
  /** Undefined where nobody takes payments. */
  readonly billing: Billing | undefined;
  readonly overage: OverageParts;
  /** Undefined where the profile sells no analyses. */
  readonly scanner: Scanner | undefined;
  readonly profile: () => Profile;
  readonly log: Logger;
  readonly shutdown: Shutdown;
}

/** Those that are told when to look. */
export interface Workers {
  readonly billing: BillingWorker | undefined;
  readonly overage: OverageWork | undefined;
  readonly reports: DailyReports | undefined;
}

/**
 * Starts everything that works beside calls, in the processes that run policies: of several, one has the lease of
 * each. This is the one list of them, for both roles; they are no part of front doors, since each has other parts of
 * the root to work with.
 */
export async function startWorkers({
  config,
  root,
  stores,
  projections,
  queries,
  billing: payments,
  overage: parts,
  scanner,
  profile,
  log,
  shutdown,
}: WorkerParts): Promise<Workers> {
  const time = await reportTimeOf(config, root);
  const writer = time && reportWriter(time, projections, queries, stores);
  const mails = await createMailCarrier(stores, config, writer, log, shutdown);
  const reports = time && reportDays(time, projections, stores, log, shutdown);
  endGrantedPlans(projections, queries, stores, log, shutdown);
  sendOutgoing(projections, stores, mails, log, shutdown);
  const billing = payments && workBilling(projections, queries, stores, payments, parts, log, shutdown);
  const overage =
    payments && workOverage(projections, queries, stores, payments, parts, profile, log, shutdown);
  if (scanner) workAnalyses(projections, stores, scanner, log, shutdown);
  sweepBlobs(stores, log, shutdown);
  return { billing, overage, reports };
}
