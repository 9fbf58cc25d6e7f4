import type { Sealed } from '../secrets/personalData.js';

/** Stream `email-<keyed hash>`: a taken e-mail is a stream that exists (decision 3). */
export type EmailEvent = {
  readonly type: 'EmailRegistered';
  readonly data: {
    readonly userId: string;
    readonly accountId: string;
    readonly email: Sealed;
    readonly name: Sealed;
    /** An argon2id hash (RFC 9106), sealed like the rest so that erasing removes it too. */
    readonly passwordHash: Sealed;
  };
};

/** Stream `user-<id>`: who signs in. */
export type UserEvent = {
  readonly type: 'UserRegistered';
  readonly data: { readonly accountId: string; readonly email: Sealed; readonly name: Sealed };
};

/** Stream `account-<id>`: who pays. */
export type AccountEvent = {
  readonly type: 'AccountOpened';
  readonly data: { readonly ownerId: string };
};

export const emailStream = (emailHash: string): string => `email-${emailHash}`;
export const userStream = (userId: string): string => `user-${userId}`;
export const accountStream = (accountId: string): string => `account-${accountId}`;
