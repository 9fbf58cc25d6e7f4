import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { as } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import type { PersonalData } from '../secrets/personalData.js';
import { account, email, user } from './decide.js';
import type { AccountEvent, EmailEvent, SessionEvent, UserEvent } from './events.js';
import { accountStream, emailStream, userStream } from './events.js';
import type { RefreshTokens } from './refreshTokens.js';

type EmailRegistered = Extract<EmailEvent, { type: 'EmailRegistered' }>;
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
        account,
        accountStream(accountId),
        { type: 'OpenAccount', ownerId: userId },
        context,
      );
      await commands.handle(
        user,
        userStream(userId),
        { type: 'RegisterUser', user: { accountId, email, name } },
        context,
      );
    },
  };
}

/** The e-mail of a deleted account is free again. */
export function releaseEmail(commands: CommandHandler): Policy {
  return {
    name: 'release-email',
    handles: new Set(['AccountDeleted']),
    react: async (event) => {
      const { ownerId, emailHash } = as<AccountDeleted>(event).data;
      await commands.handle(
        email,
        emailStream(emailHash),
        { type: 'ReleaseEmail', userId: ownerId },
        causedBy(event, 'release-email'),
      );
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
        user,
        userStream(ownerId),
        { type: 'ConfirmErasure', accountId: event.streamId },
        causedBy(event, 'erase-user'),
      );
    },
  };
}

type SessionsOver =
  | Extract<SessionEvent, { type: 'SessionEnded' }>
  | Extract<UserEvent, { type: 'SessionsEnded' | 'PasswordChanged' }>
  | AccountDeleted;

/** The refresh tokens of ended sessions are removed. They are refused without it: this only tidies up. */
export function forgetRefreshTokens(tokens: RefreshTokens): Policy {
  return {
    name: 'forget-refresh-tokens',
    handles: new Set<SessionsOver['type']>([
      'SessionEnded',
      'SessionsEnded',
      'PasswordChanged',
      'AccountDeleted',
    ]),
    react: async (event) => {
      const { type, data } = as<SessionsOver>(event);
      if (type === 'SessionEnded') await tokens.forgetSession(event.streamId);
      else if (type === 'AccountDeleted') await tokens.forgetUser(data.ownerId, null);
      else await tokens.forgetUser(event.streamId, data.epoch);
    },
  };
}
