import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { AccountEvent } from './events.js';

type Name = Extract<AccountEvent, { type: 'AccountRenamed' }>['data']['name'];

export type AccountCommand =
  | { readonly type: 'OpenAccount'; readonly ownerId: string }
  | { readonly type: 'RenameAccount'; readonly ownerId: string; readonly name: Name }
  | {
      readonly type: 'DeleteAccount';
      readonly ownerId: string;
      readonly emailHash: string;
      readonly by: string;
    };

interface AccountState {
  readonly ownerId: string | undefined;
  readonly deleted: boolean;
  readonly name: Name | undefined;
}

export const accountDecider: Decider<AccountState, AccountCommand, AccountEvent> = {
  initial: { ownerId: undefined, deleted: false, name: undefined },
  evolve: ({ deleted, name }, { type, data }) => ({
    ownerId: data.ownerId,
    deleted: deleted || type === 'AccountDeleted',
    name: type === 'AccountRenamed' ? data.name : name,
  }),
  decide: (state, command) => {
    const { ownerId } = command;
    if (command.type === 'OpenAccount') {
      return state.ownerId === undefined ? accept({ type: 'AccountOpened', data: { ownerId } }) : accept();
    }
    if (state.ownerId !== ownerId) {
      return refuse('NOT_FOUND', 'There is no account with this id, or it belongs to another user.');
    }
    if (command.type === 'RenameAccount') {
      if (state.deleted) return refuse('NOT_FOUND', 'The account is not there any more.');
      return accept({ type: 'AccountRenamed', data: { ownerId, name: command.name } });
    }
    if (state.deleted) return accept();
    const { emailHash, by } = command;
    return accept({ type: 'AccountDeleted', data: { ownerId, emailHash, by } });
  },
};
