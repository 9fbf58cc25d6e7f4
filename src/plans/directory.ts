import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { BillingEvent, PaidPlanEvent } from '../billing/events.js';
import { PAID_PLAN_EVENTS as PAID_PLAN, paidPlanAfter } from '../billing/events.js';
import type { QuotaEvent } from '../usage/events.js';
import { BilledPlans } from './billedPlans.js';
import type { ProfileEvent, SubscriptionEvent } from './events.js';
import { subscriptionStream } from './events.js';
import type { PlanInForce, Profile } from './profile.js';
import { DEMO_ACCOUNT } from './profile.js';

/** Where an account has its plan from: what an operator grants goes before what is paid for. */
export type PlanSource = 'granted' | 'paid';

interface AccountPlan {
  /** Null once it has ended. */
  readonly plan: string | null;
  /** When it ends by itself, milliseconds since the epoch; null, or left out, for one that does not. */
  readonly until?: number | null;
  /** Of the event that says so. */
  readonly revision: number;
}

/** A quota that was reset. */
interface Reset {
  readonly accountId: string;
  readonly window: string;
  readonly period: string;
  readonly generation: number;
}

/** The resets of an account, and its plan with them, as it was asked for last. */
interface Resets {
  readonly byWindow: Readonly<Record<string, Pick<Reset, 'period' | 'generation'>>>;
  plan?: PlanInForce;
  inForce?: PlanInForce;
}

const SUBSCRIPTION = subscriptionStream('');
const PAID_PLAN_EVENTS: ReadonlySet<string> = new Set(PAID_PLAN);
const GRACE_IS_OVER: ReadonlySet<string> = new Set<BillingEvent['type']>([
  'PaymentRecovered',
  'AccessSuspended',
  'SubscriptionPaused',
  'PaidSubscriptionEnded',
]);

/** The published profile and each account's plan, in memory: a projection like the key cache. */
export class PlanDirectory {
  #published: ProfileEvent['data'] | undefined;
  #byId = new Map<string, PlanInForce>();
  readonly #plans = { granted: new Map<string, AccountPlan>(), paid: new Map<string, AccountPlan>() };
  /** Of accounts whose payment has failed: until when they keep their plan; null once that is over. */
  readonly #graces = new Map<string, string | null>();

  /** By what accounts are billed. */
  readonly billed: BilledPlans;

  /** @param clock by which is billed: plans that end by themselves do at their time, whenever the event comes that says so */
  constructor(private readonly clock: Clock = systemClock) {
    this.billed = new BilledPlans(clock);
  }

  readonly #resets = new Map<string, Resets>();

  apply(stored: StoredEvent): void {
    this.billed.apply(stored);
    if (stored.type === 'PaymentOverdue') {
      const { graceEndsAt } = as<Extract<BillingEvent, { type: 'PaymentOverdue' }>>(stored).data;
      this.#graces.set(stored.streamId, graceEndsAt);
    } else if (GRACE_IS_OVER.has(stored.type)) this.#graces.set(stored.streamId, null);
    if (stored.type === 'ProfilePublished') {
      const { data } = as<ProfileEvent>(stored);
      if (data.version >= (this.#published?.version ?? 0)) this.#publish(data);
    } else if (stored.type === 'PlanGranted') {
      const { plan, until: end } = as<Extract<SubscriptionEvent, { type: 'PlanGranted' }>>(stored).data;
      const until = end === undefined ? null : Date.parse(end);
      this.load([{ accountId: stored.streamId, source: 'granted', plan, until, revision: stored.revision }]);
    } else if (stored.type === 'SubscriptionEnded') {
      this.load([{ accountId: stored.streamId, source: 'granted', plan: null, revision: stored.revision }]);
    } else if (stored.type === 'QuotaReset') {
      this.loadResets([{ accountId: stored.streamId, ...as<QuotaEvent>(stored).data }]);
    } else if (PAID_PLAN_EVENTS.has(stored.type)) {
      const plan = paidPlanAfter(as<PaidPlanEvent>(stored));
      this.load([{ accountId: stored.streamId, source: 'paid', plan, revision: stored.revision }]);
    }
  }

  /** A stream is read anew: what was known of it may have been otherwise. */
  restart(stream: string): void {
    this.billed.restart(stream);
    if (!stream.startsWith(SUBSCRIPTION)) return;
    const accountId = stream.slice(SUBSCRIPTION.length);
    this.#plans.granted.delete(accountId);
    this.#plans.paid.delete(accountId);
    this.#graces.delete(accountId);
    this.#resets.delete(accountId);
  }

  load(accounts: Iterable<AccountPlan & { readonly accountId: string; readonly source: PlanSource }>): void {
    for (const { accountId, source, plan, until = null, revision } of accounts) {
      const plans = this.#plans[source];
      // The same again may be what it was corrected to.
      if ((plans.get(accountId)?.revision ?? -1) <= revision) plans.set(accountId, { plan, until, revision });
    }
  }

  /** What was so before the events that are applied. */
  loadGraces(accounts: Iterable<{ readonly accountId: string; readonly graceEndsAt: string }>): void {
    for (const { accountId, graceEndsAt } of accounts) {
      if (!this.#graces.has(accountId)) this.#graces.set(accountId, graceEndsAt);
    }
  }

  /** Until when an account keeps its plan although a payment has failed, ISO 8601; undefined where none has. */
  graceEndsAt(accountId: string): string | undefined {
    return this.#graces.get(accountId) ?? undefined;
  }

  /** Of each window the newest reset, in whatever order they come. */
  loadResets(resets: Iterable<Reset>): void {
    for (const { accountId, window, period, generation } of resets) {
      const { byWindow } = this.#resets.get(accountId) ?? { byWindow: {} };
      const known = byWindow[window];
      if (known?.period === period && known.generation >= generation) continue;
      this.#resets.set(accountId, { byWindow: { ...byWindow, [window]: { period, generation } } });
    }
  }

  get profile(): Profile {
    return this.#current.profile;
  }

  get version(): number {
    return this.#current.version;
  }

  planOf(accountId: string): PlanInForce {
    const plan = this.#planOf(accountId);
    const resets = this.#resets.get(accountId);
    if (!resets) return plan;
    if (resets.plan !== plan || !resets.inForce) {
      resets.plan = plan;
      resets.inForce = { ...plan, anchors: { ...plan.anchors, resets: resets.byWindow } };
    }
    return resets.inForce;
  }

  #planOf(accountId: string): PlanInForce {
    const { paid } = this.#plans;
    const ids = accountId.startsWith(DEMO_ACCOUNT)
      ? [this.profile.demo?.plan]
      : [this.#granted(accountId)?.plan, paid.get(accountId)?.plan];
    // A plan that a newer profile no longer has counts for nothing.
    for (const id of [...ids, this.profile.defaultPlan]) {
      const plan = id == null ? undefined : this.#byId.get(id);
      if (plan) return this.billed.of(accountId, plan, this.profile);
    }
    throw new Error('the profile has not its own default plan');
  }

  /** When the plan in force ends by itself, milliseconds since the epoch; undefined for one that does not. */
  endOf(accountId: string): number | undefined {
    return this.#granted(accountId)?.until ?? undefined;
  }

  /** What an operator has granted and is not over. */
  #granted(accountId: string): AccountPlan | undefined {
    const grant = this.#plans.granted.get(accountId);
    return grant?.until != null && grant.until <= this.clock() ? undefined : grant;
  }

  /** A plan by its id; the default one for what a newer profile does not have. */
  named(id: string): PlanInForce {
    return (this.#byId.get(id) ?? this.#byId.get(this.profile.defaultPlan)) as PlanInForce;
  }

  get #current(): ProfileEvent['data'] {
    if (!this.#published) throw new Error('no profile has been published');
    return this.#published;
  }

  #publish(data: ProfileEvent['data']): void {
    this.#published = data;
    this.#byId = new Map(data.profile.plans.map((plan) => [plan.id, { plan, version: data.version }]));
  }
}
