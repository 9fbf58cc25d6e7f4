import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { serveDemo } from '../analysis/demo.js';
import { AnalysisPool } from '../analysis/pool.js';
import type { AnalysisPayment } from '../analysis/routes.js';
import { serveAnalysis } from '../analysis/routes.js';
import { loadRuleSet } from '../analysis/ruleFiles.js';
import { RulesInvalid } from '../analysis/rules.js';
import { readAnalysisSettings } from '../analysis/settings.js';
import type { Config } from '../config.js';
import { ConfigError } from '../config.js';
import { AddressGuard } from '../gate/addressGuard.js';
import type { Money } from '../money/money.js';
import type { Logger } from '../logger.js';
import type { Shutdown } from '../shutdown.js';

/** Threads that analyse: more would take the processor from the calls. */
const MAX_THREADS = 2;

/** Calls a minute of each route from one address. */
const PER_MINUTE = 120;
const PER_MINUTE_BY_ROUTE = new Map([
  ['/analyze', 10],
  ['/create-payment-intent', 10],
]);

/** The analysis of files, where the profile sells it. */
export interface Scanner {
  serve(fastify: FastifyInstance, problems: () => readonly string[]): Promise<void>;
}

/** @throws ConfigError */
export async function openScanner(
  { profile, paymentRequired }: Config,
  root: string,
  log: Logger,
  shutdown: Shutdown,
  /** Undefined where nobody takes payments. */
  paymentOf: ((price: Money) => AnalysisPayment) | undefined,
): Promise<Scanner | undefined> {
  const settings = await readAnalysisSettings(join(root, 'profiles', `${profile}.yaml`));
  if (!settings) return undefined;
  const { branding, maxBytes } = settings;
  const folder = join(root, 'rules', settings.rules);
  const rules = await loadRuleSet(folder).catch((error: unknown) => {
    throw error instanceof RulesInvalid ? new ConfigError(error.problems) : error;
  });
  const threads = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1));
  const pool = new AnalysisPool({ rules: folder, branding, maxBytes }, threads);
  shutdown.add('analysis threads', () => pool.close());
  return {
    serve: async (fastify, problems) => {
      const guard = new AddressGuard(PER_MINUTE, PER_MINUTE_BY_ROUTE);
      const payment = paymentOf?.(settings.price);
      await serveAnalysis(fastify, { settings, rules, pool, paymentRequired, payment, problems, guard, log });
      await serveDemo(fastify, join(root, 'web', 'scanner'), settings, rules, paymentRequired);
    },
  };
}
