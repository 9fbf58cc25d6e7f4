import { join } from 'node:path';
import type { UsageQueries } from '../../projections/usage/queries.js';
import type { Config } from '../config.js';
import { startTime } from '../dataDir.js';
import { Follower } from '../following/follower.js';
import type { Logger } from '../logger.js';
import { NotYet } from '../outage.js';
import { AddressHashes } from '../usage/addresses.js';
import { UnconfirmedBatchFile } from '../usage/journal/unconfirmedBatch.js';
import { Governor } from '../usage/governor.js';
import { Journal } from '../usage/journal/journal.js';
import type { Limiter } from '../usage/limits/limiter.js';
import { UsageChanges } from '../usage/analytics/usageChanges.js';
import { RefusalLog } from '../usage/refusalLog.js';
import { openLimiter } from './limits.js';
import type { Projections } from './projections.js';
import type { Shutdown } from '../shutdown.js';
import type { Stores } from './stores.js';

/** What a call is counted by: the journal, the limits, and the order of a governed call. */
export interface Metering {
  readonly journal: Journal;
  readonly limiter: Limiter;
  /** Whether what decides limits can be asked. */
  readonly limitsUp: () => boolean;
  /** Why limits cannot be loaded, if they cannot. */
  readonly limitsProblem: () => string | undefined;
  readonly governor: Governor;
  readonly addresses: AddressHashes;
  /** Whether other nodes may take calls, too: they share what decides limits. */
  readonly shared: boolean;
}

const SWEEP_MS = 10_000;

export async function openMetering(
  stores: Stores,
  usage: UsageQueries,
  config: Config,
  log: Logger,
  shutdown: Shutdown,
): Promise<Metering> {
  const { store, secrets, node, clock, billingClock, telemetry } = stores;
  const debtFile = new UnconfirmedBatchFile(join(config.dataDir, 'journal-debt.json'));
  const journal = new Journal({
    store,
    node,
    clock,
    startedAt: await startTime(config.dataDir, clock()),
    log,
    flushMs: config.journalFlushMs,
    debtFile,
    onFlushed: (uses, seconds) => telemetry.metrics.flushed(uses, seconds),
    tracing: telemetry.tracing,
  });
  await journal.settleDebt();
  const { limiter, up, problem } = await openLimiter(stores, usage, journal, config, log, shutdown);
  const refusals = new RefusalLog((account, use) => journal.note(account, use));
  const sweeping = setInterval(() => refusals.sweep(billingClock()), SWEEP_MS).unref();
  shutdown.add('usage journal', async () => {
    clearInterval(sweeping);
    refusals.sweep(Number.MAX_SAFE_INTEGER);
    await journal.close();
  });
  const addresses = new AddressHashes(secrets.EMAIL_HASH_KEY);
  const governor = new Governor(journal, limiter, refusals, addresses);
  const shared = config.redisUrl !== undefined;
  return { journal, limiter, limitsUp: up, limitsProblem: problem, governor, addresses, shared };
}

/** How long the ledger may take for a page before that is told, in milliseconds. */
const LEDGER_WAIT_MS = 5_000;

/** Follows the journals of all nodes and tells whose usage has moved, once the ledger has seen it. */
export async function followUsage(
  { store }: Stores,
  { reader, models }: Projections,
  journal: Journal,
  log: Logger,
  shutdown: Shutdown,
): Promise<UsageChanges> {
  const moves = new UsageChanges({ journalPosition: () => journal.lastPosition });
  const follower = new Follower({
    name: 'usage moves',
    reader,
    from: await store.head(),
    handle: async (events, last) => {
      if (moves.watched && !(await models.reached('usage', last, LEDGER_WAIT_MS))) {
        throw new NotYet('the read model usage is not there yet');
      }
      moves.apply(events, last);
    },
    onError: (error) => log.error('subscriptions to usage do not get on', error),
  });
  follower.start();
  shutdown.add('usage moves', () => follower.stop());
  return moves;
}
