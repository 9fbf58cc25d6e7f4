import type { Queries } from '../projections/index.js';
import type { DeletedAccounts } from './accounts/deletedAccounts.js';
import type { EndedSessions } from './sessions/endedSessions.js';
import type { Identities } from './identities/identities.js';
import type { RefreshTokens } from './sessions/refreshTokens.js';
import type { StartSession } from './sessions/startSession.js';
import type { Attempts } from './accounts/attempts.js';
import type { PasswordCheck } from './accounts/passwordCheck.js';
import type { Admission, RegisterUser } from './accounts/register.js';
import type { Sessions } from './sessions/sessions.js';
import type { AnalysisDesk } from './analysis/desk.js';
import type { Desk } from './billing/resolvers.js';
import type { CreditDesk } from './credits/desk.js';
import type { Search } from './catalogue/search.js';
import type { Blobs } from './blobs/blobs.js';
import type { Clock } from './clock.js';
import type { AuditedTypes } from './eventsourcing/audited.js';
import type { CommandHandler } from './eventsourcing/commandHandler.js';
import type { Position, StoredEvent } from './eventsourcing/event.js';
import type { Policy } from './eventsourcing/policy.js';
import type { PublicEvents } from './eventsourcing/publicEvents.js';
import type { PositionTokens } from './eventsourcing/positionToken.js';
import type { ReadModels } from './following/readModel.js';
import type { CommandSender } from './graphql/kit/command.js';
import type { PlanOf, StandingIn } from './graphql/kit/context.js';
import type { Cursors } from './graphql/kit/cursors.js';
import type { Loaders } from './graphql/kit/loaders.js';
import type { NodeFinders } from './graphql/kit/node.js';
import type { OperatorAction } from './graphql/kit/operatorAction.js';
import type { ReadsLog } from './history/export.js';
import type { KeyCache } from './keys/cache.js';
import type { KeySecrets } from './keys/secrets.js';
import type { KeyDesk } from './keys/verify.js';
import type { Logger } from './logger.js';
import type { Networks } from './ipAddress.js';
import type { Operators } from './operators/operators.js';
import type { Outbox } from './outgoing/outbox.js';
import type { RatedLine } from './overage/events.js';
import type { Statements } from './overage/statements.js';
import type { PlanDirectory } from './plans/directory.js';
import type { Profile } from './plans/profile.js';
import type { Route } from './rest/route.js';
import type { PersonalData } from './secrets/personalData.js';
import type { Secrets } from './secrets/secrets.js';
import type { SignedTokens } from './secrets/signedTokens.js';
import type { Sql } from './sql/sql.js';
import type { Memberships } from './teams/memberships.js';
import type { Guard } from './usage/limits/guard.js';
import type { Journal } from './usage/journal/journal.js';
import type { LimitStates } from './usage/limits/limitStates.js';
import type { RecordUsage } from './usage/reports/reportUsage.js';
import type { UsagePayers } from './usage/reports/payers.js';
import type { Reservations } from './usage/reservations/reservations.js';
import type { Reversals } from './usage/reports/reversals.js';
import type { SubjectIds } from './usage/reports/subjectIds.js';
import type { WebhookSequences } from './webhooks/sequences.js';

/**
 * The front door of a capability: all that the rest of the product has to know of it. A plain value, in
 * `src/<capability>/index.ts`; `src/capabilities.ts` lists them. Everything but `streams` is optional.
 */
export interface Capability {
  /** The categories of its streams: of `key-<id>` it is `key`. */
  readonly streams: readonly string[];
  /** What the audit log keeps of its events. */
  readonly audited?: AuditedTypes;
  /** What webhooks tell of its events, by their types. */
  readonly publicEvents?: PublicEvents;
  /** What follows from events: each policy by itself, behind a checkpoint of its own. */
  policies?(services: PolicyServices): readonly Policy[];
  /** What calls ask in memory: loaded from read models or streams, and kept by events from then on. */
  memory?(services: MemoryServices): Promise<Partial<Memory>>;
  /** Categories of other capabilities' streams that are followed in memory as well. */
  readonly remembers?: readonly string[];
  /** Events that may end a credential or a connection: the account that it was for, by their types. */
  readonly ends?: Readonly<Record<string, (event: StoredEvent) => string>>;
  readonly graphql?: {
    /** The classes of its resolvers: the schema is made of them. */
    readonly resolvers: readonly ResolverClass[];
    /** The instances that answer, one of each class. */
    create(services: Services): Resolving;
    /** Those of its single reads, anew for each request. */
    readonly loaders?: (services: LoaderServices) => Partial<Loaders>;
    /** Mutations after which there is nothing to read back: they do not wait for read models. */
    readonly notAwaited?: readonly string[];
  };
  /** Its routes of HTTP, beside GraphQL. */
  routes?(services: Services): readonly Route[];
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- what type-graphql calls a class
export type ResolverClass = Function;

export interface Resolving {
  readonly resolvers: readonly object[];
  /** Find its objects that implement `Node`. */
  readonly nodes?: NodeFinders;
}

export type LoaderServices = Pick<Services, 'queries' | 'personal'>;

/** What every process opens first. */
export interface Ground {
  /** Large or personal bodies, each with a key of its own. */
  readonly blobs: Blobs;
  readonly commands: CommandHandler;
  readonly personal: PersonalData;
  readonly refreshTokens: RefreshTokens;
  readonly subjectIds: SubjectIds;
  readonly secrets: Secrets;
  readonly profile: Profile;
  /** E-mails that the configuration names as operators', normalised. */
  readonly operatorEmails: readonly string[];
  /** Who may register. */
  readonly admission: Admission;
  readonly clock: Clock;
  /**
   * By which is billed: which plan is in force, which period it is, and when something was used (decision 36).
   * The same clock, but where a stand-in for Stripe has moved its time.
   */
  readonly billingClock: Clock;
  /** What leaves: webhooks. */
  readonly outbox: Outbox;
  readonly webhookSequences: WebhookSequences;
  /** Networks beside the public ones that webhooks may be sent to; undefined for none. */
  readonly webhookNetworks: Networks | undefined;
}

/** The user who holds an e-mail. */
export interface Holder {
  readonly userId: string;
  readonly accountId: string;
}

export interface PolicyServices extends Ground {
  readonly queries: Queries;
  /** The log of all events. */
  readonly store: ReadsLog;
  /** Of all capabilities. */
  readonly publicEvents: PublicEvents;
  /** The user who holds an e-mail, which is normalised, and has verified it. */
  readonly verifiedHolder: (email: string) => Promise<Holder | undefined>;
  /**
   * What a read model says of an id, once it has seen a position.
   * @throws Outage while it has not: the event is tried again
   */
  readonly asOf: <T>(
    model: keyof Queries,
    ask: (id: string) => Promise<T>,
  ) => (id: string, position: Position) => Promise<T>;
}

export interface MemoryServices extends Pick<
  Ground,
  'commands' | 'secrets' | 'profile' | 'clock' | 'billingClock'
> {
  readonly queries: Queries;
}

/** Follows events in memory: each may come twice, and late. */
export interface InMemory {
  apply(event: StoredEvent): void;
  /**
   * An event of the stream says something else from now on: what was known of it is forgotten, and all of its events
   * follow. Left out where the last event of a stream is all that counts.
   */
  restart?(stream: string): void;
}

/**
 * What capabilities keep in memory, and tell each other from it. These are types alone, of which tests and the root
 * have to know without the front doors; what is kept is made there (`memory`).
 */
export interface Memory {
  readonly keys: KeyCache;
  readonly plans: PlanDirectory;
  readonly deletedAccounts: DeletedAccounts;
  readonly endedSessions: EndedSessions;
  readonly identities: Identities;
  readonly memberships: Memberships;
  readonly operators: Operators;
}

/** What other capabilities ask of users, beside their events. */
export interface Users {
  /** The one form of an e-mail; undefined for what is none. */
  readonly normaliseEmail: (text: string) => string | undefined;
  readonly hashOf: (email: string) => string;
  /** All hashes that a user's e-mail goes by, and whether it is verified; undefined where there is no such user. */
  readonly emailOf: (
    userId: string,
  ) => Promise<{ readonly hashes: readonly string[]; readonly verified: boolean } | undefined>;
  /** A user who has verified an e-mail and is there still. */
  readonly verified: (userId: string) => Promise<Holder | undefined>;
}

export interface Services extends Ground {
  readonly queries: Queries;
  /** Of all capabilities. */
  readonly publicEvents: PublicEvents;
  readonly memory: Memory;
  /** The log of all events. */
  readonly store: ReadsLog;
  readonly log: Logger;
  readonly sessions: Sessions;
  readonly startSession: StartSession;
  readonly register: RegisterUser;
  readonly passwordCheck: PasswordCheck;
  /** Wherever a password is asked for. */
  readonly passwordAttempts: Attempts;
  readonly keySecrets: KeySecrets;
  readonly keyDesk: KeyDesk;
  readonly limitStates: LimitStates;
  readonly recordUsage: RecordUsage;
  readonly reservations: Reservations;
  readonly reversals: Reversals;
  readonly payers: UsagePayers;
  readonly journal: Pick<Journal, 'lastPosition'>;
  readonly search: Search;
  /** Where payments are taken; undefined where nobody takes them. */
  readonly billing: Desk | undefined;
  /** Where the profile sells analyses; undefined where it does not. */
  readonly analysis: AnalysisDesk | undefined;
  /** What keeps the process from serving; empty when it is ready. */
  readonly problems: () => readonly string[];
  /** What is paid for use above limits: with credits, or with money. */
  readonly overage: {
    readonly statements: Statements;
    readonly credits: CreditDesk;
    /** What corrections have changed of closed periods, which the next invoice will have. */
    readonly adjustments: (accountId: string) => Promise<readonly RatedLine[]>;
    /** By which is billed, in milliseconds. */
    readonly now: () => number;
  };
  /** The database for queries of read models. */
  readonly sql: Sql;
  readonly models: Pick<ReadModels, 'access' | 'reached'>;
  /** Waits until policies have done what follows from a position, and read models show it. */
  readonly settled: (position: Position, timeoutMs: number) => Promise<boolean>;
  /** Waits until queries of this process show what its commands have stored. */
  readonly shown: () => Promise<void>;
  /** Position of the newest event that this process has stored. */
  readonly stored: () => Position;
  /** Waits, bounded, until the ledger has counted what this process has stored. */
  readonly counted: () => Promise<unknown>;
  readonly planOf: PlanOf;
  readonly standingIn: StandingIn;
  readonly users: Users;
  /** Makes a guard that lets so many attempts pass in a window. */
  readonly guard: (attempts: number, windowMs: number) => Guard;
  readonly operatorAction: OperatorAction;
  readonly cursors: Cursors;
  readonly positions: PositionTokens;
  readonly sender: CommandSender;
  /** Of the links in mails. */
  readonly mailedTokens: SignedTokens;
}
