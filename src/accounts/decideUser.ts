import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { UserEvent } from './events.js';

type UserRegistered = Extract<UserEvent, { type: 'UserRegistered' }>;
type PasswordResetOffered = Extract<UserEvent, { type: 'PasswordResetOffered' }>;
type EmailChangeRequested = Extract<UserEvent, { type: 'EmailChangeRequested' }>;
type Sealed = UserRegistered['data']['name'];

export type UserCommand =
  | { readonly type: 'RegisterUser'; readonly user: UserRegistered['data'] }
  | {
      readonly type: 'ChangePassword';
      readonly accountId: string;
      readonly passwordHash: Sealed;
      /** The user's epoch when the old password was checked. */
      readonly epoch: number;
    }
  | { readonly type: 'UpdateProfile'; readonly accountId: string; readonly name: Sealed }
  | { readonly type: 'VerifyEmail' }
  | {
      readonly type: 'OfferPasswordReset';
      readonly offer: Pick<PasswordResetOffered['data'], 'email' | 'emailHash' | 'expiresAt'>;
    }
  | {
      readonly type: 'ResetPassword';
      readonly passwordHash: Sealed;
      /** As the token says. */
      readonly emailHash: string;
      readonly epoch: number;
    }
  | {
      readonly type: 'RequestEmailChange';
      /** With the user's epoch when the password was checked. */
      readonly change: Omit<EmailChangeRequested['data'], 'accountId'>;
    }
  | { readonly type: 'ChangeEmail'; readonly email: Sealed; readonly emailHash: string }
  | { readonly type: 'ConfirmErasure'; readonly accountId: string };

export interface UserState {
  readonly exists: boolean;
  readonly erased: boolean;
  readonly accountId: string;
  readonly emailVerified: boolean;
  /** Grows whenever all sessions of the user end. */
  readonly epoch: number;
  /** Since it was changed; until then it is that of the registration. */
  readonly passwordHash: Sealed | undefined;
  /** The same for the name. */
  readonly name: Sealed | undefined;
  readonly email: Sealed | undefined;
  /** Known since a change of it was asked for first. */
  readonly emailHash: string | undefined;
  /** The e-mail that a new password may be set by, while there is a token for it. */
  readonly resetBy: string | undefined;
  /** The change of the e-mail that may be confirmed, while there is a token for it. */
  readonly change: { readonly email: Sealed; readonly emailHash: string } | undefined;
}

const TOKEN_OVER = refuse('TOKEN_INVALID', 'This token has expired or was used before.', 'token');

export const userDecider: Decider<UserState, UserCommand, UserEvent> = {
  initial: {
    exists: false,
    erased: false,
    accountId: '',
    emailVerified: false,
    epoch: 0,
    passwordHash: undefined,
    name: undefined,
    email: undefined,
    emailHash: undefined,
    resetBy: undefined,
    change: undefined,
  },
  evolve: (before, { type, data }) => {
    const state = { ...before, exists: true, accountId: data.accountId };
    switch (type) {
      case 'UserRegistered':
        return { ...state, email: data.email };
      case 'UserErased':
        return { ...state, erased: true };
      case 'ProfileUpdated':
        return { ...state, name: data.name };
      case 'EmailVerified':
        return { ...state, emailVerified: true };
      // Whoever ends all sessions may do it because of somebody else: what was mailed before is over too.
      case 'SessionsEnded':
        return { ...state, epoch: data.epoch, resetBy: undefined, change: undefined };
      case 'PasswordChanged': {
        const { epoch, passwordHash } = data;
        return { ...state, epoch, passwordHash, resetBy: undefined, change: undefined };
      }
      case 'PasswordResetOffered':
        return { ...state, resetBy: data.emailHash };
      case 'EmailChangeRequested': {
        const { email, emailHash, previousHash } = data;
        return { ...state, emailHash: state.emailHash ?? previousHash, change: { email, emailHash } };
      }
      case 'EmailChanged': {
        const { email, emailHash } = data;
        const over = { resetBy: undefined, change: undefined };
        return { ...state, ...over, email, emailHash, emailVerified: true };
      }
    }
  },
  decide: ({ exists, erased, epoch, emailVerified, ...state }, command) => {
    const { type } = command;
    if (type === 'RegisterUser') {
      return exists ? accept() : accept({ type: 'UserRegistered', data: command.user });
    }
    if (type === 'ConfirmErasure') {
      return erased ? accept() : accept({ type: 'UserErased', data: { accountId: command.accountId } });
    }
    if (!exists || erased) return refuse('NOT_FOUND', 'There is no such user yet, or it has been erased.');
    if (type === 'VerifyEmail') {
      const { accountId } = state;
      return emailVerified ? accept() : accept({ type: 'EmailVerified', data: { accountId } });
    }
    if (type === 'OfferPasswordReset') {
      const { accountId } = state;
      return accept({ type: 'PasswordResetOffered', data: { accountId, ...command.offer, epoch } });
    }
    if (type === 'ResetPassword') {
      if (command.epoch !== epoch || command.emailHash !== state.resetBy) return TOKEN_OVER;
      const { accountId } = state;
      const { passwordHash } = command;
      // Whoever has the token reads the mails to that address.
      return accept(
        { type: 'PasswordChanged', data: { accountId, passwordHash, epoch: epoch + 1 } },
        ...(emailVerified ? [] : [{ type: 'EmailVerified', data: { accountId } } as const]),
      );
    }
    if (type === 'RequestEmailChange') {
      if (command.change.epoch !== epoch) {
        return refuse('PASSWORD_WRONG', 'The password has been changed meanwhile.', 'password');
      }
      const previousHash = state.emailHash ?? command.change.previousHash;
      const { accountId } = state;
      return accept({ type: 'EmailChangeRequested', data: { accountId, ...command.change, previousHash } });
    }
    if (type === 'ChangeEmail') {
      const { accountId, email: previous, emailHash: previousHash } = state;
      const { email, emailHash } = command;
      if (previousHash === emailHash) return accept();
      if (previous === undefined || previousHash === undefined) {
        throw new Error('an e-mail was claimed for a user who had not asked for it');
      }
      return accept({ type: 'EmailChanged', data: { accountId, email, emailHash, previous, previousHash } });
    }
    const { accountId } = command;
    if (type === 'UpdateProfile') {
      return accept({ type: 'ProfileUpdated', data: { accountId, name: command.name } });
    }
    if (command.epoch !== epoch) {
      return refuse('PASSWORD_WRONG', 'The password has been changed meanwhile.', 'currentPassword');
    }
    const { passwordHash } = command;
    return accept({ type: 'PasswordChanged', data: { accountId, passwordHash, epoch: epoch + 1 } });
  },
};
