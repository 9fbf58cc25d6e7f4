import type { AccountQueries } from '../../projections/accounts/queries.js';
import type { IdentityQueries } from '../../projections/identities/queries.js';
import type { KeyQueries } from '../../projections/keys/queries.js';
import type { SessionQueries } from '../../projections/sessions/queries.js';
import type { TeamQueries } from '../../projections/teams/queries.js';
import { DeletedAccounts } from '../accounts/deletedAccounts.js';
import { ENDED_KEPT_MS, EndedSessions } from '../accounts/endedSessions.js';
import { Identities } from '../accounts/identities.js';
import { StreamCatchUp } from '../following/catchUp.js';
import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { Follower } from '../following/follower.js';
import type { Recency } from '../following/freshness.js';
import { ALWAYS_FRESH, Freshness } from '../following/freshness.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import { EventReader } from '../following/reader.js';
import type { EnvironmentKeys } from '../keys/environment.js';
import { KeyCache } from '../keys/cache.js';
import type { Logger } from '../logger.js';
import { OPERATORS_STREAM } from '../operators/events.js';
import { Operators } from '../operators/operators.js';
import { PlanDirectory } from '../plans/directory.js';
import { profileStream } from '../plans/events.js';
import { Memberships } from '../teams/memberships.js';
import type { Shutdown } from './shutdown.js';
import type { Stores } from './stores.js';

/**
 * From one page to the next where other processes end keys and sessions, in milliseconds: it is the most
 * of the time that a revoked key still works elsewhere.
 */
const REST_MS = 25;

/** Who may call and what for, in memory. */
export interface Access {
  readonly keys: KeyCache;
  readonly environmentKeys: EnvironmentKeys;
  readonly plans: PlanDirectory;
  readonly deletedAccounts: DeletedAccounts;
  readonly endedSessions: EndedSessions;
  readonly identities: Identities;
  readonly memberships: Memberships;
  readonly operators: Operators;
  readonly follower: Follower;
  /** How old all of this may be (law 8). */
  readonly recency: Recency;
  /** For when it is too old: what single streams say now. */
  readonly catchUp: StreamCatchUp;
  /** Calls back when a key, a session or a membership of an account may have ended. */
  readonly onRevoked: (listener: (accountId: string) => void) => void;
}

/**
 * Loads keys, plans, deleted accounts, ended sessions, memberships and operators from their read models or
 * streams and follows their events from there on.
 * @param from where the read model stands that is furthest behind: nothing is lost, whichever they load from
 */
export async function followAccess(
  stores: Pick<Stores, 'commands' | 'store' | 'shared' | 'secrets' | 'profile' | 'environmentKeys' | 'clock'>,
  reader: EventReader,
  from: Position,
  queries: {
    readonly accounts: Pick<AccountQueries, 'plans' | 'deleted'>;
    readonly identities: Pick<IdentityQueries, 'links'>;
    readonly keys: Pick<KeyQueries, 'known'>;
    readonly sessions: Pick<SessionQueries, 'endedSince' | 'ends'>;
    readonly teams: Pick<TeamQueries, 'memberships'>;
  },
  log: Logger,
  shutdown: Shutdown,
): Promise<Access> {
  const { commands, store, shared, secrets, profile, clock } = stores;
  const keys = new KeyCache(secrets.KEY_PEPPER, [profile.keys.live, profile.keys.test]);
  const plans = new PlanDirectory();
  const deletedAccounts = new DeletedAccounts();
  const endedSessions = new EndedSessions();
  const identities = new Identities();
  const memberships = new Memberships();
  const operators = new Operators();
  keys.load(await queries.keys.known());
  plans.load(await queries.accounts.plans());
  deletedAccounts.load(await queries.accounts.deleted());
  endedSessions.load(await queries.sessions.endedSince(new Date(clock() - ENDED_KEPT_MS)));
  identities.load(await queries.identities.links(), await queries.sessions.ends());
  memberships.load(await queries.teams.memberships());
  for (const event of await commands.load(profileStream(profile.name))) plans.apply(event);
  for (const event of await commands.load(OPERATORS_STREAM)) operators.apply(event);

  const listeners: ((accountId: string) => void)[] = [];
  const remember = (events: readonly StoredEvent[]): void => {
    for (const event of events) {
      keys.apply(event);
      deletedAccounts.apply(event);
      endedSessions.apply(event);
      identities.apply(event);
      memberships.apply(event);
      operators.apply(event);
    }
  };
  const apply = (events: readonly StoredEvent[]): void => {
    remember(events);
    for (const event of events) plans.apply(event);
    const revoked = new Set(events.flatMap((event) => revokedAccount(event) ?? []));
    for (const accountId of revoked) for (const listener of listeners) listener(accountId);
  };
  // Pages of its own where it rests less than others: from its small ones they would fall behind.
  const ownReader = shared ? new EventReader(store) : undefined;
  const follower = new Follower({
    name: 'access',
    reader: ownReader ?? reader,
    from,
    handle: apply,
    onError: (error) => log.error('the key cache is not making progress', error),
    ...(shared && { restMs: REST_MS }),
  });
  follower.start();
  shutdown.add('key cache', () => {
    ownReader?.close();
    return follower.stop();
  });
  // The node that changes something knows it before it answers (law 8).
  commands.onAppended(apply);
  const onRevoked: Access['onRevoked'] = (listener) => void listeners.push(listener);
  const recency = shared ? await proveRecency(store, follower, shutdown) : ALWAYS_FRESH;
  // Listeners wait for the follower: they ask again who calls, which may lead here again.
  const catchUp = new StreamCatchUp({
    load: (stream) => commands.load(stream),
    apply: remember,
    clock: () => performance.now(),
  });
  return {
    keys,
    environmentKeys: stores.environmentKeys,
    plans,
    deletedAccounts,
    endedSessions,
    identities,
    memberships,
    operators,
    follower,
    recency,
    catchUp,
    onRevoked,
  };
}

/** Where several processes append: what another one has ended is not known here at once. */
async function proveRecency(store: EventStore, follower: Follower, shutdown: Shutdown): Promise<Freshness> {
  const freshness = new Freshness({
    head: () => store.head(),
    reached: (position, timeoutMs) => follower.reached(position, timeoutMs),
    clock: () => performance.now(),
  });
  await freshness.prove();
  freshness.start();
  shutdown.add('freshness of the key cache', () => freshness.stop());
  return freshness;
}

/** What may end a credential, on a stream that is named by the account. */
const ENDINGS_OF_STREAM: ReadonlySet<string> = new Set([
  'AccountDeleted',
  'MemberRoleChanged',
  'MemberRemoved',
  'MemberLeft',
  'PlanGranted',
  'SubscriptionEnded',
]);

/** What ends a credential, and names the account that it was for. */
const ENDINGS: ReadonlySet<string> = new Set([
  'KeyRevoked',
  'SessionEnded',
  'SessionsEnded',
  'PasswordChanged',
]);

/** The account of which the event may have ended a credential, or all. */
function revokedAccount(stored: StoredEvent): string | undefined {
  if (ENDINGS_OF_STREAM.has(stored.type)) return stored.streamId;
  if (!ENDINGS.has(stored.type)) return undefined;
  return (stored.data as { readonly accountId: string }).accountId;
}
