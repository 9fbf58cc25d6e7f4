import type { Clock } from '../clock.js';
import { placeOf } from '../ipAddress.js';
import { Outage } from '../outage.js';
import type { PlanDirectory } from '../plans/directory.js';
import type { Call, Executed, Governed, Governor } from '../usage/governor.js';
import type { Guard } from '../usage/limits/guard.js';
import type { Header } from '../usage/limits/headers.js';
import type { RequestId } from '../usage/requestId.js';
import { extraHeaders, rateLimitHeaders } from '../usage/limits/headers.js';
import type { LimitState, MeterAmounts } from '../usage/limits/limiter.js';
import type { LimitStates } from '../usage/limits/limitStates.js';
import type { AccessRule } from '../graphql/kit/access.js';
import { refusedAccess } from '../graphql/kit/access.js';
import type { Caller, DemoCaller } from '../graphql/kit/context.js';
import { limitedOf } from '../graphql/kit/context.js';
import { shownId } from '../graphql/kit/ids.js';
import type { ErrorCode } from '../graphql/kit/errors.js';
import type { OperationShape } from '../graphql/kit/metering.js';
import type { KnownKey } from '../keys/cache.js';
import type { Metrics } from '../metrics.js';
import type { AddressGuard } from './addressGuard.js';
import type { Access, Authenticate, Credentials } from './authenticate.js';
import { authenticate } from './authenticate.js';

/** Who calls, from where, and since when: admitted, before it is known what for. */
export interface Visitor {
  readonly caller: Caller | DemoCaller;
  /** Undefined where it is not known. */
  readonly address: string | undefined;
  /** When the call was admitted, milliseconds since the epoch. */
  readonly now: number;
  /** The same by which is billed: limits, periods and records go by it (decision 36). */
  readonly usageTime: number;
  /** The same on `performance.now()`. */
  readonly started: number;
  /** Undefined for what no answer names, such as a later event of a stream. */
  readonly requestId: RequestId | undefined;
}

/** What of a visitor a call is let through and counted by. */
type Counted = Pick<Visitor, 'caller' | 'address' | 'usageTime' | 'requestId'>;

/** What is called, whichever way it came. */
export interface GateCall {
  readonly access: readonly AccessRule[];
  readonly metering: OperationShape['metering'];
  /** What callers without an account may ask for, each time it is: limited by address. */
  readonly anonymousCalls?: readonly string[];
  /** How often a minute each; by default as the guard has it. */
  readonly anonymousPerMinute?: number;
  /** Whether demo callers may make it; to all else they are nobody. */
  readonly demo: boolean;
  /** An event of a subscription: it was guarded when it began. */
  readonly continued?: boolean;
  readonly operation: string | null;
  readonly rootFields: readonly string[];
  readonly endpoint: string;
  readonly method: string;
  /** A label of whoever reports the call. */
  readonly source?: string | null;
  /** What it comes to of other meters of the profile, as records have it. */
  readonly quantities?: MeterAmounts;
  readonly writes: boolean;
  /** Cost points that it can come to at most, and what says so; null where nobody does. */
  readonly cost: { readonly estimate: number; readonly version: string } | null;
}

/** What came of a call. */
export type Outcome<R> = Admitted<R> | Refused;

export interface Admitted<R> extends Pick<Executed<R>, 'result' | 'status'> {
  readonly kind: 'answered';
  readonly actualCost: number | null;
  /** What was taken, where the call was governed. */
  readonly use: Pick<Extract<Governed<R>, { kind: 'answered' }>, 'cost' | 'states' | 'useId'> | undefined;
}

export interface Refused {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  /** Undefined where waiting does not help. */
  readonly retryAfterMs?: number | undefined;
  /** The limit that is used up, and all that hold, where one is. */
  readonly limit?: LimitState;
  readonly states?: readonly LimitState[];
}

export interface GateOptions {
  /** What credentials are held against. */
  readonly access: Access;
  /** Stands for whoever calls without a credential; undefined where nobody may. */
  readonly demo: (address: string | undefined, usageTime: number) => KnownKey | undefined;
  readonly clock: Clock;
  /** By which calls are counted: a stand-in for Stripe may be ahead (decision 36). */
  readonly billingClock: Clock;
  readonly governor: Governor;
  readonly limitStates: LimitStates;
  readonly guard: Guard;
  readonly addressGuard: AddressGuard;
  readonly plans: PlanDirectory;
  readonly metrics: Metrics;
}

const NOBODY = { kind: 'anonymous' } as const;

/**
 * What every call passes, whichever way it comes: who calls, whether they may, what it takes of a plan or
 * which guard it stands before, and what its answer says of that.
 */
export class Gate {
  constructor(private readonly options: GateOptions) {}

  /** Finds out who calls, as far as credentials say. */
  readonly authenticate: Authenticate = (credentials) =>
    authenticate(credentials, this.options.access, this.options.clock());

  /** Finds out who calls: demo callers, too. */
  admit(
    credentials: Credentials,
    address: string | undefined,
    requestId?: RequestId,
  ): Visitor | Promise<Visitor> {
    const { access, demo, clock, billingClock } = this.options;
    const now = clock();
    const usageTime = billingClock === clock ? now : billingClock();
    const started = performance.now();
    const visitor = (caller: Caller): Visitor => {
      const key = caller.kind === 'anonymous' ? demo(address, usageTime) : undefined;
      return { caller: key ? { kind: 'demo', key } : caller, address, now, usageTime, started, requestId };
    };
    const caller = authenticate(credentials, access, now);
    return caller instanceof Promise ? caller.then(visitor) : visitor(caller);
  }

  /** Stands for whoever calls from an address without a key; undefined where nobody may. */
  demoKey(address: string, usageTime: number): KnownKey | undefined {
    return this.options.demo(address, usageTime);
  }

  /** Why the caller may not make the call, before anything of it is looked at. */
  unfit(
    { caller }: Pick<Visitor, 'caller'>,
    { access, demo }: Pick<GateCall, 'access' | 'demo'>,
  ): ErrorCode | undefined {
    return refusedAccess(caller.kind === 'demo' && !demo ? NOBODY : caller, access);
  }

  /**
   * Lets a call pass, or refuses it: what is governed takes from the plan, all else stands before a guard.
   * @throws Outage: nothing was billed, and whatever `execute` throws
   */
  async run<R>(
    visitor: Counted,
    call: GateCall,
    execute: () => Promise<Executed<R>> | Executed<R>,
  ): Promise<Outcome<R>> {
    const unfit = this.unfit(visitor, call);
    if (unfit) return { kind: 'refused', code: unfit };
    if (call.metering === 'governed') return this.#govern(visitor, call, execute);
    const retryAfterMs = call.continued ? 0 : this.#waitOf(visitor, call);
    if (retryAfterMs > 0) return { kind: 'refused', code: 'RATE_LIMITED', retryAfterMs };
    const { result, status, actualCost } = await execute();
    return { kind: 'answered', result, status, actualCost, use: undefined };
  }

  /**
   * What every answer carries: where the caller's limits stand, until when the plan is kept where a payment has
   * failed, and the headers of the profile.
   * @param states where the limits stand after the call, where it says so itself
   * @param call what was called; a back end of the service is told of no limits, since it is held to none
   */
  headers(
    visitor: Counted & Pick<Visitor, 'started'>,
    states: readonly LimitState[] | undefined,
    { demo = false, metering }: Partial<Pick<GateCall, 'demo' | 'metering'>> = {},
  ): readonly Header[] | Promise<readonly Header[]> {
    const { plans, limitStates } = this.options;
    const rules = plans.profile.headers;
    const { caller, started } = visitor;
    const accountId = 'accountId' in caller ? caller.accountId : undefined;
    const graceEndsAt = accountId === undefined ? undefined : plans.graceEndsAt(accountId);
    const overdue: Header[] = graceEndsAt === undefined ? [] : [['x-payment-overdue', graceEndsAt]];
    const all = (known: readonly LimitState[] | undefined): readonly Header[] => {
      const facts = {
        accountId: accountId === undefined ? undefined : shownId('Account', accountId),
        plan: accountId === undefined ? undefined : plans.planOf(accountId).plan.id,
        states: known,
        elapsedMs: performance.now() - started,
        demo: demo && caller.kind === 'demo',
      };
      return [...rateLimitHeaders(known ?? [], rules), ...overdue, ...extraHeaders(rules, facts)];
    };
    if (states !== undefined || accountId === undefined) return all(states ?? []);
    if (isBackEnd(caller, metering)) return all(undefined);
    return limitStates.of(limitedOf(visitor)).then(all, (error: unknown) => {
      // The answer is as good without them.
      if (error instanceof Outage) return all(undefined);
      throw error;
    });
  }

  async #govern<R>(
    { caller, usageTime, address, requestId }: Counted,
    { operation, rootFields, endpoint, method, source, quantities, writes, cost }: GateCall,
    execute: () => Promise<Executed<R>> | Executed<R>,
  ): Promise<Outcome<R>> {
    const { governor, plans, metrics } = this.options;
    const key = keyOf(caller);
    let actualCost: number | null = null;
    const governed = await governor.run(
      {
        key,
        plan: plans.planOf(key.accountId),
        now: usageTime,
        operation,
        rootFields,
        endpoint,
        method,
        address,
        requestId,
        writes,
        cost,
        ...(source !== undefined && { source }),
        quantities,
      },
      async () => {
        const executed = await execute();
        actualCost = executed.actualCost;
        return executed;
      },
    );
    if (governed.kind === 'refused') return governed;
    metrics.governed.inc();
    metrics.costPoints.inc(governed.cost?.spent ?? 0);
    const { result, status, ...use } = governed;
    return { kind: 'answered', result, status, actualCost, use };
  }

  /** Milliseconds to wait until the guard of what takes nothing of a plan lets it pass; 0 when it does. */
  #waitOf(
    { caller, address }: Counted,
    { metering, anonymousCalls = [], anonymousPerMinute }: GateCall,
  ): number {
    const { guard, addressGuard } = this.options;
    // Of IPv6 everybody has a network of addresses.
    const place = placeOf(address ?? '') ?? '';
    // Whatever stands beside them: somebody signed in may not register others without end, or guess passwords.
    for (const field of anonymousCalls) {
      const wait = addressGuard.take(place, field, anonymousPerMinute);
      if (wait > 0) return wait;
    }
    if (metering === 'anonymous') return 0;
    if (isBackEnd(caller, metering)) return 0;
    return guard.take('accountId' in caller ? `account ${caller.accountId}` : `address ${place}`).waitMs;
  }
}

/** Back ends of the service ask and report for all customers; a customer's own does it for one. */
const isBackEnd = (caller: Visitor['caller'], metering: GateCall['metering'] | undefined): boolean =>
  metering === 'service' && 'operator' in caller && caller.operator;

/** On whose account a governed call is: what a user reads is a use without a key. */
function keyOf(caller: Visitor['caller']): Call['key'] {
  if (caller.kind === 'key' || caller.kind === 'demo') return caller.key;
  if (caller.kind === 'session')
    return { id: '', accountId: caller.accountId, environment: 'live', limits: [] };
  throw new Error('a governed call of nobody');
}
