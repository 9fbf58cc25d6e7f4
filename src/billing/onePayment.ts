import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { Money } from '../money/money.js';
import type { PaymentUses } from './decidePayment.js';
import { paymentDecider } from './decidePayment.js';
import { paymentStream } from './events.js';
import type { Payments } from './payments.js';
import { PaymentRefused } from './payments.js';

const INTENT = /^pi_\w{1,200}$/;
const PAGE = /^cs_\w{1,200}$/;

/** What is paid by the piece, without an account: a payment is for one thing, or for several of one batch. */
export class OnePayment {
  constructor(
    private readonly payments: Payments,
    private readonly commands: CommandHandler,
    private readonly clock: Clock,
    /** What one thing costs. */
    readonly price: Money,
  ) {}

  /** A payment of one thing to be made, and the secret with which a browser makes it. @throws PaymentsUnavailable, PaymentRefused */
  create(): Promise<{ readonly id: string; readonly clientSecret: string }> {
    return this.payments.createIntent(
      { ...this.price, purpose: 'analysis' },
      `tollgraph:intent:${randomUUID()}`,
    );
  }

  /** A page on which so many are paid at once. @throws PaymentsUnavailable, PaymentRefused */
  openPage(page: {
    readonly quantity: number;
    readonly name: string;
    readonly paidUrl: string;
    readonly unpaidUrl: string;
  }): Promise<{ readonly id: string; readonly url: string | null }> {
    return this.payments.openPaymentPage(
      { ...this.price, ...page, purpose: 'analysis' },
      `tollgraph:page:${randomUUID()}`,
    );
  }

  /** Where a page stands, with the payment once it is made; undefined for one that is none of ours. */
  async page(id: string): Promise<
    | {
        readonly status: 'open' | 'complete' | 'expired';
        readonly intent: string | null;
        readonly quantity: number;
      }
    | undefined
  > {
    if (!PAGE.test(id)) return undefined;
    try {
      const { purpose, status, intent, quantity } = await this.payments.paymentPage(id);
      return purpose === 'analysis' ? { status, intent, quantity } : undefined;
    } catch (error) {
      if (error instanceof PaymentRefused) return undefined;
      throw error;
    }
  }

  /** @returns `paid`, Stripe's word for where it stands, or undefined for one that is none of ours */
  async statusOf(intent: string): Promise<string | undefined> {
    const paying = await this.#paying(intent);
    if (!paying) return undefined;
    if (paying.disputed) return 'disputed';
    if (quantityLeft(paying) === 0) return 'refunded';
    return paying.status === 'succeeded' ? 'paid' : paying.status;
  }

  /** How many things a payment pays for: none while it is not made, or is none of ours. */
  async quantity(intent: string): Promise<number> {
    const paying = await this.#paying(intent);
    return paying?.status === 'succeeded' && !paying.disputed ? quantityLeft(paying) : 0;
  }

  /** A payment for what is sold here, at its price. */
  async #paying(intent: string): Promise<Paying | undefined> {
    if (!INTENT.test(intent)) return undefined;
    try {
      const paying = await this.payments.intent(intent);
      const { amount, currency, purpose, quantity } = paying;
      const ours = purpose === 'analysis' && currency === this.price.currency;
      return ours && amount >= this.price.amount * quantity ? paying : undefined;
    } catch (error) {
      if (error instanceof PaymentRefused) return undefined;
      throw error;
    }
  }

  /** Whether a payment was used for what has this hash, or for less than it pays for. */
  async usable(intent: string, content: string): Promise<boolean> {
    const { contents } = await this.#uses(intent);
    if (contents.size === 0 || contents.has(content)) return true;
    return contents.size < (await this.quantity(intent));
  }

  /**
   * Gives back what was paid for one thing; again it changes nothing.
   * @returns the id of the refund @throws PaymentsUnavailable
   */
  async giveBack(intent: string, content: string): Promise<string> {
    try {
      const { amount, quantity, refunded } = await this.payments.intent(intent);
      // Somebody else may have given back a part of it.
      const share = Math.min(shareOf({ amount, quantity }), amount - refunded);
      const key = `tollgraph:refund:${intent}:${content}`;
      return await this.payments.refundOne(intent, { thing: content, amount: share }, key);
    } catch (error) {
      // Somebody else was first.
      if (error instanceof PaymentRefused && error.code === 'charge_already_refunded') return 'earlier';
      throw error;
    }
  }

  /** Uses a payment for what has this hash. @returns whether it pays for that @throws PaymentsUnavailable */
  async use(intent: string, content: string): Promise<boolean> {
    // What it was used for stays so, also while nobody knows where the payment stands.
    if ((await this.#uses(intent)).contents.has(content)) return true;
    const quantity = await this.quantity(intent);
    const used = await this.commands.handle(
      paymentDecider,
      paymentStream(intent),
      { type: 'UsePayment', purpose: 'analysis', content, quantity },
      {
        commandId: content,
        caller: 'anonymous',
        requestHash: content,
        at: new Date(this.clock()),
        environment: this.payments.live ? 'live' : 'test',
        correlationId: intent,
      },
    );
    return used.kind === 'accepted';
  }

  async #uses(intent: string): Promise<PaymentUses> {
    return fold(paymentDecider, await this.commands.load(paymentStream(intent)));
  }
}

type Paying = Awaited<ReturnType<Payments['intent']>>;

/** What one thing has cost, in minor units. */
const shareOf = ({ amount, quantity }: Pick<Paying, 'amount' | 'quantity'>): number =>
  Math.floor(amount / quantity);

/**
 * For how many things a payment is good. What we have given back was for things that it was used for; what
 * somebody else has given back, even of one a part, is missing.
 */
function quantityLeft({ amount, quantity, refunded, refundedForThings }: Paying): number {
  if (refunded >= amount) return 0;
  const missing = Math.ceil((refunded - refundedForThings) / shareOf({ amount, quantity }));
  return Math.max(0, quantity - missing);
}
