import type { Decider } from '../../../../../src/eventsourcing/decider.js';
import { accept, refuse } from '../../../../../src/eventsourcing/decider.js';
import { textProblem } from '../../../../../src/text/text.js';
import type { NoteEvent } from './events.js';

export type NoteCommand =
  | { readonly type: 'WriteNote'; readonly accountId: string; readonly text: string }
  | { readonly type: 'EraseNote'; readonly accountId: string };

interface State {
  /** Whose note it is; undefined before it is written, and once it is erased. */
  readonly accountId: string | undefined;
}

export const noteDecider: Decider<State, NoteCommand, NoteEvent> = {
  initial: { accountId: undefined },

  evolve: (_state, { type, data }) => ({ accountId: type === 'NoteWritten' ? data.accountId : undefined }),

  decide: ({ accountId }, command) => {
    switch (command.type) {
      case 'WriteNote': {
        const problem = textProblem('text', command.text, { min: 1, max: 500 });
        if (problem !== undefined) return refuse('INVALID_INPUT', problem, 'text');
        return accept({
          type: 'NoteWritten',
          data: { accountId: command.accountId, text: command.text },
        });
      }
      case 'EraseNote':
        // Another account's note is as good as none.
        if (accountId !== command.accountId) return refuse('NOT_FOUND', 'There is no note with this id.');
        return accept({ type: 'NoteErased', data: { accountId } });
    }
  },
};
