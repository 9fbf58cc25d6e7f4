import type { Decider } from './decider.js';
import { accept, refuse } from './decider.js';
import type { StoredEvent } from './event.js';
import type { EventCorrected } from './events.js';
import { schemaVersionOf } from './upcasting.js';

/** What an event should say. */
export interface CorrectEvent {
  /** As it is read now. */
  readonly event: StoredEvent;
  /** In the newest version of its type. */
  readonly data: object;
  /** The reason in its metadata; null for none. */
  readonly reason: string | null;
}

/** Corrections of events, and how many there are; what is corrected once may be corrected again. */
export const correctionsDecider: Decider<number, CorrectEvent, EventCorrected> = {
  initial: 0,
  evolve: (count) => count + 1,
  decide: (_count, { event: { id, stream, revision, type }, data, reason }) => {
    if (type === 'EventCorrected') {
      return refuse('INVALID_INPUT', 'A correction is corrected by correcting its event again.');
    }
    if (holdsUnstorable(data) || holdsUnstorable(reason)) {
      return refuse('INVALID_INPUT', 'A text may hold neither NUL nor half a surrogate pair.');
    }
    const schemaVersion = schemaVersionOf(type);
    const corrected = { event: id, stream, revision, eventType: type, schemaVersion, data, reason };
    return accept({ type: 'EventCorrected', data: corrected });
  },
};

/** What readers could not write to their tables. */
function holdsUnstorable(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed();
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some((entry) => entry.some(holdsUnstorable));
}
