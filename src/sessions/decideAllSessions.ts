import type { UserEvent } from '../accounts/events.js';
import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';

export interface AllSessionsCommand {
  readonly type: 'EndSessions';
  readonly accountId: string;
}

export interface AllSessions {
  /** Whether the user is there, and has not been erased. */
  readonly open: boolean;
  readonly erased: boolean;
  /** Grows whenever all sessions of the user end. */
  readonly epoch: number;
}

/** All sessions of a user, on the user's stream: a new epoch ends those of the earlier ones. */
export const allSessionsDecider: Decider<AllSessions, AllSessionsCommand, UserEvent> = {
  initial: { open: false, erased: false, epoch: 0 },
  evolve: ({ erased, epoch }, { type, data }) => {
    if (type === 'UserErased') return { open: false, erased: true, epoch };
    const next = type === 'SessionsEnded' || type === 'PasswordChanged' ? data.epoch : epoch;
    return { open: !erased, erased, epoch: next };
  },
  decide: ({ open, epoch }, { accountId }) =>
    open
      ? accept({ type: 'SessionsEnded', data: { accountId, epoch: epoch + 1 } })
      : refuse('NOT_FOUND', 'There is no such user yet, or it has been erased.'),
};
