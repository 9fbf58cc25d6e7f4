import type { Sealed } from '../secrets/personalData.js';

/**
 * Stream `email-<keyed hash>`: who has the e-mail, from one registration to its release (decision 3).
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

/** Stream `session-<id>`: a user signed in on one device. Refreshing adds nothing to it (decision 4). */
export type SessionEvent =
  | {
      readonly type: 'SessionStarted';
      readonly data: {
        readonly userId: string;
        readonly accountId: string;
        /** The user's epoch at the time; with a later one the session has ended. */
        readonly epoch: number;
        readonly how: SessionStart;
      };
    }
  | {
      readonly type: 'SessionEnded';
      readonly data: {
        readonly userId: string;
        readonly accountId: string;
        readonly reason: SessionEnd;
      };
    };

export type SessionStart = 'registration' | 'password';
export type SessionEnd = 'signed_out' | 'refresh_token_reused';

/** Stream `account-<id>`: who pays. */
export type AccountEvent =
  | { readonly type: 'AccountOpened'; readonly data: { readonly ownerId: string } }
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

/** Owns an account that no user has: that of a key from the environment. No user's id. */
export const NOBODY = 'nobody';

export const emailStream = (emailHash: string): string => `email-${emailHash}`;
export const userStream = (userId: string): string => `user-${userId}`;
export const sessionStream = (sessionId: string): string => `session-${sessionId}`;
export const accountStream = (accountId: string): string => `account-${accountId}`;
