import type { RefundFailed } from '../billing/events.js';
import type { DisputeEvent } from '../disputes/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import { OPERATORS_STREAM } from '../operators/events.js';
import { mailDecider } from './decide.js';
import type { MailKind } from './events.js';
import { mailStream } from './events.js';
import { emailOf, operatorsSince } from './recipient.js';

/** How long a notice that could not be sent is still worth sending, in milliseconds. */
const NOTICE_MS = 7 * 86_400_000;

type Told = Exclude<DisputeEvent, { type: 'InquiryClosed' }> | RefundFailed;

const KINDS: Readonly<Record<Told['type'], MailKind>> = {
  InquiryOpened: 'inquiry-opened',
  DisputeOpened: 'dispute-opened',
  DisputeWon: 'dispute-won',
  DisputeLost: 'dispute-lost',
  RefundFailed: 'refund-failed',
};

/** Writes to everybody who is an operator when a payment is disputed, or that was decided, or a refund has failed. */
export function tellOperators(commands: CommandHandler): Policy {
  const name = 'tell-operators';
  return {
    name,
    handles: new Set(Object.keys(KINDS)),
    react: async (event) => {
      const kind = KINDS[as<Told>(event).type];
      const expiresAt = new Date(Date.parse(event.metadata.at) + NOTICE_MS).toISOString();
      for (const userId of operatorsSince(await commands.load(OPERATORS_STREAM)).keys()) {
        const to = await emailOf(commands, userId);
        if (!to) continue;
        await commands.handle(
          mailDecider,
          mailStream(derivedId('operator-notice', event.id, userId)),
          { type: 'RequestMail', mail: { kind, userId, to, expiresAt } },
          causedBy(event, name),
        );
      }
    },
  };
}
