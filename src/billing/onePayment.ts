import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { Money } from '../money/money.js';
import { paymentDecider } from './decidePayment.js';
import { paymentStream } from './events.js';
import type { Payments } from './payments.js';
import { PaymentRefused } from './payments.js';

const INTENT = /^pi_\w{1,200}$/;
const PAGE = /^cs_\w{1,200}$/;

/** What is paid by the piece, without an account: one payment, one thing. */
export class OnePayment {
  constructor(
    private readonly payments: Payments,
    private readonly commands: CommandHandler,
    private readonly clock: Clock,
    /** What one costs. */
    readonly price: Money,
  ) {}

  /** A payment to be made, and the secret with which a browser makes it. @throws PaymentsUnavailable, PaymentRefused */
  create(): Promise<{ readonly id: string; readonly clientSecret: string }> {
    return this.payments.createIntent(
      { ...this.price, purpose: 'analysis' },
      `tollgraph:intent:${randomUUID()}`,
    );
  }

  /** A page on which it is made. @throws PaymentsUnavailable, PaymentRefused */
  openPage(page: {
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
  async page(
    id: string,
  ): Promise<
    { readonly status: 'open' | 'complete' | 'expired'; readonly intent: string | null } | undefined
  > {
    if (!PAGE.test(id)) return undefined;
    try {
      const { purpose, status, intent } = await this.payments.paymentPage(id);
      return purpose === 'analysis' ? { status, intent } : undefined;
    } catch (error) {
      if (error instanceof PaymentRefused) return undefined;
      throw error;
    }
  }

  /** @returns `paid`, Stripe's word for where it stands, or undefined for one that is none of ours */
  async statusOf(intent: string): Promise<string | undefined> {
    if (!INTENT.test(intent)) return undefined;
    try {
      const { status, amount, currency, purpose, refunded } = await this.payments.intent(intent);
      if (purpose !== 'analysis' || currency !== this.price.currency || amount < this.price.amount)
        return undefined;
      if (refunded) return 'refunded';
      return status === 'succeeded' ? 'paid' : status;
    } catch (error) {
      if (error instanceof PaymentRefused) return undefined;
      throw error;
    }
  }

  /** Whether a payment was used for nothing, or for what has this hash. */
  async usable(intent: string, content: string): Promise<boolean> {
    const used = fold(paymentDecider, await this.commands.load(paymentStream(intent)));
    return used.content === undefined || used.content === content;
  }

  /** Gives a payment back; again it changes nothing. @returns the id of the refund @throws PaymentsUnavailable */
  async giveBack(intent: string): Promise<string> {
    try {
      return await this.payments.refundIntent(intent, `tollgraph:refund:${intent}`);
    } catch (error) {
      // Somebody else was first.
      if (error instanceof PaymentRefused && error.code === 'charge_already_refunded') return 'earlier';
      throw error;
    }
  }

  /** Uses a payment for what has this hash. @returns whether it is free for that */
  async use(intent: string, content: string): Promise<boolean> {
    const used = await this.commands.handle(
      paymentDecider,
      paymentStream(intent),
      { purpose: 'analysis', content },
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
}
