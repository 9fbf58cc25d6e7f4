import { randomUUID } from 'node:crypto';
import type { KnownKey } from '../../keys/cache.js';
import type { ExternalSession } from '../../identities/externalSessions.js';
import type { Session } from '../../sessions/events.js';
import type { PlanInForce } from '../../plans/profile.js';
import type { Role } from '../../teams/events.js';
import type { Account } from '../../usage/limits/limiter.js';
import type { AnalysisChanges } from '../../analysis/changes.js';
import type { RequestId } from '../../usage/requestId.js';
import type { UsageChanges } from '../../usage/analytics/usageChanges.js';
import { ApiError } from './errors.js';
import type { ErrorCode } from './errors.js';
import type { Loaders } from './loaders.js';
import type { Standing } from './standing.js';
import type { SubscriptionEvents } from './subscriptions.js';

/** Who calls. */
export type Caller =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'key';
      readonly accountId: string;
      readonly key: KnownKey;
      /** Whether it acts for an operator: live, with the scope admin, of an operator's own account. */
      readonly operator: boolean;
    }
  | {
      readonly kind: 'session';
      /** The one to work in: the user's own, or another that the user is a member of. */
      readonly accountId: string;
      readonly session: Session | ExternalSession;
      /** In that account. */
      readonly role: Role;
      readonly operator: boolean;
    }
  /** A credential was sent and is not good: whatever is asked for is refused. */
  | { readonly kind: 'refused'; readonly code: ErrorCode };

/** Somebody without a credential whom the profile lets read: nobody for all that is not a governed query. */
export interface DemoCaller {
  readonly kind: 'demo';
  readonly key: KnownKey;
}

/** A transport that can deliver more than one answer. */
export interface Subscriber {
  /** A context for the next event: the time is another, and the key may have been revoked. */
  context(): Promise<RequestContext>;
  /** Takes the events of a subscription. */
  deliver(events: SubscriptionEvents): void;
}

/** What a resolver knows of the request. */
export interface RequestContext {
  readonly caller: Caller | DemoCaller;
  /** The caller's address; undefined where it is not known. */
  readonly address: string | undefined;
  readonly correlationId: string;
  /** When the request was admitted, milliseconds since the epoch. */
  readonly now: number;
  /** The same by which is billed: what is used, and in which period, goes by it (decision 36). */
  readonly usageTime: number;
  /** The same on `performance.now()`. */
  readonly started: number;
  /** Names the request in its answer. */
  readonly requestId: RequestId;
  readonly loaders: Loaders;
  /** Ids of the patterns that were read: they go into the use's record. */
  readonly patternsRead: Set<string>;
  /** What subscriptions wait for. */
  readonly usageChanges: UsageChanges;
  readonly analysisChanges: AnalysisChanges;
  /** Undefined where there can be one answer only. */
  readonly subscriber: Subscriber | undefined;
}

/** Begins when the request is admitted; what few calls need is made for those that ask. */
export class Context implements RequestContext {
  readonly started = performance.now();
  readonly patternsRead = new Set<string>();
  // No #fields: Apollo copies a context by its own properties.
  private minted: string | undefined;
  private made: Loaders | undefined;

  constructor(
    readonly caller: Caller | DemoCaller,
    readonly address: string | undefined,
    readonly now: number,
    readonly usageTime: number,
    readonly requestId: RequestId,
    readonly usageChanges: UsageChanges,
    readonly analysisChanges: AnalysisChanges,
    readonly subscriber: Subscriber | undefined,
    private readonly makeLoaders: () => Loaders,
  ) {}

  get correlationId(): string {
    return (this.minted ??= randomUUID());
  }

  get loaders(): Loaders {
    return (this.made ??= this.makeLoaders());
  }
}

/** The account on whose behalf a resolver works. @throws ApiError KEY_MISSING */
export function accountOf({ caller }: Pick<RequestContext, 'caller'>): string {
  if (caller.kind === 'key' || caller.kind === 'session') return caller.accountId;
  if (caller.kind === 'demo') return caller.key.accountId;
  throw new ApiError('KEY_MISSING');
}

/** What the caller may do in the account that he works in; undefined for who has none. */
export function standingOf({ caller }: Pick<RequestContext, 'caller'>): Standing | undefined {
  if (caller.kind === 'key' || caller.kind === 'demo') return { kind: 'key', scopes: caller.key.scopes };
  return caller.kind === 'session' ? { kind: 'member', role: caller.role } : undefined;
}

/**
 * What the caller may do in an account, whichever; undefined where there is none with this id, or none that
 * he has anything to do with. @throws Outage while nobody can tell
 */
export type StandingIn = (
  context: Pick<RequestContext, 'caller'>,
  accountId: string,
) => Promise<Standing | undefined>;

/** The signed-in user. @throws ApiError SESSION_MISSING for a key */
export function sessionOf({ caller }: RequestContext): Session | ExternalSession {
  if (caller.kind === 'session') return caller.session;
  throw new ApiError('SESSION_MISSING');
}

/** A session that we have begun. @throws ApiError SESSION_MISSING for a key, OWN_SESSION_REQUIRED for others */
export function ownSessionOf(context: RequestContext): Session {
  const session = sessionOf(context);
  if ('identity' in session) throw new ApiError('OWN_SESSION_REQUIRED');
  return session;
}

/** Who acts, as facts name it: `user:<id>` or `key:<id>`. @throws ApiError SESSION_MISSING */
export function actorOf({ caller }: RequestContext): string {
  if (caller.kind === 'key') return `key:${caller.key.id}`;
  if (caller.kind === 'session') return `user:${caller.session.userId}`;
  throw new ApiError('SESSION_MISSING');
}

/** Test calls are counted apart from live ones; a session looks at the live ones. */
export function environmentOf({ caller }: Pick<RequestContext, 'caller'>): 'live' | 'test' {
  return caller.kind === 'key' || caller.kind === 'demo' ? caller.key.environment : 'live';
}

/** Whose limits hold for the request. @throws ApiError KEY_MISSING */
export function limitedOf(context: Pick<RequestContext, 'caller' | 'usageTime'>): Omit<Account, 'limits'> {
  const { caller, usageTime: now } = context;
  const key = caller.kind === 'key' ? caller.key : undefined;
  return { accountId: accountOf(context), environment: environmentOf(context), now, key };
}

/** An account as it is reached: by a key of it, by a member, or by an operator. */
interface Reached {
  readonly id: string;
  readonly standing: Standing | undefined;
}

/** Test calls are counted apart from live ones; only a test key looks at the test ones. */
export const environmentIn = ({ standing }: Reached, context: Pick<RequestContext, 'caller'>) =>
  standing?.kind === 'key' ? environmentOf(context) : 'live';

/** Whose limits hold in an account: those of the key that asks, too. */
export function limitedIn(
  account: Reached,
  context: Pick<RequestContext, 'caller' | 'usageTime'>,
): Omit<Account, 'limits'> {
  const { caller, usageTime: now } = context;
  const key = account.standing?.kind === 'key' && caller.kind === 'key' ? caller.key : undefined;
  return { accountId: account.id, environment: environmentIn(account, context), now, key };
}

export type PlanOf = (accountId: string) => PlanInForce;
