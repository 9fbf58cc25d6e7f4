import { join } from 'node:path';
import type { UsageQueries } from '../../projections/usage/queries.js';
import type { Config } from '../config.js';
import { START } from '../eventsourcing/event.js';
import { lagOf } from '../following/lag.js';
import { MAX_KEY_RATE } from '../keys/decide.js';
import type { Logger } from '../logger.js';
import { Outage } from '../outage.js';
import type { AggregationOf } from '../plans/meters.js';
import type { Limit, Plan, Profile } from '../plans/profile.js';
import { aggregationsOf, SLIDING_MS } from '../plans/profile.js';
import type { Journal } from '../usage/journal/journal.js';
import type { Limiter, LoadSpent, Sliding, Wanted } from '../usage/limits/limiter.js';
import { CountersUnavailable, longestOf } from '../usage/limits/limiter.js';
import { subjectId } from '../usage/events.js';
import { LocalLimiter } from '../usage/limits/localLimiter.js';
import { MissedSubjects } from '../usage/limits/missedSubjects.js';
import type { OutageOptions } from '../usage/limits/outageLimiter.js';
import { OutageLimiter } from '../usage/limits/outageLimiter.js';
import { isFixed } from '../usage/limits/periods.js';
import type { JournalTail } from '../usage/journal/journalTail.js';
import { JournalTails, readJournalTail, spentOf } from '../usage/journal/journalTail.js';
import type { Shutdown } from '../shutdown.js';
import type { Stores } from './stores.js';

const FORGET_MS = 10_000;
/** From one look whether limits are back to the next, in milliseconds. */
const RECOVER_MS = 1_000;

/** Well below the time for which Redis keeps counters that nobody asks for. */
const LEDGER_LAG_SECONDS_MAX = 600;

/** What decides limits. */
export interface Limits {
  readonly limiter: Limiter;
  /** Whether it can be asked: false while what nodes share is away. */
  readonly up: () => boolean;
  /** Why it cannot load what accounts have spent, if it cannot: their calls are refused meanwhile. */
  readonly problem: () => string | undefined;
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
  const { store, profile, clock, billingClock, elapsed } = stores;
  const most = mostCalls(profile);
  const tailOf = (window: Sliding): JournalTails =>
    new JournalTails(() => readJournalTail(store, clock() - spanOf(window), usage.seen(), most));
  const tails = { minute: tailOf('minute'), hour: tailOf('hour') };
  const loadFrom = async (tail: JournalTail, { subject, periods }: Wanted, asOf: number) => {
    const counted = await usage.counters(subject, periods);
    if (counted.incomplete) {
      throw new CountersUnavailable('the ledger has parked a batch of the journal that it cannot read');
    }
    return spentOf(tail, subjectId(subject), counted, asOf);
  };
  const loadFresh: LoadSpent = async (wanted) =>
    loadFrom(await tails[wanted.longest].read(), wanted, wanted.now);
  const loadShared: LoadSpent = async (wanted) => {
    const { now, fresh, longest } = wanted;
    // A ledger that is far behind does not have all calls of who was away for long.
    const lag = fresh ? undefined : await lagOf(store, usage.seen(), clock());
    if (!lag || (lag.seconds ?? Infinity) > LEDGER_LAG_SECONDS_MAX) return loadFresh(wanted);
    return loadFrom({ since: now - spanOf(longest), most, upTo: START, subjects: new Map() }, wanted, now);
  };
  const aggregationOf = aggregationsOf(profile);
  const loads = new WatchedLoads(log);
  const problem = (): string | undefined => loads.problem;
  if (config.redisUrl !== undefined) {
    const load = loads.watch(loadShared);
    const { redisUrl, limitsOnOutage } = config;
    const missed = await MissedSubjects.open(join(config.dataDir, 'limits-missed.ndjson'), log);
    const shared = await openShared(
      stores,
      redisUrl,
      { policy: limitsOnOutage, missed },
      load,
      aggregationOf,
      log,
      shutdown,
    );
    return { ...shared, problem };
  }

  // Read once for all, as soon as it can be: of what comes later this process counts itself.
  const longestAtStart = longestOf(profile.plans.flatMap(allLimits));
  const spanMs = spanOf(longestAtStart);
  let atStart: { readonly tail: JournalTail; readonly at: number; readonly elapsed: number } | undefined;
  const readAtStart = async (): Promise<NonNullable<typeof atStart>> => {
    if (atStart) return atStart;
    const began = { at: billingClock(), elapsed: elapsed() };
    return (atStart = { tail: await tails[longestAtStart].read(), ...began });
  };
  const load: LoadSpent = async (wanted) => {
    // A profile that is published later may have hours all the same, or a key from an earlier one.
    const tooShort = wanted.longest === 'hour' && longestAtStart === 'minute';
    if (wanted.fresh || tooShort) return loadFresh(wanted);
    const read = await readAtStart();
    // The clock may have been set since the tail was read: its times age as time passes.
    return loadFrom(read.tail, wanted, read.at + elapsed() - read.elapsed);
  };
  const limiter = new LocalLimiter({ load: loads.watch(load), aggregationOf, time: elapsed });
  // Where it cannot be read, calls are refused until it can; all else works.
  await loads
    .watch(readAtStart)()
    .catch(() => undefined);
  let seen = { at: elapsed(), position: journal.lastPosition };
  const forgetting = setInterval(() => {
    const now = elapsed();
    if (atStart && now - atStart.elapsed > spanMs) {
      atStart = { ...atStart, tail: withoutCalls(atStart.tail, atStart.at) };
    }
    // Only what the ledger has can be loaded again.
    if (usage.seen() < seen.position) return;
    limiter.forgetIdle(seen.at - spanMs);
    seen = { at: now, position: journal.lastPosition };
  }, FORGET_MS).unref();
  shutdown.add('limits', () => clearInterval(forgetting));
  return { limiter, up: () => true, problem };
}

/** Limits that several nodes share. */
async function openShared(
  { storeId, clock, billingClock, telemetry: { metrics } }: Stores,
  url: string,
  onOutage: Pick<OutageOptions, 'policy' | 'missed'>,
  load: LoadSpent,
  aggregationOf: AggregationOf,
  log: Logger,
  shutdown: Shutdown,
): Promise<Omit<Limits, 'problem'>> {
  // Loaded only where it is wanted.
  const { RedisLimiter } = await import('../adapters/redis/limiter.js');
  const shared = await RedisLimiter.open({
    url,
    prefix: `tollgraph:${storeId}`,
    load,
    // Redis knows nothing of time that is moved; whoever moves it is alone.
    time: clock === billingClock ? 'server' : 'given',
    aggregationOf,
    log,
    onLoad: () => metrics.limitsLoaded(),
    onOwnerless: () => metrics.limitsOwnerless(),
  });
  shutdown.add('limits', () => shared.close());
  const limiter = new OutageLimiter({
    shared,
    // Until the outage other nodes have counted too.
    local: () => new LocalLimiter({ load: (wanted) => load({ ...wanted, fresh: true }), aggregationOf }),
    ...onOutage,
    onCall: (decision) => metrics.limitsAway(decision),
  });
  await limiter.recover();
  const recovering = setInterval(() => {
    void limiter.recover().catch((error: unknown) => log.error('limits cannot be told of an outage', error));
  }, RECOVER_MS).unref();
  shutdown.add('outages of limits', () => clearInterval(recovering));
  return { limiter, up: () => shared.up };
}

/** Loads of counters; what goes wrong with them is an outage, and is told until one succeeds. */
class WatchedLoads {
  #problem: string | undefined;

  constructor(private readonly log: Logger) {}

  get problem(): string | undefined {
    return this.#problem;
  }

  /** @returns the same load, which throws nothing but an Outage */
  watch<A extends unknown[], R>(load: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      try {
        const loaded = await load(...args);
        this.#problem = undefined;
        return loaded;
      } catch (error) {
        const outage =
          error instanceof Outage
            ? error
            : new CountersUnavailable('what was spent cannot be read', { cause: error });
        if (this.#problem !== outage.message) this.log.error('limits cannot be loaded', error);
        this.#problem = outage.message;
        throw outage;
      }
    };
  }
}

const allLimits = ({ limits, subjectLimits = [] }: Plan): readonly Limit[] => [...limits, ...subjectLimits];

/** How much of the journal's end is read: two windows, since a bucket may be empty before. */
const spanOf = (window: Sliding): number => 2 * SLIDING_MS[window];

/** How many calls of an account or key a window may have to hold. */
function mostCalls(profile: Profile): number {
  const aggregationOf = aggregationsOf(profile);
  const limits = profile.plans.flatMap(allLimits);
  return Math.max(
    MAX_KEY_RATE,
    ...limits.flatMap(({ meter, window, amount }) =>
      isFixed(window) || aggregationOf(meter) !== 'count' ? [] : amount,
    ),
  );
}

/** Once all windows have passed, of the tail only what the ledger may not have matters. */
function withoutCalls(tail: JournalTail, since: number): JournalTail {
  const subjects = [...tail.subjects].map(
    ([id, { changes }]) => [id, { recent: [], changes, since }] as const,
  );
  return {
    since,
    most: tail.most,
    upTo: tail.upTo,
    subjects: new Map(subjects.filter(([, { changes }]) => changes.length > 0)),
  };
}
