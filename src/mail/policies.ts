import type { EmailEvent } from '../accounts/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import { mail } from './decide.js';
import { mailStream } from './events.js';

/** How long an e-mail may be verified, in milliseconds. */
export const VERIFY_MS = 7 * 24 * 3_600_000;

/** Whoever registers is asked by mail whether the e-mail is theirs. */
export function requestMails(commands: CommandHandler): Policy {
  const name = 'request-mails';
  return {
    name,
    handles: new Set(['EmailRegistered']),
    react: async (event) => {
      const {
        userId,
        email,
        name: sealedName,
      } = as<Extract<EmailEvent, { type: 'EmailRegistered' }>>(event).data;
      await commands.handle(
        mail,
        mailStream(derivedId('mail', event.id)),
        {
          type: 'RequestMail',
          mail: {
            kind: 'verify-email',
            userId,
            to: email,
            name: sealedName,
            expiresAt: new Date(Date.parse(event.metadata.at) + VERIFY_MS).toISOString(),
          },
        },
        causedBy(event, name),
      );
    },
  };
}
