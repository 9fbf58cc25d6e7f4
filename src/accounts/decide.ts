import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { AccountEvent, EmailEvent, SessionEnd, SessionEvent, UserEvent } from './events.js';

type EmailRegistered = Extract<EmailEvent, { type: 'EmailRegistered' }>;
type UserRegistered = Extract<UserEvent, { type: 'UserRegistered' }>;
type Sealed = UserRegistered['data']['name'];

export type EmailCommand =
  | { readonly type: 'RegisterEmail'; readonly registration: EmailRegistered['data'] }
  | { readonly type: 'ReleaseEmail'; readonly userId: string };

export const EMAIL_TAKEN = {
  kind: 'refused',
  refusal: {
    code: 'EMAIL_TAKEN',
    message: 'An account with this e-mail exists already.',
    field: 'email',
  },
} as const;

export const email: Decider<{ holder: string | undefined }, EmailCommand, EmailEvent> = {
  initial: { holder: undefined },
  evolve: (_state, { type, data }) => ({ holder: type === 'EmailRegistered' ? data.userId : undefined }),
  decide: ({ holder }, command) => {
    if (command.type === 'RegisterEmail') {
      return holder === undefined
        ? accept({ type: 'EmailRegistered', data: command.registration })
        : EMAIL_TAKEN;
    }
    // Released before, it may be another user's by now.
    if (holder !== command.userId) return accept();
    return accept({ type: 'EmailReleased', data: { userId: command.userId } });
  },
};

export type UserCommand =
  | { readonly type: 'RegisterUser'; readonly user: UserRegistered['data'] }
  | { readonly type: 'EndSessions'; readonly accountId: string }
  | {
      readonly type: 'ChangePassword';
      readonly accountId: string;
      readonly passwordHash: Sealed;
      /** The user's epoch when the old password was checked. */
      readonly epoch: number;
    }
  | { readonly type: 'UpdateProfile'; readonly accountId: string; readonly name: Sealed }
  | { readonly type: 'VerifyEmail' }
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
}

export const user: Decider<UserState, UserCommand, UserEvent> = {
  initial: {
    exists: false,
    erased: false,
    accountId: '',
    emailVerified: false,
    epoch: 0,
    passwordHash: undefined,
    name: undefined,
  },
  evolve: (state, { type, data }) => ({
    exists: true,
    erased: state.erased || type === 'UserErased',
    accountId: data.accountId,
    emailVerified: state.emailVerified || type === 'EmailVerified',
    epoch: type === 'SessionsEnded' || type === 'PasswordChanged' ? data.epoch : state.epoch,
    passwordHash: type === 'PasswordChanged' ? data.passwordHash : state.passwordHash,
    name: type === 'ProfileUpdated' ? data.name : state.name,
  }),
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
    const { accountId } = command;
    if (type === 'EndSessions') {
      return accept({ type: 'SessionsEnded', data: { accountId, epoch: epoch + 1 } });
    }
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

type SessionStarted = Extract<SessionEvent, { type: 'SessionStarted' }>;

export type SessionCommand =
  | { readonly type: 'StartSession'; readonly session: SessionStarted['data'] }
  | { readonly type: 'EndSession'; readonly reason: SessionEnd };

export interface SessionState {
  readonly started: SessionStarted['data'] | undefined;
  readonly ended: boolean;
}

export const session: Decider<SessionState, SessionCommand, SessionEvent> = {
  initial: { started: undefined, ended: false },
  evolve: (state, { type, data }) =>
    type === 'SessionStarted' ? { started: data, ended: false } : { ...state, ended: true },
  decide: ({ started, ended }, command) => {
    if (command.type === 'StartSession') {
      return started ? accept() : accept({ type: 'SessionStarted', data: command.session });
    }
    if (!started) return refuse('NOT_FOUND', 'There is no such session.');
    if (ended) return accept();
    const { userId, accountId } = started;
    return accept({ type: 'SessionEnded', data: { userId, accountId, reason: command.reason } });
  },
};

export type AccountCommand =
  | { readonly type: 'OpenAccount'; readonly ownerId: string }
  | {
      readonly type: 'DeleteAccount';
      readonly ownerId: string;
      readonly emailHash: string;
      readonly by: string;
    };

interface AccountState {
  readonly ownerId: string | undefined;
  readonly deleted: boolean;
}

export const account: Decider<AccountState, AccountCommand, AccountEvent> = {
  initial: { ownerId: undefined, deleted: false },
  evolve: (_state, { type, data }) => ({ ownerId: data.ownerId, deleted: type === 'AccountDeleted' }),
  decide: (state, command) => {
    const { ownerId } = command;
    if (command.type === 'OpenAccount') {
      return state.ownerId === undefined ? accept({ type: 'AccountOpened', data: { ownerId } }) : accept();
    }
    if (state.ownerId !== ownerId) {
      return refuse('NOT_FOUND', 'There is no account with this id, or it belongs to another user.');
    }
    if (state.deleted) return accept();
    const { emailHash, by } = command;
    return accept({ type: 'AccountDeleted', data: { ownerId, emailHash, by } });
  },
};
