import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { paymentDecider } from './decidePayment.js';
import { paymentStream } from './events.js';
import type { Payments } from './payments.js';
import { retryStale } from '../eventsourcing/retryStale.js';

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
   * @throws PaymentsUnavailable, Outage
   */
  async record(about: { readonly intent: string } | { readonly charge: string }): Promise<boolean> {
    const { payments, commands, clock } = this;
    const id = 'intent' in about ? about.intent : await payments.intentOfCharge(about.charge);
    if (id === undefined) return false;
    const stream = paymentStream(id);
    const environment = payments.live ? 'live' : 'test';
    let ours = false;
    await retryStale(async () => {
      const { length: asOf } = await commands.load(stream);
      const { purpose, status, amount, currency, refunded } = await payments.intent(id);
      ours = purpose === 'analysis' && status === 'succeeded';
      if (purpose !== 'analysis' || !ours) return { kind: 'accepted' };
      return commands.handle(
        paymentDecider,
        stream,
        { type: 'RecordPayment', purpose, amount, currency, refunded, asOf },
        byPolicy('billing', `payment:${randomUUID()}`, { at: clock(), about: id, environment }),
      );
    });
    return ours;
  }
}
