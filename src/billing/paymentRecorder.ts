import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { paymentDecider } from './decidePayment.js';
import { paymentStream } from './events.js';
import type { Payments } from './payments.js';

/** Records what is paid, and paid back, by payments that belong to no account. */
export class PaymentRecorder {
  constructor(
    private readonly payments: Pick<Payments, 'intent' | 'intentOfCharge' | 'live'>,
    private readonly commands: CommandHandler,
    private readonly clock: Clock,
  ) {}

  /**
   * As the payment service has it: whatever has told of it may come late and twice.
   * @param about the payment, or a charge that was made for it
   * @returns whether it is one of ours
   * @throws PaymentsUnavailable
   */
  async record(about: { readonly intent: string } | { readonly charge: string }): Promise<boolean> {
    const { payments, commands, clock } = this;
    const id = 'intent' in about ? about.intent : await payments.intentOfCharge(about.charge);
    if (id === undefined) return false;
    const { purpose, status, amount, currency, refunded } = await payments.intent(id);
    if (purpose !== 'analysis' || status !== 'succeeded') return false;
    const environment = payments.live ? 'live' : 'test';
    await commands.handle(
      paymentDecider,
      paymentStream(id),
      { type: 'RecordPayment', purpose, amount, currency, refunded },
      byPolicy('billing', `payment:${randomUUID()}`, { at: clock(), about: id, environment }),
    );
    return true;
  }
}
