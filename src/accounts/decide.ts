import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { AccountEvent, EmailEvent, UserEvent } from './events.js';

export type RegisterEmail = EmailEvent['data'];

export const email: Decider<{ taken: boolean }, RegisterEmail, EmailEvent> = {
  initial: { taken: false },
  evolve: () => ({ taken: true }),
  decide: (state, command) =>
    state.taken
      ? refuse('EMAIL_TAKEN', 'An account with this e-mail exists already.', 'email')
      : accept({ type: 'EmailRegistered', data: command }),
};

export const user: Decider<{ exists: boolean }, UserEvent['data'], UserEvent> = {
  initial: { exists: false },
  evolve: () => ({ exists: true }),
  decide: (state, command) => (state.exists ? accept() : accept({ type: 'UserRegistered', data: command })),
};

export const account: Decider<{ exists: boolean }, AccountEvent['data'], AccountEvent> = {
  initial: { exists: false },
  evolve: () => ({ exists: true }),
  decide: (state, command) => (state.exists ? accept() : accept({ type: 'AccountOpened', data: command })),
};
