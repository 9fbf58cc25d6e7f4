import type { DomainEvent, StoredEvent } from './event.js';

/** An expected failure: a stable code and a sentence for the caller, no internals. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  /** The input field at fault, as a path, where there is one. */
  readonly field?: string;
}

export type Decision<E extends DomainEvent> =
  | { readonly kind: 'accepted'; readonly events: readonly E[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export const accept = <E extends DomainEvent>(...events: E[]): Decision<E> => ({
  kind: 'accepted',
  events,
});

export const refuse = (code: string, message: string, field?: string): Decision<never> => ({
  kind: 'refused',
  refusal: field === undefined ? { code, message } : { code, message, field },
});

/**
 * The rules of one kind of stream. Both functions are pure: time, ids and secrets come in with the
 * command. An exception is a bug, never a refusal.
 */
export interface Decider<State, Command, Event extends DomainEvent> {
  readonly initial: State;
  evolve(state: State, event: Event): State;
  decide(state: State, command: Command): Decision<Event>;
}

export function fold<S, C, E extends DomainEvent>(
  decider: Decider<S, C, E>,
  events: readonly StoredEvent[],
): S {
  let state = decider.initial;
  for (const event of events) state = decider.evolve(state, event as unknown as E);
  return state;
}
