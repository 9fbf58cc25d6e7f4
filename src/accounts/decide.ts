import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type {
  AccountEvent,
  EmailEvent,
  IdentityLinked,
  SessionEnd,
  SessionEvent,
  UserEvent,
} from './events.js';

type EmailRegistered = Extract<EmailEvent, { type: 'EmailRegistered' }>;
type EmailClaimed = Extract<EmailEvent, { type: 'EmailClaimed' }>;
type UserRegistered = Extract<UserEvent, { type: 'UserRegistered' }>;
type PasswordResetOffered = Extract<UserEvent, { type: 'PasswordResetOffered' }>;
type EmailChangeRequested = Extract<UserEvent, { type: 'EmailChangeRequested' }>;
type Sealed = UserRegistered['data']['name'];

export type EmailCommand =
  | { readonly type: 'RegisterEmail'; readonly registration: EmailRegistered['data'] }
  | { readonly type: 'ClaimEmail'; readonly claim: EmailClaimed['data'] }
  | { readonly type: 'RequestPasswordReset'; readonly at: Date; readonly expiresAt: Date }
  | { readonly type: 'ReleaseEmail'; readonly userId: string };

/** Tokens for a new password that are good at once, for each e-mail. */
const RESETS_AT_ONCE = 3;

export const EMAIL_TAKEN = {
  kind: 'refused',
  refusal: {
    code: 'EMAIL_TAKEN',
    message: 'An account with this e-mail exists already.',
    field: 'email',
  },
} as const;

interface EmailState {
  readonly holder: string | undefined;
  /** When the last tokens for a new password are over, at most RESETS_AT_ONCE. */
  readonly resets: readonly string[];
}

export const emailDecider: Decider<EmailState, EmailCommand, EmailEvent> = {
  initial: { holder: undefined, resets: [] },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'EmailRegistered':
      case 'EmailClaimed':
        return { ...state, holder: data.userId };
      case 'EmailReleased':
        return { ...state, holder: undefined };
      case 'PasswordResetRequested':
        return { ...state, resets: [...state.resets, data.expiresAt].slice(-RESETS_AT_ONCE) };
    }
  },
  decide: ({ holder, resets }, command) => {
    switch (command.type) {
      case 'RegisterEmail':
        return holder === undefined
          ? accept({ type: 'EmailRegistered', data: command.registration })
          : EMAIL_TAKEN;
      case 'ClaimEmail':
        if (holder === command.claim.userId) return accept();
        return holder === undefined ? accept({ type: 'EmailClaimed', data: command.claim }) : EMAIL_TAKEN;
      case 'RequestPasswordReset': {
        const { at, expiresAt } = command;
        // Without a refusal: nobody is to learn whether somebody else has asked.
        if (resets.filter((end) => Date.parse(end) > at.getTime()).length >= RESETS_AT_ONCE) return accept();
        return accept({ type: 'PasswordResetRequested', data: { expiresAt: expiresAt.toISOString() } });
      }
      case 'ReleaseEmail':
        // Released before, it may be another user's by now.
        if (holder !== command.userId) return accept();
        return accept({ type: 'EmailReleased', data: { userId: command.userId } });
    }
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

const TOKEN_OVER = refuse('TOKEN_INVALID', 'This token is over, or was used before.', 'token');

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

export const sessionDecider: Decider<SessionState, SessionCommand, SessionEvent> = {
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

export const accountDecider: Decider<AccountState, AccountCommand, AccountEvent> = {
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

export interface IdentityCommand {
  readonly type: 'LinkIdentity';
  readonly link: IdentityLinked['data'];
}

/** Linked once, for good: another user never gets it. */
export const identityDecider: Decider<{ linked: boolean }, IdentityCommand, IdentityLinked> = {
  initial: { linked: false },
  evolve: () => ({ linked: true }),
  decide: ({ linked }, { link }) => (linked ? accept() : accept({ type: 'IdentityLinked', data: link })),
};
