import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { SessionEnd, SessionEvent } from './events.js';

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
