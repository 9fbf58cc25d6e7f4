import { join } from 'node:path';
import type { UsageQueries } from '../../projections/usage/queries.js';
import type { Config } from '../config.js';
import type { Logger } from '../logger.js';
import { AddressHashes } from '../usage/addresses.js';
import { DebtFile } from '../usage/debt.js';
import { Governor } from '../usage/govern.js';
import { Journal } from '../usage/journal.js';
import type { Limiter } from '../usage/limiter.js';
import { RefusalLog } from '../usage/refusalLog.js';
import { openLimiter } from './limits.js';
import type { Shutdown } from './shutdown.js';
import type { Stores } from './stores.js';

/** What a call is counted by: the journal, the limits, and the order of a governed call. */
export interface Metering {
  readonly journal: Journal;
  readonly limiter: Limiter;
  /** Whether what decides limits can be asked. */
  readonly limitsUp: () => boolean;
  readonly governor: Governor;
}

const SWEEP_MS = 10_000;

export async function openMetering(
  stores: Stores,
  usage: UsageQueries,
  config: Config,
  log: Logger,
  shutdown: Shutdown,
): Promise<Metering> {
  const { store, secrets, node, clock, telemetry } = stores;
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
  const { limiter, up } = await openLimiter(stores, usage, journal, config, log, shutdown);
  const refusals = new RefusalLog((account, use) => journal.note(account, use));
  const sweeping = setInterval(() => refusals.sweep(clock()), SWEEP_MS).unref();
  shutdown.add('usage journal', async () => {
    clearInterval(sweeping);
    refusals.sweep(Number.MAX_SAFE_INTEGER);
    await journal.close();
  });
  const governor = new Governor(journal, limiter, refusals, new AddressHashes(secrets.EMAIL_HASH_KEY));
  return { journal, limiter, limitsUp: up, governor };
}
