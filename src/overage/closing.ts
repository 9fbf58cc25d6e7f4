import { billingCustomerOf } from './customer.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { subscriptionStream } from '../plans/events.js';
import type { Profile } from '../plans/profile.js';
import { usageTermsOf } from '../plans/profile.js';
import { closedPeriod, correctionAt, correctionBeside } from './closedPeriod.js';
import type { CorrectionsOf } from './corrections.js';
import { adjustmentsOf, closedBefore, closedIn, lookedAtAgain } from './corrections.js';
import type { OverageCommand, OverageState } from './decide.js';
import { firstAllowed, lookedAtUpTo, overageDecider } from './decide.js';
import type { ClosedPeriod, Correction, Settlement } from './events.js';
import type { LinesToInvoice, OverageInvoices } from './invoices.js';
import { overageStream } from './events.js';
import { sumOf } from '../money/money.js';
import { RATER } from './rate.js';
import type { Account, CreditsOf, Running, Statements } from './statements.js';
import type { PaidLife } from './terms.js';
import { isPeriodOf, periodOfLife } from './terms.js';

/** Beyond the time for late uses: what was taken in its last moment has reached the ledger. */
const MARGIN_MS = 60_000;
/** How long at a time what cannot be done yet waits, e.g. a correction for the invoice that it corrects to be issued. */
const AGAIN_MS = 10 * 60_000;
/** Periods of a subscription, the newest, whose invoice may not be issued yet. */
const DRAFTS = 3;

export interface ClosingOptions {
  readonly statements: Statements;
  readonly commands: CommandHandler;
  readonly credits: CreditsOf;
  readonly invoices: OverageInvoices;
  /** What has corrected an account's use since an event. */
  readonly corrections: CorrectionsOf;
  /** Money is owed to an account that no invoice could give back, in minor units. */
  readonly onOwed: (accountId: string, owed: number) => void;
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
    const { statements, credits } = this.options;
    const { accountId } = account;
    const { life, period } = due;
    const { use, again, corrected } = await this.#read(account, life.currency, [due]);
    const paid = await credits(accountId, statements.soFar(life, period, use, again));
    const closed = closedPeriod(statements, account, due, use, paid, corrected);
    const besides = correctionBeside(statements, account, due, closed, { use, paid, corrected });
    await this.#send(accountId, { type: 'ClosePeriod', closed, besides }, `close:${period.id}`);
  }

  /**
   * What was used in open periods and in those that are looked at again, with all that has corrected it until then:
   * nobody looks at what is billed once more for a correction from before.
   */
  async #read(account: Account, currency: string, open: readonly Running[]) {
    const { statements, corrections, ledgerCaughtUp } = this.options;
    const { accountId, state } = account;
    const after = lookedAtUpTo(state, currency);
    let again = lookedAtAgain(account, currency, await corrections(accountId, after));
    for (;;) {
      const use = await statements.read(accountId, open, again);
      await ledgerCaughtUp();
      const corrected = await corrections(accountId, after);
      const named = lookedAtAgain(account, currency, corrected);
      const read = new Set(again.map(({ period }) => period.id));
      again = named;
      if (named.every(({ period }) => read.has(period.id))) return { use, again, corrected };
    }
  }

  /**
   * Rates closed periods of ended subscriptions again.
   * @param following the currency of the subscription that goes on: its next invoice has the corrections
   * @returns whether anything comes to another amount
   */
  async #correct(account: Account, following: string | undefined): Promise<boolean> {
    const { statements, credits, ledgerCaughtUp } = this.options;
    const { accountId, state, lives } = account;
    const ended = lives.filter(({ endedAt }) => endedAt !== undefined);
    for (const currency of new Set(ended.map((life) => life.currency))) {
      if (currency === following || closedIn(account, currency).length === 0) continue;
      await ledgerCaughtUp();
      const after = lookedAtUpTo(state, currency);
      const { use, again, corrected } = await this.#read(account, currency, []);
      const paid = await credits(accountId, statements.correctable(again, use));
      const correction = correctionAt(currency, use.seen);
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
        if (back.owed > 0) onOwed(accountId, back.owed);
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

  /** What was closed and is not invoiced, or may stand on nothing that is issued, oldest first. */
  async #invoice({ accountId, state, lives }: Account): Promise<void> {
    const { commands, invoices, onOwed } = this.options;
    for (const closed of state.closed.values()) {
      const life = lives.find((one) => isPeriodOf(one, closed.period));
      const isLeft = life?.over === true && mayBeLeft(state, closed);
      if (state.invoiced.has(closed.period) && !isLeft) continue;
      const charged = closed.lines.filter(({ amount }) => amount !== 0);
      const ended = life?.endedAt !== undefined;
      let invoice: string | null = null;
      if (charged.length > 0) {
        const customer = billingCustomerOf(await commands.load(subscriptionStream(accountId)));
        invoice = await invoices.add({
          accountId,
          customer,
          subscription: closed.subscription,
          ended,
          monthly: life?.interval === 'month',
          currency: closed.currency,
          eventId: closed.eventId ?? '',
          lines: charged,
        });
      }
      const { period, total } = closed;
      const command: OverageCommand = { type: 'RecordInvoiced', period, invoice, ended };
      await this.#send(accountId, command, `invoiced:${period}${isLeft ? ':ended' : ''}`);
      // It waits for an invoice that may never come.
      if (isLeft && invoice === null && total < 0) onOwed(accountId, -total);
    }
  }

  async #send(accountId: string, command: OverageCommand, commandId: string): Promise<void> {
    const { commands, clock } = this.options;
    const context = byPolicy('overage', commandId, { at: clock(), about: accountId });
    await commands.handle(overageDecider, overageStream(accountId), command, context);
  }
}

/**
 * When all that may still be reported of an ended subscription was; Infinity where that is over: from then on
 * corrections tell of themselves.
 */
function lastLook({ lives }: Account, lateMs: number, now: number): number {
  const ends = lives.flatMap(({ endedAt }) => (endedAt === undefined ? [] : Date.parse(endedAt) + lateMs));
  return Math.min(...ends.filter((end) => end > now));
}

/**
 * Whether lines of a subscription that is over may stand on no invoice: those that waited for the next one, and those of
 * the newest periods, whose invoice may have been a draft. The payment service issues none of either.
 */
function mayBeLeft(
  { closed, invoiced }: OverageState,
  { period, subscription, lines }: ClosedPeriod,
): boolean {
  const before = invoiced.get(period);
  if (!before || before.ended || lines.every(({ amount }) => amount === 0)) return false;
  const own = [...closed.values()].filter((one) => one.subscription === subscription);
  return before.invoice === null || own.slice(-DRAFTS).some((one) => one.period === period);
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
