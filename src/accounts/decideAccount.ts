import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { AccountEvent } from './events.js';

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
