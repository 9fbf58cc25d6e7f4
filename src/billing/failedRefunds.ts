import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Decider } from '../eventsourcing/decider.js';
import { accept } from '../eventsourcing/decider.js';
import { byPolicy } from '../eventsourcing/policy.js';
import type { RefundFailed } from './events.js';
import { refundStream } from './events.js';

interface RecordFailure {
  readonly type: 'RecordFailure';
  readonly refund: RefundFailed['data'];
}

/** A refund fails once, whatever tells of it again. */
export const refundDecider: Decider<boolean, RecordFailure, RefundFailed> = {
  initial: false,
  evolve: () => true,
  decide: (failed, { refund }) => (failed ? accept() : accept({ type: 'RefundFailed', data: refund })),
};

/** Records refunds that have not reached the customer, so that operators hear of them. */
export class FailedRefunds {
  constructor(
    private readonly commands: CommandHandler,
    private readonly clock: Clock,
    private readonly live: boolean,
    /** One has failed that was not known to. @param id the payment service's */
    private readonly onNew: (id: string) => void,
  ) {}

  readonly record = async (id: string, refund: RefundFailed['data']): Promise<void> => {
    const context = byPolicy('billing', `refund-failed:${id}`, {
      at: this.clock(),
      about: id,
      environment: this.live ? 'live' : 'test',
    });
    const command: RecordFailure = { type: 'RecordFailure', refund };
    const done = await this.commands.handle(refundDecider, refundStream(id), command, context);
    if (done.kind === 'accepted' && !done.replayed && done.events.length > 0) this.onNew(id);
  };
}
