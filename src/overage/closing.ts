import type { BilledUse } from '../../projections/billedUse/queries.js';
import { billingCustomerOf } from './customer.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { subscriptionStream } from '../plans/events.js';
import type { Profile } from '../plans/profile.js';
import { usageTermsOf } from '../plans/profile.js';
import type { OverageCommand, OverageState } from './decide.js';
import { firstAllowed, overageDecider } from './decide.js';
import type { ClosedPeriod, RatedLine } from './events.js';
import { overageStream } from './events.js';
import type { OverageInvoices } from './invoices.js';
import type { PaidByCredits } from './rate.js';
import { adjustmentOf, RATER } from './rate.js';
import type { Account, CreditsOf, Statements } from './statements.js';
import type { BillingPeriod, PaidLife } from './terms.js';
import { allowancesOf, asClosed, periodOfLife } from './terms.js';

/** Beyond the time for late uses: what was taken in its last moment has reached the ledger. */
const MARGIN_MS = 60_000;
/** Periods that are looked at again once they are closed: later corrections change nothing that is billed. */
const LOOKED_AT_AGAIN = 3;

export interface ClosingOptions {
  readonly statements: Statements;
  readonly commands: CommandHandler;
  readonly credits: CreditsOf;
  readonly invoices: OverageInvoices;
  readonly profile: () => Profile;
  /** By which is billed, in milliseconds. */
  readonly now: () => number;
  readonly clock: () => number;
  /** Waits until the ledger has all that is stored now. @throws Outage */
  readonly ledgerCaughtUp: () => Promise<void>;
}

interface Due {
  readonly life: PaidLife;
  readonly period: BillingPeriod;
}

/** Closes billing periods that are over (decisions 4 and 5 of metering), and has what they came to invoiced. */
export class Closing {
  constructor(private readonly options: ClosingOptions) {}

  /**
   * Closes what can be closed, and sends what was not sent.
   * @returns when the next period can be closed, milliseconds since the epoch; undefined where none follows
   */
  async settle(accountId: string): Promise<number | undefined> {
    const { statements, now } = this.options;
    for (;;) {
      const account = await statements.account(accountId);
      await this.#invoice(account);
      const due = nextDue(account);
      if (!due) return undefined;
      const { closeAfterSeconds } = usageTermsOf(this.options.profile());
      const at = Date.parse(due.period.to) + closeAfterSeconds * 1000 + MARGIN_MS;
      if (at > now()) return at;
      await this.options.ledgerCaughtUp();
      await this.#close(account, due);
    }
  }

  async #close(account: Account, { life, period }: Due): Promise<void> {
    const { statements, credits } = this.options;
    const { accountId, state } = account;
    const use = await statements.read(accountId, life, [period, ...lookedAtAgain(state, life)]);
    const paid = await credits(accountId, statements.soFar(life, period, use));
    const closed = closedPeriod(statements, account, { life, period }, use, paid);
    await this.#send(accountId, { type: 'ClosePeriod', closed }, `close:${period.id}`);
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
        const life = lives.find(({ subscription }) => subscription === closed.subscription);
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

const lookedAtAgain = (state: OverageState, life: PaidLife): BillingPeriod[] =>
  closedBefore(state, life).slice(-LOOKED_AT_AGAIN);

/** What a period has come to, with what corrections change of those that were closed before. */
export function closedPeriod(
  statements: Pick<Statements, 'rate'>,
  account: Account,
  { life, period }: Due,
  use: BilledUse,
  paid: PaidByCredits,
): ClosedPeriod {
  const { state } = account;
  const lines = [
    ...statements.rate(account, life, period, use, paid),
    ...lookedAtAgain(state, life).flatMap((earlier): RatedLine[] => {
      const pinned = asClosed(life, state.closed.get(earlier.id)?.included ?? []);
      const again = statements.rate(account, pinned, earlier, use, paid);
      const billed = [...state.closed.values()]
        .flatMap((closed) => closed.lines)
        .filter((line) => line.period === earlier.id);
      const adjustment = adjustmentOf(again, billed, earlier, period.id);
      return adjustment ? [adjustment] : [];
    }),
  ];
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
    total: lines.reduce((sum, { amount }) => sum + amount, 0),
  };
}

/** The periods of a subscription that are closed, oldest first. */
const closedBefore = ({ closed }: OverageState, { subscription }: PaidLife): BillingPeriod[] =>
  [...closed.values()]
    .filter((one) => one.subscription === subscription)
    .map(({ period: id, from, to }) => ({ id, from, to }));

/** The oldest period that is not closed, from the one on in which overage was first paid for. */
function nextDue({ lives, state }: Account): Due | undefined {
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
