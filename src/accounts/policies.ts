import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import { as } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import { Outage } from '../outage.js';
import type { PersonalData } from '../secrets/personalData.js';
import { holderOf } from './credentials.js';
import { accountDecider } from './decideAccount.js';
import { emailDecider } from './decideEmail.js';
import { userDecider } from './decideUser.js';
import type { AccountEvent, EmailEvent, UserEvent } from './events.js';
import { accountStream, emailStream, userStream } from './events.js';

type EmailRegistered = Extract<EmailEvent, { type: 'EmailRegistered' }>;
type EmailClaimed = Extract<EmailEvent, { type: 'EmailClaimed' }>;
type PasswordResetRequested = Extract<EmailEvent, { type: 'PasswordResetRequested' }>;
type ReleasesEmail = AccountDeleted | Extract<UserEvent, { type: 'EmailChanged' }>;
export type AccountDeleted = Extract<AccountEvent, { type: 'AccountDeleted' }>;

/** A registered e-mail gets its user and its account; a crash in between is made good on the next start. */
export function openAccount(commands: CommandHandler): Policy {
  return {
    name: 'open-account',
    handles: new Set(['EmailRegistered']),
    react: async (event) => {
      const { userId, accountId, email, name } = as<EmailRegistered>(event).data;
      const context = causedBy(event, 'open-account');
      await commands.handle(
        accountDecider,
        accountStream(accountId),
        { type: 'OpenAccount', ownerId: userId },
        context,
      );
      await commands.handle(
        userDecider,
        userStream(userId),
        { type: 'RegisterUser', user: { accountId, email, name } },
        context,
      );
    },
  };
}

/** A request for a new password reaches the user who has the e-mail then, if anybody has. */
export function offerPasswordReset(commands: CommandHandler): Policy {
  return {
    name: 'offer-password-reset',
    handles: new Set<EmailEvent['type']>(['PasswordResetRequested']),
    react: async (event) => {
      const { expiresAt } = as<PasswordResetRequested>(event).data;
      const { streamId: emailHash, stream, revision } = event;
      const holder = holderOf((await commands.load(stream)).slice(0, revision));
      if (!holder) return;
      const { userId, email } = holder.data;
      const known = fold(userDecider, await commands.load(userStream(userId)));
      // No fault of the event: the policy that opens accounts is behind.
      if (!known.exists) throw new Outage(`the user ${userId} is not there yet`);
      await commands.handle(
        userDecider,
        userStream(userId),
        { type: 'OfferPasswordReset', offer: { email, emailHash, expiresAt } },
        causedBy(event, 'offer-password-reset'),
      );
    },
  };
}

/** An e-mail that was claimed becomes its user's, or is free again where there is nobody any more. */
export function changeEmail(commands: CommandHandler): Policy {
  return {
    name: 'change-email',
    handles: new Set<EmailEvent['type']>(['EmailClaimed']),
    react: async (event) => {
      const { userId, accountId, email: sealed } = as<EmailClaimed>(event).data;
      const context = causedBy(event, 'change-email');
      const changed = await commands.handle(
        userDecider,
        userStream(userId),
        { type: 'ChangeEmail', email: sealed, emailHash: event.streamId },
        context,
      );
      // Looked up after the change: a deletion that comes later finds the change and releases what is new.
      const { deleted } = fold(accountDecider, await commands.load(accountStream(accountId)));
      if (changed.kind === 'accepted' && !deleted) return;
      await commands.handle(emailDecider, event.stream, { type: 'ReleaseEmail', userId }, context);
    },
  };
}

/** The e-mail of a deleted account is free again, and so is one that its user has changed. */
export function releaseEmail(commands: CommandHandler): Policy {
  const name = 'release-email';
  return {
    name,
    handles: new Set<ReleasesEmail['type']>(['AccountDeleted', 'EmailChanged']),
    react: async (event) => {
      const { type, data } = as<ReleasesEmail>(event);
      const release = (emailHash: string, userId: string) =>
        commands.handle(
          emailDecider,
          emailStream(emailHash),
          { type: 'ReleaseEmail', userId },
          causedBy(event, name),
        );
      if (type === 'EmailChanged') {
        await release(data.previousHash, event.streamId);
        return;
      }
      const { ownerId, emailHash } = data;
      await release(emailHash, ownerId);
      // It may have been changed while the deletion was being decided.
      const current = fold(userDecider, await commands.load(userStream(ownerId))).emailHash;
      if (current !== undefined && current !== emailHash) await release(current, ownerId);
    },
  };
}

/** The personal data of a deleted account's user are erased, and only then is it confirmed. */
export function eraseUser(commands: CommandHandler, personal: PersonalData): Policy {
  return {
    name: 'erase-user',
    handles: new Set(['AccountDeleted']),
    react: async (event) => {
      const { ownerId } = as<AccountDeleted>(event).data;
      await personal.erase([ownerId]);
      await commands.handle(
        userDecider,
        userStream(ownerId),
        { type: 'ConfirmErasure', accountId: event.streamId },
        causedBy(event, 'erase-user'),
      );
    },
  };
}
