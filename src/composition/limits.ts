import type { UsageQueries } from '../../projections/usage/queries.js';
import type { Config } from '../config.js';
import { lagOf } from '../eventsourcing/lag.js';
import { MAX_KEY_RATE } from '../keys/decide.js';
import type { Logger } from '../logger.js';
import type { Profile } from '../plans/profile.js';
import { SLIDING_MS } from '../plans/profile.js';
import type { Journal } from '../usage/journal.js';
import type { Limiter, LoadSpent } from '../usage/limiter.js';
import type { Subject } from '../usage/events.js';
import { subjectId } from '../usage/events.js';
import { LocalLimiter } from '../usage/localLimiter.js';
import type { OutagePolicy } from '../usage/outageLimiter.js';
import { OutageLimiter } from '../usage/outageLimiter.js';
import { periodOf } from '../usage/periods.js';
import type { JournalTail } from '../usage/spent.js';
import { JournalTails, readJournalTail, spentOf } from '../usage/spent.js';
import type { Shutdown } from './shutdown.js';
import type { Stores } from './stores.js';

const FORGET_MS = 10_000;

/** Well below the time for which Redis keeps counters that nobody asks for. */
const LEDGER_LAG_SECONDS_MAX = 600;

/** What decides limits. */
export interface Limits {
  readonly limiter: Limiter;
  /** Whether it can be asked: false while what nodes share is away. */
  readonly up: () => boolean;
}

/** The limiter, and where its counters are loaded from: the ledger, and the journal's tail. */
export async function openLimiter(
  stores: Stores,
  usage: UsageQueries,
  journal: Journal,
  config: Config,
  log: Logger,
  shutdown: Shutdown,
): Promise<Limits> {
  const { store, profile, clock } = stores;
  const { spanMs, most } = tailOf(profile);
  const tails = new JournalTails(() => readJournalTail(store, clock() - spanMs, usage.seen(), most));
  const loadFrom = async (tail: JournalTail, subject: Subject, now: number) => {
    const periods = [periodOf('day', now), periodOf('month', now)];
    return spentOf(tail, subjectId(subject), await usage.counters(subject, periods));
  };
  const loadFresh: LoadSpent = async (subject, now) => loadFrom(await tails.read(), subject, now);
  const loadShared: LoadSpent = async (subject, now, fresh) => {
    // A ledger that is far behind does not have all calls of who was away for long.
    const lag = fresh ? undefined : await lagOf(store, usage.seen(), clock());
    if (!lag || lag.seconds > LEDGER_LAG_SECONDS_MAX) return loadFresh(subject, now, fresh);
    return loadFrom({ since: now - spanMs, subjects: new Map() }, subject, now);
  };
  if (config.redisUrl !== undefined) {
    return openShared(stores, config.redisUrl, config.limitsOnOutage, loadShared, log, shutdown);
  }

  // Read once for all: of what comes later this process counts itself.
  let atStart = await tails.read();
  const limiter = new LocalLimiter((subject, now, fresh) =>
    fresh ? loadFresh(subject, now, fresh) : loadFrom(atStart, subject, now),
  );
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
  return { limiter, up: () => true };
}

/** Limits that several nodes share. */
async function openShared(
  { storeId, telemetry: { metrics } }: Stores,
  url: string,
  policy: OutagePolicy,
  load: LoadSpent,
  log: Logger,
  shutdown: Shutdown,
): Promise<Limits> {
  // Loaded only where it is wanted.
  const { RedisLimiter } = await import('../adapters/redis/limiter.js');
  const shared = await RedisLimiter.open({
    url,
    prefix: `tollgraph:${storeId}`,
    load,
    log,
    onLoad: () => metrics.limitsLoaded(),
  });
  shutdown.add('limits', () => shared.close());
  const limiter = new OutageLimiter({
    shared,
    // Until the outage other nodes have counted too.
    local: () => new LocalLimiter((subject, now) => load(subject, now, true)),
    policy,
    onCall: (decision) => metrics.limitsAway(decision),
  });
  return { limiter, up: () => shared.up };
}

/** How much of the journal's end is read: two of the longest windows, since a bucket may be empty before. */
function tailOf({ plans }: Profile): { readonly spanMs: number; readonly most: number } {
  const limits = plans.flatMap((plan) => plan.limits);
  const hours = limits.some(({ window }) => window === 'hour');
  const amounts = limits.flatMap(({ meter, amount }) => (meter === 'requests' ? amount : []));
  return { spanMs: 2 * SLIDING_MS[hours ? 'hour' : 'minute'], most: Math.max(MAX_KEY_RATE, ...amounts) };
}

/** Once all windows have passed, of the tail only what the ledger may not have matters. */
function withoutCalls(tail: JournalTail, since: number): JournalTail {
  const subjects = [...tail.subjects].map(
    ([id, { changes }]) => [id, { recent: [], changes, since }] as const,
  );
  return { since, subjects: new Map(subjects.filter(([, { changes }]) => changes.length > 0)) };
}
