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
  /** Confirms that the user's subject key is gone, and with it what was sealed. */
  | { readonly type: 'UserErased'; readonly data: { readonly accountId: string } };

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

export const emailStream = (emailHash: string): string => `email-${emailHash}`;
export const userStream = (userId: string): string => `user-${userId}`;
export const accountStream = (accountId: string): string => `account-${accountId}`;
