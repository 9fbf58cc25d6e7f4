import { join } from 'node:path';
import type { UsageQueries } from '../../projections/usage/queries.js';
import type { Config } from '../config.js';
import type { Logger } from '../logger.js';
import { SLIDING_MS } from '../plans/profile.js';
import { AddressHashes } from '../usage/addresses.js';
import { DebtFile } from '../usage/debt.js';
import { Governor } from '../usage/govern.js';
import { Journal } from '../usage/journal.js';
import { Limiter } from '../usage/limiter.js';
import { periodOf } from '../usage/periods.js';
import { RefusalLog } from '../usage/refusalLog.js';
import { readRecentUses, recentKey } from '../usage/spent.js';
import type { Shutdown } from './shutdown.js';
import type { Stores } from './stores.js';

/** What a call is counted by: the journal, the limits, and the order of a governed call. */
export interface Metering {
  readonly journal: Journal;
  readonly limiter: Limiter;
  readonly governor: Governor;
}

const SWEEP_MS = 10_000;

export async function openMetering(
  { store, profile, secrets, node, clock, telemetry }: Stores,
  usage: UsageQueries,
  config: Config,
  log: Logger,
  shutdown: Shutdown,
): Promise<Metering> {
  const debtFile = new DebtFile(join(config.dataDir, 'journal-debt.json'));
  const journal = new Journal({
    store,
    node,
    clock,
    log,
    flushMs: config.journalFlushMs,
    debtFile,
    onFlushed: (uses, seconds) => telemetry.metrics.flushed(uses, seconds),
    tracing: telemetry.tracing,
  });
  await journal.settleDebt();
  const slides = profile.plans.flatMap((plan) =>
    plan.limits.filter(({ window }) => window === 'minute' || window === 'hour'),
  );
  const longest = slides.some(({ window }) => window === 'hour') ? SLIDING_MS.hour : SLIDING_MS.minute;
  const most = Math.max(0, ...slides.map(({ amount }) => amount));
  const recent = await readRecentUses(store, clock() - longest, most);
  const limiter = new Limiter(async (account, environment, now) => {
    const periods = [periodOf('day', now), periodOf('month', now)];
    return {
      periods: await usage.counters(account, environment, periods),
      recent: recent.get(recentKey(account, environment)) ?? [],
    };
  });
  const refusals = new RefusalLog((account, use) => journal.note(account, use));
  const sweeping = setInterval(() => refusals.sweep(clock()), SWEEP_MS).unref();
  shutdown.add('usage journal', async () => {
    clearInterval(sweeping);
    refusals.sweep(Number.MAX_SAFE_INTEGER);
    await journal.close();
  });
  const governor = new Governor(journal, limiter, refusals, new AddressHashes(secrets.EMAIL_HASH_KEY));
  return { journal, limiter, governor };
}
