import type { Audited } from '../eventsourcing/audited.js';
import type { AccountEvent, EmailEvent, UserEvent } from './events.js';
import { NOBODY } from './events.js';

/** Registering is told by the account that is opened, erasing by the one that is deleted. */
type AuditedOfUser = Extract<
  UserEvent,
  {
    type:
      | 'EmailVerified'
      | 'PasswordChanged'
      | 'PasswordResetOffered'
      | 'EmailChangeRequested'
      | 'EmailChanged'
      | 'ProfileUpdated'
      | 'SessionsEnded';
  }
>;

/** What the audit log keeps. */
export const audited: Audited<AccountEvent | Extract<EmailEvent, { type: 'EmailInvited' }> | AuditedOfUser> =
  {
    EmailInvited: ({ accountId, invitationId }) => ({
      account: accountId,
      subject: `invitation:${invitationId}`,
    }),
    AccountOpened: ({ ownerId }, id) => ({
      account: id,
      ...(ownerId !== NOBODY && { actor: `user:${ownerId}` }),
    }),
    AccountRenamed: (_data, id) => ({ account: id }),
    AccountDeleted: ({ by }, id) => ({ account: id, actor: by }),
    EmailVerified: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
    PasswordChanged: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
    // Anybody may have asked for it.
    PasswordResetOffered: ({ accountId }) => ({ account: accountId }),
    EmailChangeRequested: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
    EmailChanged: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
    ProfileUpdated: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
    SessionsEnded: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
  };
