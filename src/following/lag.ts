import type { Position } from '../eventsourcing/event.js';
import type { EventStore } from '../eventsourcing/eventStore.js';

/** How far behind the newest event somebody is. */
export interface Lag {
  /** Events that are not handled yet, counted up to COUNTED. */
  readonly events: number;
  /** Age of the oldest of them; 0 when there is none. */
  readonly seconds: number;
}

/** Above it the exact number matters to nobody, and counting costs. */
export const COUNTED = 10_000;

const NONE: Lag = { events: 0, seconds: 0 };

/** @throws StoreUnavailable */
export async function lagOf(store: EventStore, handled: Position, now: number): Promise<Lag> {
  const events = await store.countAfter(handled, COUNTED);
  if (events === 0) return NONE;
  const [oldest] = await store.readAll(handled, 1, 1);
  if (!oldest) return NONE;
  return { events, seconds: Math.max(0, now - Date.parse(oldest.metadata.at)) / 1000 };
}
