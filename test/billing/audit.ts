import type {
  BillingEvent,
  InvoiceEvent,
  IssuedInvoice,
  StripeEventEvent,
} from '../../src/billing/events.js';
import type { CreditEvent } from '../../src/credits/events.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import type { OverageEvent, RatedLine, SpendCap, UsedThen } from '../../src/overage/events.js';
import type { UsageEvent, UseReversal } from '../../src/usage/events.js';

/** What a plan includes, and what a call above it costs in hundredths of a cent: up to the first tier's end, and then. */
export interface NaivePlan {
  readonly included: number;
  readonly first: number;
  readonly end: number;
  readonly then: number;
}

/** What is sold: each plan, and what each price comes to in cents. */
export interface NaiveProfile {
  readonly plans: Readonly<Record<string, NaivePlan>>;
  readonly prices: Readonly<Record<string, number>>;
}

interface Billed {
  readonly eventId: string;
  readonly position: number;
}
type Closed = Extract<OverageEvent, { type: 'PeriodClosed' }>['data'] & Billed;
type Corrected = Extract<OverageEvent, { type: 'OverageCorrected' }>['data'] & Billed;
/** As of when the account's events are looked at. */
interface Look {
  readonly position: number;
  readonly asOf: number;
}

/** A time under one setting of overage: from which unit of a part it is paid for, and to which. */
interface Stretch {
  readonly cap: SpendCap | null;
  readonly first: (part: string) => number;
  readonly end: (part: string) => number;
}

/** The newest periods are looked at again when later ones are closed; others where a correction names them. */
const LOOKED_AT_AGAIN = 3;

/** Checks what an account was billed against the events alone, as somebody with pencil and paper would (law 7). */
export class Audit {
  readonly #byId: ReadonlyMap<string, StoredEvent>;

  constructor(
    private readonly all: readonly StoredEvent[],
    private readonly profile: NaiveProfile,
  ) {
    this.#byId = new Map(all.map((stored) => [stored.id, stored]));
  }

  /** What is wrong with the account's bills, for people to read; nothing where they add up. */
  problemsOf(accountId: string): string[] {
    return [
      ...this.invoicesOf(accountId).flatMap(([id, invoice]) =>
        this.#problemsOfInvoice(accountId, id, invoice),
      ),
      ...this.closedOf(accountId).flatMap((closed) => [
        ...this.#problemsOfClosing(accountId, closed),
        ...this.#problemsOfUses(accountId, closed),
      ]),
      ...this.#problemsOfCredits(accountId),
      ...this.#falseAlarmsOf(accountId),
    ];
  }

  invoicesOf(accountId: string): (readonly [id: string, IssuedInvoice])[] {
    return this.all.flatMap((stored) => {
      const { type, data } = as<InvoiceEvent>(stored);
      return type === 'InvoiceFinalised' && data.accountId === accountId
        ? [[stored.streamId, data] as const]
        : [];
    });
  }

  closedOf(accountId: string): Closed[] {
    return this.#overageOf(accountId).flatMap((stored) => {
      const { type, data } = as<OverageEvent>(stored);
      return type === 'PeriodClosed' ? [{ ...data, eventId: stored.id, position: stored.position }] : [];
    });
  }

  /** What was billed or given back of closed periods once nothing else followed. */
  correctedOf(accountId: string): (Corrected & { readonly owed: number | undefined })[] {
    const all = this.#overageOf(accountId).map((stored) => ({ stored, event: as<OverageEvent>(stored) }));
    return all.flatMap(({ stored, event }) => {
      if (event.type !== 'OverageCorrected') return [];
      const settled = all.flatMap(({ event: { type, data } }) =>
        type === 'CorrectionSettled' && data.correction === event.data.correction ? [data.owed] : [],
      );
      return [{ ...event.data, eventId: stored.id, position: stored.position, owed: settled[0] }];
    });
  }

  /** What credits come to, by every event about them. */
  balanceOf(accountId: string): number {
    let balance = 0;
    for (const { type, data } of this.#creditsOf(accountId)) {
      if (type === 'CreditsGranted') balance += data.amount;
      if (type === 'CreditsDrawn') for (const { credits } of data.draws) balance -= credits;
      if (type === 'CreditDrawReversed') balance += data.units;
      if (type === 'CreditsExpired' || type === 'CreditsVoided') balance -= data.amount;
      if (type === 'CreditsRefunded' || type === 'CreditsWithdrawn') balance -= data.amount;
      if (type === 'CreditsReinstated') balance += data.amount;
    }
    return balance;
  }

  #problemsOfInvoice(accountId: string, id: string, invoice: IssuedInvoice): string[] {
    const { lines, subtotal, discount, tax, taxIncluded = 0, total } = invoice;
    const problems: string[] = [];
    const sum = lines.reduce((before, { amount }) => before + amount, 0);
    if (sum !== subtotal) problems.push(`${id}: the lines come to ${sum}, the subtotal is ${subtotal}`);
    const added = tax - taxIncluded;
    if (subtotal - discount + added !== total)
      problems.push(`${id}: ${subtotal} - ${discount} + ${added} is not ${total}`);
    for (const { kind, description, price, amount } of lines) {
      if (kind !== 'plan' || price === null) continue;
      const costs = this.#pricesOf(accountId)[price];
      // A trial is free.
      if (amount !== costs && amount !== 0)
        problems.push(`${id}: "${description}" is ${amount}, the price is ${String(costs)}`);
    }
    for (const { description, events } of lines) {
      if (events.length === 0) problems.push(`${id}: "${description}" names no event`);
      for (const event of events) {
        const cited = this.#byId.get(event);
        if (!cited) problems.push(`${id}: "${description}" names an event that is not there`);
        else if (!isAbout(cited, accountId, id)) {
          problems.push(`${id}: "${description}" names ${cited.type} of ${cited.stream}`);
        }
      }
    }
    return problems;
  }

  /** What was billed of a period, when it was closed and in later corrections, is what its use comes to. */
  #problemsOfClosing(accountId: string, closed: Closed): string[] {
    const problems: string[] = [];
    const sum = sumOf(closed.lines);
    if (sum !== closed.total)
      problems.push(`${closed.period}: ${closed.total} was closed, lines come to ${sum}`);
    for (const line of closed.lines) {
      if (line.events.length === 0 || line.events.some((id) => !this.#byId.has(id)))
        problems.push(`${closed.period}: "${line.description}" names no event that is there`);
    }
    const bills = [...this.closedOf(accountId), ...this.correctedOf(accountId)];
    const looked = this.#lastLook(accountId, closed);
    const billed = sumOf(
      bills
        .filter(({ position }) => position <= looked.position)
        .flatMap(({ lines }) => lines.filter(({ period }) => period === closed.period)),
    );
    const expected = this.#naive(accountId, closed, looked);
    if (billed !== expected)
      problems.push(`${closed.period}: ${billed} was billed, the use comes to ${expected}`);
    return problems;
  }

  /** What was used once a period was over, such as in a pause, is no part of it. */
  #problemsOfUses(accountId: string, { period, to }: Closed): string[] {
    return this.all.flatMap((stored) => {
      const event = as<UsageEvent>(stored);
      if (event.type !== 'UsesRecorded') return [];
      const uses = event.data.groups.flatMap((group) => (group.account === accountId ? group.uses : []));
      return uses.flatMap(({ at, id, periods }) =>
        at > Date.parse(to) && periods.some((part) => part.startsWith(`${period}:`))
          ? [`${period}: ${id} was used on ${new Date(at).toISOString()}, after its end`]
          : [],
      );
    });
  }

  /** Operators are told of what nothing here explains, and of nothing else. */
  #falseAlarmsOf(accountId: string): string[] {
    return this.all.flatMap((stored) => {
      const { type, data } = as<InvoiceEvent>(stored);
      if (type !== 'InvoiceDiffers' || data.accountId !== accountId) return [];
      return data.differences.flatMap(({ what, ours, theirs }) =>
        what === 'other' ? [] : [`${stored.streamId}: ${what} is said to be ${ours}, and not ${theirs}`],
      );
    });
  }

  /** In cents: what everybody can buy, and what was agreed with the account. */
  #pricesOf(accountId: string): Readonly<Record<string, number>> {
    const agreed = this.all.flatMap((stored) => {
      const { type, data } = as<BillingEvent>(stored);
      return type === 'PriceAgreed' && stored.streamId === accountId
        ? [[data.price, data.amount] as const]
        : [];
    });
    return { ...this.profile.prices, ...Object.fromEntries(agreed) };
  }

  /** When a closed period was looked at last. */
  #lastLook(accountId: string, closed: Closed): Look {
    const end = this.all.at(-1)?.position ?? 0;
    // Where nothing follows, whatever changes is billed by itself.
    if (!this.#isPaidFor(accountId)) return { position: end, asOf: end };
    const closings = this.closedOf(accountId);
    const place = closings.findIndex(({ period }) => period === closed.period);
    let last: Look = closed;
    for (const [later, look] of closings.entries()) {
      if (later <= place) continue;
      const before = closings[later - 1] as Look;
      const named = this.#corrections(accountId, closed.period).some(
        (position) => position > before.asOf && position <= look.asOf,
      );
      if (later <= place + LOOKED_AT_AGAIN || named) last = look;
    }
    const corrected = this.correctedOf(accountId).filter(({ position }) => position > last.position);
    return corrected.find(({ lines }) => lines.some(({ period }) => period === closed.period)) ?? last;
  }

  /** Whether the last subscription is over, and not only paused. */
  hasEnded(accountId: string): boolean {
    const last = this.all.findLast(
      ({ stream, type }) =>
        stream === `subscription-${accountId}` &&
        ['TrialStarted', 'SubscriptionStarted', 'PaidSubscriptionEnded'].includes(type),
    );
    return last?.type === 'PaidSubscriptionEnded';
  }

  /** Whether a subscription runs whose next period will be closed: neither over nor paused. */
  #isPaidFor(accountId: string): boolean {
    let paid = false;
    for (const stored of this.all) {
      if (stored.stream !== `subscription-${accountId}`) continue;
      const { type } = as<BillingEvent>(stored);
      if (type === 'SubscriptionStarted' || type === 'TrialConverted' || type === 'SubscriptionResumed')
        paid = true;
      if (type === 'PaidSubscriptionEnded' || type === 'SubscriptionPaused') paid = false;
    }
    return paid;
  }

  /** The positions of events by which use of a period has changed that was recorded before. */
  #corrections(accountId: string, period: string): number[] {
    return this.all.flatMap((stored) => {
      const { type, data } = as<UseReversal>(stored);
      const isAbout = type === 'UseReversed' && data.account === accountId;
      return isAbout && data.use.periods.some((id) => id.startsWith(`${period}:`)) ? [stored.position] : [];
    });
  }

  #naive(accountId: string, { period, from, to, subscription }: Closed, looked: Look): number {
    const stretches = this.#stretchesOf(accountId, from, to, looked.position);
    if (stretches.length === 0) return 0;
    const [, anchor = '', n = ''] = period.split(':');
    // What a clock that was behind has counted before the first period is part of it.
    const places = n === '0' ? [n, '-1'] : [n];
    const used = (revision: number): number =>
      places.reduce(
        (sum, one) => sum + this.#used(accountId, `month:${anchor}:${one}:${revision}`, looked),
        0,
      );
    let before = 0;
    let total = 0;
    for (const { revision, plan } of this.#termsOf(accountId, subscription)) {
      const { included = 0, first = 0, end = 0, then = 0 } = this.profile.plans[plan] ?? {};
      const part = `${period}:${revision}`;
      let over = 0;
      let allowed = 0;
      for (let unit = 0, last = used(revision); unit < last; unit++) {
        if (++before <= included) continue;
        over++;
        if (stretches.some((one) => one.first(part) <= unit && unit < one.end(part))) allowed++;
      }
      const billed = Math.min(allowed, Math.max(0, over - this.#paidByCredits(accountId, part, looked)));
      let hundredths = 0;
      for (let unit = 1; unit <= billed; unit++) hundredths += unit <= end ? first : then;
      total += Math.round(hundredths / 100);
    }
    const caps = stretches.map(({ cap }) => (cap?.whenReached === 'refuse' ? cap.amount : Infinity));
    return Math.min(total, Math.max(...caps));
  }

  #used(accountId: string, part: string, { asOf }: Look): number {
    let sum = 0;
    const add = (
      account: string,
      use: { periods: readonly string[]; meters: Readonly<Record<string, number>> },
      sign: number,
    ) => {
      if (account === accountId && use.periods.includes(part)) sum += sign * (use.meters['calls'] ?? 0);
    };
    for (const stored of this.all) {
      if (stored.position > asOf) break;
      const event = as<UsageEvent | UseReversal>(stored);
      if (event.type === 'UsesRecorded') {
        for (const { account, uses } of event.data.groups) for (const use of uses) add(account, use, 1);
      }
      if (event.type === 'UseReversed') add(event.data.account, event.data.use, -1);
    }
    return sum;
  }

  #paidByCredits(accountId: string, part: string, { position }: Look): number {
    return this.#creditsOf(accountId, position).reduce((sum, { type, data }) => {
      if (type === 'CreditsDrawn' && data.part === part) return sum + data.units;
      return type === 'CreditDrawReversed' && data.part === part ? sum - data.units : sum;
    }, 0);
  }

  /** When overage was paid for in a period, each time under one setting: from which unit of a part to which. */
  #stretchesOf(accountId: string, from: string, to: string, upTo: number): Stretch[] {
    const found: Stretch[] = [];
    let open: Extract<OverageEvent, { type: 'OverageAllowed' }>['data'] | undefined;
    const close = (end?: { readonly at: string; readonly used?: readonly UsedThen[] }): void => {
      if (!open) return;
      const { at: since, used: usedFrom = [], cap } = open;
      const until = end?.at;
      open = undefined;
      if (since >= to || (until !== undefined && until <= from)) return;
      const amount = (part: string, used: readonly UsedThen[]): number =>
        Number(used.find((one) => one.part === part && one.meter === 'calls')?.amount ?? 0);
      found.push({
        cap,
        first: (part) => (since <= from ? 0 : amount(part, usedFrom)),
        end: (part) => (until === undefined || until >= to || !end?.used ? Infinity : amount(part, end.used)),
      });
    };
    for (const stored of this.#overageOf(accountId)) {
      if (stored.position > upTo) break;
      const { type, data } = as<OverageEvent>(stored);
      if (type !== 'OverageAllowed' && type !== 'OverageStopped') continue;
      close(data);
      if (type === 'OverageAllowed') open = data;
    }
    close();
    return found;
  }

  /** The prices of a subscription, in their order. */
  #termsOf(accountId: string, subscription: string): { revision: number; plan: string }[] {
    const terms: { revision: number; plan: string }[] = [];
    for (const stored of this.all) {
      if (stored.stream !== `subscription-${accountId}`) continue;
      const { type, data } = as<BillingEvent>(stored);
      if (
        type !== 'SubscriptionStarted' &&
        type !== 'SubscriptionResumed' &&
        type !== 'TrialConverted' &&
        type !== 'PlanChanged'
      )
        continue;
      if (data.subscription === subscription) terms.push({ revision: stored.revision, plan: data.plan });
    }
    return terms;
  }

  #problemsOfCredits(accountId: string): string[] {
    const last = this.#creditsOf(accountId).findLast(({ data }) => 'debt' in data);
    if (!last || !('debt' in last.data)) return [];
    const { remainders, debt } = last.data;
    const stands = remainders.reduce((sum, { remaining }) => sum + remaining, 0) - debt;
    const balance = this.balanceOf(accountId);
    return stands === balance ? [] : [`credits stand at ${stands}, and come to ${balance}`];
  }

  #creditsOf(accountId: string, upTo = Infinity): CreditEvent[] {
    return this.all.flatMap((stored) =>
      stored.stream === `credits-${accountId}` && stored.position <= upTo ? [as<CreditEvent>(stored)] : [],
    );
  }

  #overageOf(accountId: string): StoredEvent[] {
    return this.all.filter(({ stream }) => stream === `overage-${accountId}`);
  }
}

const sumOf = (lines: readonly RatedLine[]): number => lines.reduce((sum, { amount }) => sum + amount, 0);

/** Of the account, or what Stripe has told of the invoice. */
function isAbout(cited: StoredEvent, accountId: string, invoice: string): boolean {
  if (cited.streamId === accountId) return true;
  const { type, data } = as<StripeEventEvent>(cited);
  return type === 'StripeEventReceived' && data.object.id === invoice;
}
