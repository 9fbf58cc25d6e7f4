import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { AnalysisQueries } from '../../projections/analyses/queries.js';
import { AnalysisChanges } from '../analysis/changes.js';
import { serveDemo } from '../analysis/demo.js';
import type { AnalysisDesk } from '../analysis/desk.js';
import { AnalysisPool } from '../analysis/pool.js';
import { loadRuleSet } from '../analysis/ruleFiles.js';
import { RulesInvalid } from '../analysis/rules.js';
import { RuleSets } from '../analysis/ruleSets.js';
import { readAnalysisSettings } from '../analysis/settings.js';
import type { AnalysisCredits, AnalysisPayment } from '../analysis/stored.js';
import { StoredAnalyses } from '../analysis/stored.js';
import { AnalysisWorker } from '../analysis/work.js';
import type { Config } from '../config.js';
import { ConfigError } from '../config.js';
import type { CreditDesk } from '../credits/desk.js';
import { Leadership } from '../following/leases.js';
import type { Logger } from '../logger.js';
import { Outage } from '../outage.js';
import type { Money } from '../money/money.js';
import type { PlanInForce } from '../plans/profile.js';
import { hasFeature, metersOf, SLIDING_MS } from '../plans/profile.js';
import type { Shutdown } from '../shutdown.js';
import type { RunningProjections } from './projections.js';
import type { Stores } from './stores.js';

/** Threads that analyse: more would take the processor from the calls. */
const MAX_THREADS = 2;

/** The analysis of files, where the profile sells it. */
export interface Scanner {
  readonly desk: AnalysisDesk;
  /** The page for people. */
  serveDemo(fastify: FastifyInstance): Promise<void>;
}

/** @throws ConfigError */
export async function openScanner(
  { profile, paymentRequired, publicUrl }: Config,
  { commands, blobs, clock, personal, profile: sold }: Stores,
  root: string,
  shutdown: Shutdown,
  /** Undefined where nobody takes payments. */
  paymentOf: ((price: Money) => AnalysisPayment) | undefined,
  desk: CreditDesk,
  planOf: (accountId: string) => Pick<PlanInForce, 'plan'>,
): Promise<Scanner | undefined> {
  const settings = await readAnalysisSettings(join(root, 'profiles', `${profile}.yaml`));
  if (!settings) return undefined;
  const { branding, maxBytes, meter, price, includedIn } = settings;
  if (!metersOf(sold).some(({ id }) => id === meter)) {
    throw new ConfigError([`profiles/${profile}.yaml: analysis.meter: the profile has no meter "${meter}"`]);
  }
  const folder = join(root, 'rules', settings.rules);
  const rules = await loadRuleSet(folder).catch((error: unknown) => {
    throw error instanceof RulesInvalid ? new ConfigError(error.problems) : error;
  });
  const threads = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1));
  const pool = new AnalysisPool({ rules: folder, branding, maxBytes }, threads);
  shutdown.add('analysis threads', () => pool.close());
  const payment = paymentOf?.(price);
  const changes = new AnalysisChanges();
  commands.onAppended((events) => changes.apply(events));
  const ruleSets = new RuleSets(commands, personal);
  const creditsForOne = sold.credits?.meters[meter];
  const credits: AnalysisCredits | undefined =
    creditsForOne === undefined
      ? undefined
      : {
          price: creditsForOne,
          covers: (accountId, amount) => desk.covers(accountId, amount),
          spend: (accountId, id, amount) => desk.spend(accountId, `analysis:${id}`, amount),
          giveBack: (accountId, id) => desk.giveBack(accountId, `analysis:${id}`),
        };
  const stored = new StoredAnalyses({
    commands,
    blobs,
    pool,
    payment,
    credits,
    ruleSets,
    settings,
    clock,
    changes,
  });
  const included = (accountId: string): boolean => {
    const { plan } = planOf(accountId);
    // A plan that has so many a month has them without a payment for each.
    const quota = plan.limits.some((limit) => limit.meter === meter && !(limit.window in SLIDING_MS));
    return quota || (includedIn !== undefined && hasFeature(plan, includedIn));
  };
  return {
    desk: {
      settings,
      rules,
      ruleSets,
      pool,
      paymentRequired,
      payment,
      credits,
      included,
      stored,
      changes,
      publicUrl,
    },
    serveDemo: (fastify) =>
      serveDemo(fastify, join(root, 'web', 'scanner'), settings, rules, paymentRequired),
  };
}

/** Works on the analyses that were asked for, in one of the processes that run policies. */
export function workAnalyses(
  { models, sql, leases }: RunningProjections,
  { clock, embedded }: Stores,
  { desk: { stored } }: Scanner,
  log: Logger,
  shutdown: Shutdown,
): void {
  const onError = (error: unknown): void =>
    log.error('an analysis is not done yet', error instanceof Outage ? error : new Error(nameOf(error)));
  const queries = new AnalysisQueries(sql, models.access('analyses'));
  const worker = new AnalysisWorker({ stored, queries, alone: embedded, clock, onError });
  models.onChanged('analyses', () => worker.wake());
  stored.onLeft(() => worker.wake());
  const leadership = new Leadership({
    leases,
    name: 'analyses',
    lead: (_lease, until) => worker.run(until),
    stand: () => Promise.resolve(),
    onError,
  });
  leadership.start();
  shutdown.add('analyses', () => leadership.stop());
}

/** The message of another error may hold something of a file. */
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');

/** From one look for blobs whose time is over to the next, in milliseconds. */
const SWEEP_MS = 60_000;

/** Shreds blobs whose time is over, and removes what crashes have left. */
export function sweepBlobs({ blobs }: Stores, log: Logger, shutdown: Shutdown): void {
  let running: Promise<unknown> | undefined;
  const sweep = (): void => {
    running ??= blobs
      .sweep()
      .catch((error: unknown) => log.error('blobs whose time is over are not shredded yet', error))
      .finally(() => (running = undefined));
  };
  sweep();
  const sweeping = setInterval(sweep, SWEEP_MS).unref();
  shutdown.add('blobs', async () => {
    clearInterval(sweeping);
    await running;
  });
}
