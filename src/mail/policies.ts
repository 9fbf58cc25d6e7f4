import type { EmailEvent } from '../accounts/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import type { TeamEvent } from '../teams/events.js';
import { invitationSubject } from '../teams/events.js';
import type { MailCommand } from './decide.js';
import { mail } from './decide.js';
import { mailStream } from './events.js';

/** How long an e-mail may be verified, in milliseconds. */
export const VERIFY_MS = 7 * 24 * 3_600_000;

type Requested = Extract<MailCommand, { type: 'RequestMail' }>['mail'];
type EmailRegistered = Extract<EmailEvent, { type: 'EmailRegistered' }>;
type MemberInvited = Extract<TeamEvent, { type: 'MemberInvited' }>;

/** Whoever registers is asked by mail whether the e-mail is theirs; whoever is invited is told. */
export function requestMails(commands: CommandHandler): Policy {
  const name = 'request-mails';
  return {
    name,
    handles: new Set(['EmailRegistered', 'MemberInvited']),
    react: async (event) => {
      await commands.handle(
        mail,
        mailStream(derivedId('mail', event.id)),
        {
          type: 'RequestMail',
          mail: event.type === 'MemberInvited' ? invitation(event) : verification(event),
        },
        causedBy(event, name),
      );
    },
  };
}

function verification(event: StoredEvent): Requested {
  const { userId, email, name } = as<EmailRegistered>(event).data;
  const expiresAt = new Date(Date.parse(event.metadata.at) + VERIFY_MS).toISOString();
  return { kind: 'verify-email', userId, to: email, name, expiresAt };
}

function invitation(event: StoredEvent): Requested {
  const { invitationId, email, expiresAt } = as<MemberInvited>(event).data;
  const subject = invitationSubject(event.streamId, invitationId);
  return { kind: 'invite-member', userId: invitationId, subject, to: email, name: null, expiresAt };
}
