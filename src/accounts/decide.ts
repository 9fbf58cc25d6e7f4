import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { AccountEvent, EmailEvent, UserEvent } from './events.js';

type EmailRegistered = Extract<EmailEvent, { type: 'EmailRegistered' }>;
type UserRegistered = Extract<UserEvent, { type: 'UserRegistered' }>;

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
  | { readonly type: 'ConfirmErasure'; readonly accountId: string };

export const user: Decider<{ exists: boolean; erased: boolean }, UserCommand, UserEvent> = {
  initial: { exists: false, erased: false },
  evolve: (_state, { type }) => ({ exists: true, erased: type === 'UserErased' }),
  decide: ({ exists, erased }, command) => {
    if (command.type === 'RegisterUser') {
      return exists ? accept() : accept({ type: 'UserRegistered', data: command.user });
    }
    return erased ? accept() : accept({ type: 'UserErased', data: { accountId: command.accountId } });
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
