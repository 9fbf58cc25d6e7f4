import type { Sealed } from '../secrets/personalData.js';

/**
 * Stream `email-<keyed hash>`: who has the e-mail, from a registration or a change to its release (decision 3).
 * Personal fields are sealed, the password's hash (argon2id, RFC 9106) too, so that erasing removes it.
 */
export type EmailEvent =
  | {
      readonly type: 'EmailRegistered';
      readonly data: {
        readonly userId: string;
        readonly accountId: string;
        readonly email: Sealed;
        readonly name: Sealed;
        readonly passwordHash: Sealed;
      };
    }
  | {
      /** A user has shown that this e-mail is theirs and changes to it: the user's stream follows by a policy. */
      readonly type: 'EmailClaimed';
      readonly data: {
        readonly userId: string;
        readonly accountId: string;
        readonly email: Sealed;
        readonly name: Sealed;
        readonly passwordHash: Sealed;
        /** When the user registered. ISO 8601. */
        readonly registeredAt: string;
      };
    }
  | {
      /** Stored alike whether anybody has the e-mail or not, so that asking tells nothing. */
      readonly type: 'PasswordResetRequested';
      readonly data: {
        /** When the token that is mailed is over. ISO 8601. */
        readonly expiresAt: string;
      };
    }
  | {
      /** An operator asks whoever reads mails to this address to register. */
      readonly type: 'EmailInvited';
      readonly data: {
        readonly invitationId: string;
        /** Sealed for the invitation, until the mail is sent. */
        readonly email: Sealed;
        /** Until then somebody may register with it where registering takes an invitation. ISO 8601. */
        readonly expiresAt: string;
        /** The operator's account. */
        readonly accountId: string;
      };
    }
  | { readonly type: 'EmailReleased'; readonly data: { readonly userId: string } };

/** Stream `user-<id>`: who signs in. */
export type UserEvent =
  | {
      readonly type: 'UserRegistered';
      readonly data: { readonly accountId: string; readonly email: Sealed; readonly name: Sealed };
    }
  | {
      /** Ends all sessions too, those that sign in with the old password at this moment among them. */
      readonly type: 'PasswordChanged';
      readonly data: {
        readonly accountId: string;
        readonly passwordHash: Sealed;
        readonly epoch: number;
      };
    }
  /** The e-mail was shown to be the user's. */
  | { readonly type: 'EmailVerified'; readonly data: { readonly accountId: string } }
  | {
      /** Asks for the mail with the token that sets a new password. */
      readonly type: 'PasswordResetOffered';
      readonly data: {
        readonly accountId: string;
        /** Where the mail goes. */
        readonly email: Sealed;
        readonly emailHash: string;
        /** Was for the mail, which calls nobody by a name any more. */
        readonly name?: Sealed;
        /** The user's epoch: in a later one the token is over. */
        readonly epoch: number;
        readonly expiresAt: string;
      };
    }
  | {
      /** Asks for the mail to the new address, which has to be confirmed. The last request alone is good. */
      readonly type: 'EmailChangeRequested';
      readonly data: {
        readonly accountId: string;
        readonly email: Sealed;
        readonly emailHash: string;
        /** Of the e-mail that the user had. */
        readonly previousHash: string;
        /** The user's epoch: in a later one the token is over. */
        readonly epoch: number;
        readonly expiresAt: string;
      };
    }
  | {
      /** Asks for the release of the previous e-mail, and for a notice to it. */
      readonly type: 'EmailChanged';
      readonly data: {
        readonly accountId: string;
        readonly email: Sealed;
        readonly emailHash: string;
        readonly previous: Sealed;
        readonly previousHash: string;
      };
    }
  | {
      readonly type: 'ProfileUpdated';
      readonly data: { readonly accountId: string; readonly name: Sealed };
    }
  /** The sessions that began in an earlier epoch have ended, on every device. */
  | {
      readonly type: 'SessionsEnded';
      readonly data: { readonly accountId: string; readonly epoch: number };
    }
  /** Confirms that the user's subject key is gone, and with it what was sealed. */
  | { readonly type: 'UserErased'; readonly data: { readonly accountId: string } };

/** Stream `account-<id>`: who pays. */
export type AccountEvent =
  | { readonly type: 'AccountOpened'; readonly data: { readonly ownerId: string } }
  /** The name is sealed for the owner, and erased with them. */
  | { readonly type: 'AccountRenamed'; readonly data: { readonly ownerId: string; readonly name: Sealed } }
  | {
      /** Asks for all that follows: keys, subscription, e-mail and personal data (policies). */
      readonly type: 'AccountDeleted';
      readonly data: {
        readonly ownerId: string;
        /** Names the e-mail's stream, which nobody can tell any more once the e-mail is erased. */
        readonly emailHash: string;
        readonly by: string;
      };
    };

/** Who registers users that an operator brings in from another system. */
export const IMPORTED_BY = 'operator:import';

/** Owns an account that no user has: that of a key from the environment. No user's id. */
export const NOBODY = 'nobody';

/** What a token says that is mailed to an e-mail of a user, and is over with the user's epoch. */
export interface MailedToken {
  readonly userId: string;
  readonly epoch: number;
  readonly emailHash: string;
}

export const mailedSubject = ({ userId, epoch, emailHash }: MailedToken): string =>
  `${userId}.${epoch}.${emailHash}`;

/** The reverse of `mailedSubject`, for a subject that we signed. */
export function mailedToken(subject: string): MailedToken {
  const [userId = '', epoch, emailHash = ''] = subject.split('.');
  return { userId, epoch: Number(epoch), emailHash };
}

export const emailStream = (emailHash: string): string => `email-${emailHash}`;
export const userStream = (userId: string): string => `user-${userId}`;
export const accountStream = (accountId: string): string => `account-${accountId}`;
