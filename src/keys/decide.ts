import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { KeyEvent } from './events.js';

type KeyIssued = Extract<KeyEvent, { type: 'KeyIssued' }>;

export type KeyCommand =
  | { readonly type: 'IssueKey'; readonly key: KeyIssued['data']; readonly at: Date }
  | { readonly type: 'RevokeKey'; readonly accountId: string; readonly by: string };

interface State {
  readonly accountId: string | undefined;
  readonly revoked: boolean;
}

export const key: Decider<State, KeyCommand, KeyEvent> = {
  initial: { accountId: undefined, revoked: false },
  evolve: (state, event) =>
    event.type === 'KeyIssued'
      ? { accountId: event.data.accountId, revoked: false }
      : { ...state, revoked: true },
  decide: (state, command) => {
    if (command.type === 'IssueKey') {
      const { expiresAt } = command.key;
      if (expiresAt !== null && Date.parse(expiresAt) <= command.at.getTime()) {
        return refuse('INVALID_INPUT', '"expiresAt" must be in the future.', 'expiresAt');
      }
      return accept({ type: 'KeyIssued', data: command.key });
    }
    // Another account's key is as good as none.
    if (state.accountId === undefined || state.accountId !== command.accountId) {
      return refuse('NOT_FOUND', 'There is no key with this id in your account.', 'id');
    }
    if (state.revoked) return accept();
    return accept({
      type: 'KeyRevoked',
      data: { accountId: command.accountId, by: command.by },
    });
  },
};
