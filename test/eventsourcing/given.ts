import type { Decider, Decision } from '../../src/eventsourcing/decider.js';
import type { DomainEvent } from '../../src/eventsourcing/event.js';

interface Then<E extends DomainEvent> {
  readonly decision: Decision<E>;
  /** Exactly these events; none for a command that changes nothing. */
  then(...events: E[]): void;
  thenRefused(code: string, field?: string): void;
}

/** `given(decider, ...events).when(command).then(...events)`: a rule of a decider as an example. */
export function given<S, C, E extends DomainEvent>(
  decider: Decider<S, C, E>,
  ...events: E[]
): { when(command: C): Then<E> } {
  const state = events.reduce((s, event) => decider.evolve(s, event), decider.initial);
  return {
    when: (command) => {
      const decision = decider.decide(state, command);
      return {
        decision,
        then: (...expected) => expect(decision).toEqual({ kind: 'accepted', events: expected }),
        thenRefused: (code, field) => {
          const message: unknown = expect.stringMatching(/\S.*[.)]$/);
          const refusal = field === undefined ? { code, message } : { code, message, field };
          expect(decision).toEqual({ kind: 'refused', refusal });
        },
      };
    },
  };
}
