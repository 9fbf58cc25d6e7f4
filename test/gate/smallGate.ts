import { DeletedAccounts } from '../../src/accounts/deletedAccounts.js';
import { EndedSessions } from '../../src/sessions/endedSessions.js';
import { Sessions } from '../../src/sessions/sessions.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { StreamCatchUp } from '../../src/following/catchUp.js';
import { ALWAYS_FRESH } from '../../src/following/freshness.js';
import { AddressGuard } from '../../src/gate/addressGuard.js';
import { demoKey } from '../../src/gate/demoCaller.js';
import { Gate } from '../../src/gate/gate.js';
import { hashKey, KeyCache } from '../../src/keys/cache.js';
import { EnvironmentKeys } from '../../src/keys/environment.js';
import { mintKey } from '../../src/keys/format.js';
import { silentLogger } from '../../src/logger.js';
import type { Metrics } from '../../src/metrics.js';
import { Operators } from '../../src/operators/operators.js';
import { PlanDirectory } from '../../src/plans/directory.js';
import type { Profile } from '../../src/plans/profile.js';
import { aggregationsOf } from '../../src/plans/profile.js';
import { Memberships } from '../../src/teams/memberships.js';
import { AddressHashes } from '../../src/usage/addresses.js';
import { Amounts } from '../../src/usage/limits/amounts.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import { Governor } from '../../src/usage/governor.js';
import { Guard } from '../../src/usage/limits/guard.js';
import { Journal } from '../../src/usage/journal/journal.js';
import { LimitStates } from '../../src/usage/limits/limitStates.js';
import { LocalLimiter } from '../../src/usage/limits/localLimiter.js';
import { RefusalLog } from '../../src/usage/refusalLog.js';
import { completeUse } from '../../src/usage/journal/useJson.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { shop } from '../plans/shop.js';

export const NOON = Date.UTC(2026, 10, 22, 12);
const PEPPER = Buffer.alloc(32, 1);
/** Of a key with the scope `read`, of an account on the plan `free`. */
export const SECRET = mintKey('sh_live_');

/**
 * The gate of the product over a store in memory.
 * @param beforeAppend stands before each append of the journal
 */
export function smallGate(metrics: Metrics, beforeAppend: () => Promise<void>, profile: Profile = shop()) {
  const recorded: Use[] = [];
  const store: Pick<EventStore, 'append' | 'readLast'> = {
    readLast: async () => undefined,
    append: async (_stream, expected, events) => {
      await beforeAppend();
      for (const { data } of events) {
        recorded.push(
          ...(JSON.parse(data) as UsageEvent['data']).groups.flatMap(({ uses }) => uses.map(completeUse)),
        );
      }
      return { position: recorded.length, revision: expected + events.length };
    },
  };
  const clock = () => NOON;
  const journal = new Journal({
    store: store as EventStore,
    node: 'n',
    clock,
    log: silentLogger,
    flushMs: 0,
  });
  const limiter = new LocalLimiter({
    aggregationOf: aggregationsOf(profile),
    load: async () => ({ periods: new Amounts(), recent: [], since: 0, asOf: NOON, most: 0, upTo: 0 }),
  });
  const refusals = new RefusalLog((account, use) => journal.note(account, use));
  const addresses = new AddressHashes(Buffer.alloc(32));
  const plans = new PlanDirectory();
  const published = JSON.stringify({ hash: 'h1', version: 1, profile });
  const { id, metadata } = newEvent();
  plans.apply(new StoredEvent(1, 'profile-shop', 0, id, 'ProfilePublished', published, metadata));
  const keys = new KeyCache(PEPPER, ['sh_live_']);
  keys.load([
    {
      id: 'k1',
      account_id: 'a1',
      environment: 'live',
      scopes: ['read'],
      hash: hashKey(PEPPER, SECRET),
      limits: [],
      rotations: [],
      revoked_at: null,
      expires_at: null,
    },
  ]);
  // Nobody signs in here.
  const nobody = () => Promise.reject(new Error('there are no sessions'));
  const limitStates = new LimitStates(limiter, (account) => plans.planOf(account));
  const gate = new Gate({
    access: {
      keys,
      environmentKeys: new EnvironmentKeys(Buffer.alloc(32), []),
      deletedAccounts: new DeletedAccounts(),
      endedSessions: new EndedSessions(),
      memberships: new Memberships(),
      plans,
      sessions: new Sessions({ signing: nobody, verifying: nobody }),
      recency: ALWAYS_FRESH,
      catchUp: new StreamCatchUp({ load: nobody, apply: () => undefined, clock }),
      operators: new Operators(),
    },
    demo: (address, now) => demoKey(addresses, address, now),
    clock,
    billingClock: clock,
    governor: new Governor(journal, limiter, refusals, addresses),
    limitStates,
    guard: new Guard(),
    addressGuard: new AddressGuard(10),
    plans,
    metrics,
  });
  return { gate, journal, keys, limitStates, recorded };
}
