import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { serveDemo } from '../analysis/demo.js';
import type { AnalysisDesk, AnalysisPayment } from '../analysis/desk.js';
import { AnalysisPool } from '../analysis/pool.js';
import { loadRuleSet } from '../analysis/ruleFiles.js';
import { RulesInvalid } from '../analysis/rules.js';
import { readAnalysisSettings } from '../analysis/settings.js';
import type { Config } from '../config.js';
import { ConfigError } from '../config.js';
import type { Money } from '../money/money.js';
import type { Profile } from '../plans/profile.js';
import { metersOf } from '../plans/profile.js';
import type { Shutdown } from '../shutdown.js';

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
  { profile, paymentRequired }: Config,
  sold: Profile,
  root: string,
  shutdown: Shutdown,
  /** Undefined where nobody takes payments. */
  paymentOf: ((price: Money) => AnalysisPayment) | undefined,
): Promise<Scanner | undefined> {
  const settings = await readAnalysisSettings(join(root, 'profiles', `${profile}.yaml`));
  if (!settings) return undefined;
  const { branding, maxBytes, meter, price } = settings;
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
  return {
    desk: { settings, rules, pool, paymentRequired, payment },
    serveDemo: (fastify) =>
      serveDemo(fastify, join(root, 'web', 'scanner'), settings, rules, paymentRequired),
  };
}
