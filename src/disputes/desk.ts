import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import { byPolicy } from '../eventsourcing/policy.js';
import type { DisputeStatus } from './decide.js';
import { disputeDecider } from './decide.js';
import type { Disputed, DisputedCredits } from './events.js';
import { disputeStream } from './events.js';

/** A dispute as the payment service has it. */
export interface DisputeSnapshot extends Omit<Disputed, 'accountId'> {
  readonly status: DisputeStatus;
  readonly customer: string | null;
  /** Whether another installation has taken the payment. */
  readonly elsewhere: boolean;
}

/** The port by which disputes are read. @throws PaymentRefused, PaymentsUnavailable */
export interface DisputePayments {
  dispute(id: string): Promise<DisputeSnapshot>;
}

export interface DisputeDeskOptions {
  readonly commands: CommandHandler;
  readonly payments: DisputePayments;
  /** Whose customer it is; undefined for nobody's. */
  readonly accountOf: (customer: string) => Promise<string | undefined>;
  /** Takes back what was bought, or gives it back. Done again it changes nothing. */
  readonly onCredits: (accountId: string, disputed: DisputedCredits) => Promise<void>;
  /** A payment is disputed, or a bank asks about it, for the first time. */
  readonly onOpened: (id: string, what: 'dispute' | 'inquiry') => void;
  readonly clock: Clock;
}

/** Records what customers dispute at their banks, and does what follows. */
export class DisputeDesk {
  constructor(private readonly options: DisputeDeskOptions) {}

  /**
   * Asks the payment service how a dispute stands.
   * @returns the account that has paid, null where none has; undefined for one that is none of ours
   */
  readonly follow = async (id: string): Promise<string | null | undefined> => {
    const { commands, payments, accountOf, onCredits, onOpened, clock } = this.options;
    const { status, customer, elsewhere, ...about } = await payments.dispute(id);
    const accountId = customer === null ? null : await accountOf(customer);
    const disputed: Disputed = { ...about, accountId: accountId ?? null };
    const context = byPolicy('disputes', `dispute:${randomUUID()}`, { at: clock(), about: id });
    const stream = disputeStream(id);
    // One that was recorded all the same is followed to its end.
    const ours = accountId !== undefined && !elsewhere;
    if (!ours && (await commands.load(stream)).length === 0) return undefined;
    const done = await commands.handle(
      disputeDecider,
      stream,
      { type: 'RecordDispute', status, disputed },
      context,
    );
    const news = done.kind === 'accepted' ? done.events.map(({ type }) => type) : [];
    if (news.includes('DisputeOpened')) onOpened(id, 'dispute');
    else if (news.includes('InquiryOpened')) onOpened(id, 'inquiry');
    const { opened, ended = 'open' } = fold(disputeDecider, await commands.load(stream));
    if (opened?.subject === 'credits' && opened.accountId !== null && opened.payment !== null) {
      const { payment, amount } = opened;
      await onCredits(opened.accountId, { dispute: id, payment, amount, status: ended });
    }
    return disputed.accountId;
  };
}
