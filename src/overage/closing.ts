import type { BilledUse } from '../../projections/billedUse/queries.js';
import { billingCustomerOf } from './customer.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Position } from '../eventsourcing/event.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { subscriptionStream } from '../plans/events.js';
import type { Profile } from '../plans/profile.js';
import { usageTermsOf } from '../plans/profile.js';
import type { CorrectionsOf, LookedAt, UseCorrection } from './corrections.js';
import { adjustmentsOf, closedBefore, closedIn, lookedAtAgain } from './corrections.js';
import type { OverageCommand } from './decide.js';
import { firstAllowed, lookedAtUpTo, overageDecider } from './decide.js';
import type { ClosedPeriod, Correction, Settlement } from './events.js';
import type { LinesToInvoice, OverageInvoices } from './invoices.js';
import { overageStream } from './events.js';
import type { PaidByCredits } from './rate.js';
import { RATER, sumOf } from './rate.js';
import type { Account, CreditsOf, Running, Statements } from './statements.js';
import type { PaidLife } from './terms.js';
import { allowancesOf, isPeriodOf, periodOfLife } from './terms.js';

/** Beyond the time for late uses: what was taken in its last moment has reached the ledger. */
const MARGIN_MS = 60_000;
/** How long at a time what cannot be done yet waits, e.g. a correction for the invoice that it corrects to be issued. */
const AGAIN_MS = 10 * 60_000;

export interface ClosingOptions {
  readonly statements: Statements;
  readonly commands: CommandHandler;
  readonly credits: CreditsOf;
  readonly invoices: OverageInvoices;
  /** What has corrected an account's use since an event. */
  readonly corrections: CorrectionsOf;
  /** Money is owed to an account that no invoice could give back. */
  readonly onOwed: (accountId: string, settlement: Settlement) => void;
  /** A period cannot be closed, since another one has its name: nothing of the account is closed after it. */
  readonly onStuck: (accountId: string, period: string) => void;
  readonly profile: () => Profile;
  /** By which is billed, in milliseconds. */
  readonly now: () => number;
  readonly clock: () => number;
  /** Waits until the ledger, and what lists corrections, have all that is stored now. @throws Outage */
  readonly ledgerCaughtUp: () => Promise<void>;
}

/** Closes billing periods that are over (decisions 4 and 5 of metering), and has what they came to invoiced. */
export class Closing {
  constructor(private readonly options: ClosingOptions) {}

  /**
   * Closes what can be closed, corrects what is closed where nothing follows, and sends what was not sent.
   * @returns when there is next something to do, milliseconds since the epoch; undefined where nothing follows
   */
  async settle(accountId: string): Promise<number | undefined> {
    const { statements, now, profile, onStuck } = this.options;
    let closed: string | undefined;
    for (;;) {
      const account = await statements.account(accountId);
      await this.#invoice(account);
      const settled = await this.#settleCorrections(account);
      const soon = settled ? Infinity : now() + AGAIN_MS;
      const due = nextDue(account);
      if (await this.#correct(account, due?.life.currency)) continue;
      const { closeAfterSeconds, lateWindowSeconds } = usageTermsOf(profile());
      if (!due) {
        const at = Math.min(soon, lastLook(account, lateWindowSeconds * 1000 + MARGIN_MS, now()));
        return at === Infinity ? undefined : at;
      }
      const at = Date.parse(due.period.to) + closeAfterSeconds * 1000 + MARGIN_MS;
      if (at > now()) return Math.min(soon, at);
      if (due.period.id === closed) {
        onStuck(accountId, closed);
        return Math.min(soon, now() + AGAIN_MS);
      }
      await this.options.ledgerCaughtUp();
      await this.#close(account, due);
      closed = due.period.id;
    }
  }

  async #close(account: Account, due: Running): Promise<void> {
    const { statements, credits, corrections } = this.options;
    const { accountId, state } = account;
    const { life, period } = due;
    const corrected = await corrections(accountId, lookedAtUpTo(state, life.currency));
    const again = lookedAtAgain(account, life.currency, corrected);
    const use = await statements.read(accountId, [due], again);
    const paid = await credits(accountId, statements.soFar(life, period, use, again));
    const closed = closedPeriod(statements, account, due, use, paid, corrected);
    const besides = correctionBeside(statements, account, due, closed, { use, paid, corrected });
    await this.#send(accountId, { type: 'ClosePeriod', closed, besides }, `close:${period.id}`);
  }

  /**
   * Rates closed periods of ended subscriptions again.
   * @param following the currency of the subscription that goes on: its next invoice has the corrections
   * @returns whether anything comes to another amount
   */
  async #correct(account: Account, following: string | undefined): Promise<boolean> {
    const { statements, credits, corrections, ledgerCaughtUp } = this.options;
    const { accountId, state, lives } = account;
    const ended = lives.filter(({ endedAt }) => endedAt !== undefined);
    for (const currency of new Set(ended.map((life) => life.currency))) {
      if (currency === following || closedIn(account, currency).length === 0) continue;
      await ledgerCaughtUp();
      const after = lookedAtUpTo(state, currency);
      const corrected = await corrections(accountId, after);
      const again = lookedAtAgain(account, currency, corrected);
      const use = await statements.read(accountId, [], again);
      const paid = await credits(accountId, statements.correctable(again, use));
      const correction = correctionAt(use.seen);
      const lines = adjustmentsOf(statements, account, again, { use, paid, corrected, closing: correction });
      if (lines.length === 0) continue;
      const total = sumOf(lines);
      const command: OverageCommand = {
        type: 'CorrectOverage',
        corrected: { correction, currency, asOf: use.seen, rater: RATER, lines, total },
        after,
      };
      await this.#send(accountId, command, correction);
      return true;
    }
    return false;
  }

  /** Bills what corrections have come to, or gives it back. @returns whether nothing waits */
  async #settleCorrections({ accountId, state, lives }: Account): Promise<boolean> {
    const { invoices, onOwed } = this.options;
    let done = true;
    for (const corrected of state.corrections.values()) {
      const { correction, total } = corrected;
      if (state.settled.has(correction)) continue;
      const to = await this.#toInvoice(accountId, lives, corrected);
      let settlement: Settlement = { correction, invoice: null, creditNotes: [], owed: 0 };
      if (total > 0) settlement = { ...settlement, invoice: await invoices.add(to) };
      if (total < 0) {
        const periods = new Set(corrected.lines.map(({ period }) => period));
        const billed = [...state.closed.values(), ...state.corrections.values()].filter(
          (one) => one !== corrected && one.lines.some(({ period }) => periods.has(period)),
        );
        const back = await invoices.giveBack(
          to,
          billed.flatMap(({ eventId }) => eventId ?? []),
        );
        if (!back) {
          done = false;
          continue;
        }
        settlement = { ...settlement, ...back };
        if (back.owed > 0) onOwed(accountId, settlement);
      }
      await this.#send(accountId, { type: 'RecordSettled', settlement }, `settled:${correction}`);
    }
    return done;
  }

  /** Lines that go on no invoice of a subscription. */
  async #toInvoice(
    accountId: string,
    lives: readonly PaidLife[],
    { currency, eventId = '', lines }: Correction & { readonly eventId: string | undefined },
  ): Promise<LinesToInvoice> {
    const customer = billingCustomerOf(await this.options.commands.load(subscriptionStream(accountId)));
    const subscription = lives.findLast((life) => life.currency === currency)?.subscription ?? '';
    return { accountId, customer, subscription, ended: true, monthly: false, currency, eventId, lines };
  }

  /** What was closed and is not invoiced, oldest first. */
  async #invoice({ accountId, state, lives }: Account): Promise<void> {
    const { commands, invoices } = this.options;
    for (const closed of state.closed.values()) {
      if (state.invoiced.has(closed.period)) continue;
      const charged = closed.lines.filter(({ amount }) => amount !== 0);
      let invoice: string | null = null;
      if (charged.length > 0) {
        const customer = billingCustomerOf(await commands.load(subscriptionStream(accountId)));
        const life = lives.find((one) => isPeriodOf(one, closed.period));
        invoice = await invoices.add({
          accountId,
          customer,
          subscription: closed.subscription,
          ended: life?.endedAt !== undefined,
          monthly: life?.interval === 'month',
          currency: closed.currency,
          eventId: closed.eventId ?? '',
          lines: charged,
        });
      }
      const { period } = closed;
      await this.#send(accountId, { type: 'RecordInvoiced', period, invoice }, `invoiced:${period}`);
    }
  }

  async #send(accountId: string, command: OverageCommand, commandId: string): Promise<void> {
    const { commands, clock } = this.options;
    const context = byPolicy('overage', commandId, { at: clock(), about: accountId });
    await commands.handle(overageDecider, overageStream(accountId), command, context);
  }
}

/** What a period has come to, with what corrections change of those that were closed before. */
export function closedPeriod(
  statements: Pick<Statements, 'rate'>,
  account: Account,
  { life, period }: Running,
  use: BilledUse,
  paid: PaidByCredits,
  corrected: readonly UseCorrection[] = [],
): ClosedPeriod {
  const again = lookedAtAgain(account, life.currency, corrected);
  const own = statements.rate(account, life, period, use, paid);
  const looked = { use, paid, corrected, closing: period.id };
  const all = [...own, ...adjustmentsOf(statements, account, again, looked)];
  // No invoice follows that could have what is left of them: a correction beside it settles them.
  const lines = life.endedAt !== undefined && sumOf(all) < 0 ? own : all;
  return {
    period: period.id,
    from: period.from,
    to: period.to,
    subscription: life.subscription,
    currency: life.currency,
    asOf: use.seen,
    rater: RATER,
    included: allowancesOf(life),
    lines,
    total: sumOf(lines),
  };
}

/**
 * What the last period of a subscription leaves to be settled by itself: it has looked at all corrections until now,
 * and nobody looks at them again.
 */
export function correctionBeside(
  statements: Pick<Statements, 'rate'>,
  account: Account,
  { life: { currency } }: Running,
  { asOf, lines: own }: ClosedPeriod,
  { use, paid, corrected }: Omit<LookedAt, 'closing'>,
): Correction | undefined {
  if (own.some(({ kind }) => kind === 'adjustment')) return undefined;
  const correction = correctionAt(asOf);
  const again = lookedAtAgain(account, currency, corrected);
  const lines = adjustmentsOf(statements, account, again, { use, paid, corrected, closing: correction });
  if (lines.length === 0) return undefined;
  return { correction, currency, asOf, rater: RATER, lines, total: sumOf(lines) };
}

const correctionAt = (asOf: Position): string => `correction:${asOf}`;

/**
 * When all that may still be reported of an ended subscription was; Infinity where that is over: from then on
 * corrections tell of themselves.
 */
function lastLook({ lives }: Account, lateMs: number, now: number): number {
  const ends = lives.flatMap(({ endedAt }) => (endedAt === undefined ? [] : Date.parse(endedAt) + lateMs));
  return Math.min(...ends.filter((end) => end > now));
}

/** The oldest period that is not closed, from the one on in which overage was first paid for. */
function nextDue({ lives, state }: Account): Running | undefined {
  const first = firstAllowed(state);
  if (first === undefined) return undefined;
  for (const life of lives) {
    const last = closedBefore(state, life).at(-1);
    const from = Math.max(life.anchor, last ? Date.parse(last.to) : Date.parse(first));
    if (life.endedAt !== undefined && from >= Date.parse(life.endedAt)) continue;
    return { life, period: periodOfLife(life, from) };
  }
  return undefined;
}
