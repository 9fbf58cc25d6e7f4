import type { BilledAccountRow } from '../../projections/overage/queries.js';
import type { CreditRow } from '../../projections/credits/queries.js';
import type { BillingEvent } from '../billing/events.js';
import { anchorFrom } from '../billing/events.js';
import type { CreditEvent } from '../credits/events.js';
import { creditStream } from '../credits/events.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { SubscriptionEvent } from './events.js';
import type { OverageEvent } from '../overage/events.js';
import { overageStream } from '../overage/events.js';
import { subscriptionStream } from './events.js';
import type { Overage } from './prices.js';
import type { EndedTerms, Limit, PlanInForce, Profile } from './profile.js';
import { billingTermsOf, MAX_AMOUNT } from './profile.js';
import { unitsFor } from './rate.js';

/** What it follows; everything else is left aside. */
type Followed =
  | Extract<
      BillingEvent,
      {
        type:
          | 'TrialStarted'
          | 'SubscriptionStarted'
          | 'TrialConverted'
          | 'PlanChanged'
          | 'SubscriptionPaused'
          | 'SubscriptionResumed'
          | 'PaidSubscriptionEnded';
      }
    >
  | SubscriptionEvent
  | Extract<OverageEvent, { type: 'OverageAllowed' | 'OverageStopped' }>
  | Extract<CreditEvent, { data: { readonly debt: number } }>;

interface Terms {
  readonly anchor: number | null;
  /** In which it is paid: use above its limits as well. */
  readonly currency: string | null;
  readonly trial: boolean;
  readonly terms: number | null;
  readonly ended?: EndedTerms | undefined;
  readonly revision: number;
}

interface Settings {
  readonly allowed: boolean;
  readonly cap: { readonly amount: number; readonly currency: string } | undefined;
  readonly revision: number;
}

interface Credits {
  readonly available: number;
  /** Units that were paid in the billing period that ends at `until`, by meter. */
  readonly drawn: Readonly<Record<string, number>>;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly revision: number;
}

const NO_TERMS: Terms = { anchor: null, currency: null, trial: false, terms: null, revision: -1 };
const NO_SETTINGS: Settings = { allowed: false, cap: undefined, revision: -1 };
const NO_CREDITS: Credits = { available: 0, drawn: {}, until: -Infinity, revision: -1 };

/** What a plan comes to for an account, until something of it changes. */
interface Derived {
  readonly from: PlanInForce;
  readonly plan: PlanInForce;
  readonly until: number;
}

/**
 * What accounts are billed by: from when their months count, at which prices, and how much they may use above
 * what their plan includes, because they pay for it or have paid before. In memory, as plans are.
 */
export class BilledPlans {
  readonly #terms = new Map<string, Terms>();
  readonly #settings = new Map<string, Settings>();
  readonly #credits = new Map<string, Credits>();
  readonly #derived = new Map<string, Derived>();

  constructor(private readonly clock: () => number) {}

  load(billed: readonly BilledAccountRow[], credits: readonly CreditRow[]): void {
    for (const row of billed) {
      const { anchor, currency, trial, terms, revision, ended_at: endedAt } = row;
      const runs = endedAt === null;
      this.#terms.set(
        row.account_id,
        runs
          ? { anchor, currency, trial, terms, revision }
          : {
              ...NO_TERMS,
              ended: endedTerms({ anchor, trial, terms }, new Date(endedAt).getTime()),
              revision,
            },
      );
      const cap =
        row.cap_amount !== null && row.cap_currency !== null && row.cap_rule === 'refuse'
          ? { amount: row.cap_amount, currency: row.cap_currency }
          : undefined;
      this.#settings.set(row.account_id, { allowed: row.allowed, cap, revision: row.settings_revision });
    }
    for (const { account_id: id, debt, available, drawn, drawn_until: until, revision } of credits) {
      this.#credits.set(id, {
        available: debt > 0 ? 0 : available,
        drawn,
        until: until === null ? -Infinity : new Date(until).getTime(),
        revision,
      });
    }
  }

  apply(stored: StoredEvent): void {
    const { streamId: id, revision } = stored;
    const event = as<Followed>(stored);
    switch (event.type) {
      case 'TrialStarted':
      case 'SubscriptionStarted':
      case 'SubscriptionResumed':
      case 'TrialConverted': {
        const anchor = anchorFrom(event.data);
        const { currency } = event.data;
        const trial = event.type === 'TrialStarted';
        return this.#follow(id, { anchor, currency, trial, terms: trial ? null : revision, revision });
      }
      case 'PlanChanged':
        return this.#follow(id, { ...this.#termsOf(id), terms: revision, revision });
      case 'PlanGranted':
      case 'SubscriptionEnded': {
        // What is included is another from here on.
        const before = this.#termsOf(id);
        return before.terms === null ? undefined : this.#follow(id, { ...before, terms: revision, revision });
      }
      case 'SubscriptionPaused':
      case 'PaidSubscriptionEnded': {
        const before = this.#termsOf(id);
        const at = Date.parse(event.type === 'SubscriptionPaused' ? event.data.at : event.data.endedAt);
        // One that ends while it is paused was paid for until the pause.
        return this.#follow(id, { ...NO_TERMS, ended: before.ended ?? endedTerms(before, at), revision });
      }
      case 'OverageAllowed': {
        const { cap } = event.data;
        return this.#set(id, {
          allowed: true,
          cap: cap?.whenReached === 'refuse' ? cap : undefined,
          revision,
        });
      }
      case 'OverageStopped':
        return this.#set(id, { ...this.#settingsOf(id), allowed: false, revision });
      case 'CreditsGranted':
      case 'CreditsDrawn':
      case 'CreditDrawReversed':
      case 'CreditsSpent':
      case 'CreditsReturned':
      case 'CreditsExpired':
      case 'CreditsVoided':
      case 'CreditsWithdrawn':
      case 'CreditsReinstated':
      case 'CreditsRefunded':
      case 'CreditRefundReversed':
        return this.#credit(id, event, revision);
      default:
    }
  }

  /** A stream is read anew, from its first event. */
  restart(stream: string): void {
    for (const [prefix, known] of [
      [subscriptionStream(''), this.#terms],
      [overageStream(''), this.#settings],
      [creditStream(''), this.#credits],
    ] as const) {
      if (!stream.startsWith(prefix)) continue;
      const accountId = stream.slice(prefix.length);
      known.delete(accountId);
      this.#derived.delete(accountId);
    }
  }

  /** A plan as it holds for an account. */
  of(accountId: string, from: PlanInForce, profile: Profile): PlanInForce {
    const terms = this.#terms.get(accountId);
    if (!terms && !this.#credits.has(accountId)) return from;
    const known = this.#derived.get(accountId);
    if (known?.from === from && this.clock() < known.until) return known.plan;
    const derived = this.#derive(accountId, from, profile);
    this.#derived.set(accountId, derived);
    return derived.plan;
  }

  #derive(accountId: string, from: PlanInForce, profile: Profile): Derived {
    const { anchor, currency, trial, terms, ended } = this.#termsOf(accountId);
    const { allowed, cap } = this.#settingsOf(accountId);
    const { available, drawn, until } = this.#credits.get(accountId) ?? NO_CREDITS;
    const running = this.clock() < until;
    const anchors =
      anchor === null
        ? undefined
        : {
            billing: anchor,
            ...(billingTermsOf(profile).months === 'anniversary' && { month: anchor }),
            ...(!trial && terms !== null && { terms }),
          };
    const { plan } = from;
    // Nothing is billed for in a trial, and nothing where nobody pays.
    const billed =
      anchors?.terms === undefined ? [] : (plan.overage ?? []).filter((one) => one.currency === currency);
    const limits = plan.limits.map((limit): Limit => {
      const priced = billed.find((one) => one.limit === limit.id);
      if (!priced) return limit;
      const rate = profile.credits?.meters[limit.meter];
      const prepaid =
        rate === undefined ? 0 : Math.floor(available / rate) + (running ? (drawn[limit.meter] ?? 0) : 0);
      const paid = allowed ? unitsUpTo(priced, cap) : 0;
      return { ...limit, amount: Math.min(MAX_AMOUNT, limit.amount + prepaid + paid) };
    });
    return {
      from,
      plan: { ...from, anchors, ...(ended && { ended }), plan: { ...plan, limits } },
      until: running ? until : Infinity,
    };
  }

  #termsOf = (id: string): Terms => this.#terms.get(id) ?? NO_TERMS;
  #settingsOf = (id: string): Settings => this.#settings.get(id) ?? NO_SETTINGS;

  #follow(id: string, terms: Terms): void {
    if (this.#termsOf(id).revision >= terms.revision) return;
    this.#terms.set(id, terms);
    this.#derived.delete(id);
  }

  #set(id: string, settings: Settings): void {
    if (this.#settingsOf(id).revision >= settings.revision) return;
    this.#settings.set(id, settings);
    this.#derived.delete(id);
  }

  #credit(
    id: string,
    { type, data }: Extract<CreditEvent, { data: { readonly debt: number } }>,
    revision: number,
  ): void {
    const before = this.#credits.get(id) ?? NO_CREDITS;
    if (before.revision >= revision) return;
    const available = data.debt > 0 ? 0 : data.remainders.reduce((sum, { remaining }) => sum + remaining, 0);
    let { drawn, until } = before;
    if (type === 'CreditsDrawn') {
      const ends = Date.parse(data.until);
      if (ends > until) drawn = {};
      if (ends >= until) drawn = { ...drawn, [data.meter]: (drawn[data.meter] ?? 0) + data.units };
      until = Math.max(until, ends);
    }
    if (type === 'CreditDrawReversed' && Date.parse(data.until) === until) {
      drawn = { ...drawn, [data.meter]: (drawn[data.meter] ?? 0) - data.units };
    }
    this.#credits.set(id, { available, drawn, until, revision });
    this.#derived.delete(id);
  }
}

/** Trials are free: nothing is billed of them. */
const endedTerms = (
  { anchor, trial, terms }: Pick<Terms, 'anchor' | 'trial' | 'terms'>,
  at: number,
): EndedTerms | undefined =>
  anchor === null || terms === null || trial ? undefined : { billing: anchor, terms, at };

/** How much may be used above what is included, until it costs more than the cap. */
function unitsUpTo(priced: Overage, cap: Settings['cap']): number {
  if (!cap) return MAX_AMOUNT;
  return cap.currency === priced.currency ? unitsFor(priced, cap.amount, MAX_AMOUNT) : 0;
}
