import type { Position } from '../eventsourcing/event.js';
import type { EventStore } from '../eventsourcing/eventStore.js';

/** How far behind the newest event somebody is. */
export interface Lag {
  /** Events that are not handled yet, counted up to COUNTED. */
  readonly events: number;
  /** Age of the oldest of them; 0 when there is none, null where their dates do not tell. */
  readonly seconds: number | null;
}

/** Above it the exact number matters to nobody, and counting costs. */
export const COUNTED = 10_000;

/** As far as clocks of nodes may differ, in milliseconds: what is dated further ahead, a wrong clock has dated. */
const SKEW_MS = 5_000;
/** Of the oldest events: each is at least as old as those behind it, whatever its own date. */
const LOOKED_AT = 100;
const BYTES = 64 * 1024;

const NONE: Lag = { events: 0, seconds: 0 };

/** @throws StoreUnavailable */
export async function lagOf(store: EventStore, handled: Position, now: number): Promise<Lag> {
  const events = await store.countAfter(handled, COUNTED);
  if (events === 0) return NONE;
  const oldest = await store.readAll(handled, LOOKED_AT, BYTES);
  if (oldest.length === 0) return NONE;
  const ageMs = now - Math.min(...oldest.map(({ metadata }) => Date.parse(metadata.at)));
  return { events, seconds: ageMs < -SKEW_MS ? null : Math.max(0, ageMs) / 1000 };
}
