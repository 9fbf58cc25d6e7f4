import type { UsageQueries } from '../../projections/usage/queries.js';
import type { Profile } from '../plans/profile.js';
import { SLIDING_MS } from '../plans/profile.js';
import type { Journal } from '../usage/journal.js';
import type { Limiter, LoadSpent } from '../usage/limiter.js';
import { LocalLimiter } from '../usage/localLimiter.js';
import { periodOf } from '../usage/periods.js';
import type { JournalTail } from '../usage/spent.js';
import { JournalTails, readJournalTail, recentKey, spentOf } from '../usage/spent.js';
import type { Shutdown } from './shutdown.js';
import type { Stores } from './stores.js';

const FORGET_MS = 10_000;

/** The limiter, and where its counters are loaded from: the ledger, and the journal's tail. */
export async function openLimiter(
  { store, profile, clock }: Stores,
  usage: UsageQueries,
  journal: Journal,
  shutdown: Shutdown,
): Promise<Limiter> {
  const { spanMs, most } = tailOf(profile);
  const tails = new JournalTails(() => readJournalTail(store, clock() - spanMs, usage.seen(), most));
  // Read once for all accounts: of what comes later this process counts itself.
  let atStart = await tails.read();
  const load: LoadSpent = async (account, environment, now, fresh) => {
    const tail = fresh ? await tails.read() : atStart;
    const periods = [periodOf('day', now), periodOf('month', now)];
    const counted = await usage.counters(account, environment, periods);
    return spentOf(tail, recentKey(account, environment), counted);
  };

  const limiter = new LocalLimiter(load);
  const openedAt = clock();
  let seen = { at: openedAt, position: journal.lastPosition };
  const forgetting = setInterval(() => {
    const now = clock();
    if (now - openedAt > spanMs) atStart = withoutCalls(atStart, openedAt);
    // Only what the ledger has can be loaded again.
    if (usage.seen() < seen.position) return;
    limiter.forgetIdle(seen.at - spanMs);
    seen = { at: now, position: journal.lastPosition };
  }, FORGET_MS).unref();
  shutdown.add('limits', () => clearInterval(forgetting));
  return limiter;
}

/** How much of the journal's end is read: two of the longest windows, since a bucket may be empty before. */
function tailOf({ plans }: Profile): { readonly spanMs: number; readonly most: number } {
  const limits = plans.flatMap((plan) => plan.limits);
  const hours = limits.some(({ window }) => window === 'hour');
  const amounts = limits.flatMap(({ meter, amount }) => (meter === 'requests' ? amount : []));
  return { spanMs: 2 * SLIDING_MS[hours ? 'hour' : 'minute'], most: Math.max(1_000, ...amounts) };
}

/** Once all windows have passed, of the tail only what the ledger may not have matters. */
function withoutCalls(tail: JournalTail, since: number): JournalTail {
  const accounts = [...tail.accounts].map(
    ([id, { changes }]) => [id, { recent: [], changes, since }] as const,
  );
  return { since, accounts: new Map(accounts.filter(([, { changes }]) => changes.length > 0)) };
}
