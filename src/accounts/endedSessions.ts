import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { SessionEvent, UserEvent } from './events.js';
import type { Session } from './sessions.js';
import { SESSION_SECONDS } from './sessions.js';

type Ending =
  | Extract<SessionEvent, { type: 'SessionEnded' }>
  | Extract<UserEvent, { type: 'SessionsEnded' | 'PasswordChanged' }>;

const ENDINGS: ReadonlySet<string> = new Set<Ending['type']>([
  'SessionEnded',
  'SessionsEnded',
  'PasswordChanged',
]);

/**
 * How long an ended session is remembered, in milliseconds: until its last token is over, and a minute more
 * for clocks that differ and for requests that were under way.
 */
export const ENDED_KEPT_MS = SESSION_SECONDS * 1000 + 60_000;

/** An end, from the read model. Times in milliseconds since the epoch. */
export interface KnownEnds {
  readonly sessions: Iterable<{ readonly sessionId: string; readonly at: number }>;
  readonly epochs: Iterable<{ readonly userId: string; readonly epoch: number; readonly at: number }>;
}

/**
 * Ended sessions, in memory: a projection like the key cache. Session tokens are good by their signature
 * alone, so this is what ends them. It holds the last quarter of an hour: older ones end by themselves.
 */
export class EndedSessions {
  /** By session id: when it ended. The oldest come first. */
  readonly #sessions = new Map<string, number>();
  /** By user id: the epoch, and since when. */
  readonly #epochs = new Map<string, { readonly epoch: number; readonly at: number }>();

  get size(): number {
    return this.#sessions.size + this.#epochs.size;
  }

  load({ sessions, epochs }: KnownEnds): void {
    for (const { sessionId, at } of sessions) this.#sessions.set(sessionId, at);
    for (const { userId, epoch, at } of epochs) this.#begin(userId, epoch, at);
  }

  apply(stored: StoredEvent): void {
    if (!ENDINGS.has(stored.type)) return;
    const { type, data } = as<Ending>(stored);
    const at = Date.parse(stored.metadata.at);
    this.#forget(at - ENDED_KEPT_MS);
    if (type === 'SessionEnded') this.#sessions.set(stored.streamId, at);
    else this.#begin(stored.streamId, data.epoch, at);
  }

  has({ sessionId, userId, epoch }: Session): boolean {
    return this.#sessions.has(sessionId) || (this.#epochs.get(userId)?.epoch ?? 0) > epoch;
  }

  /** The answering node applies an event before its follower does: the later epoch stands. */
  #begin(userId: string, epoch: number, at: number): void {
    if ((this.#epochs.get(userId)?.epoch ?? 0) >= epoch) return;
    this.#epochs.delete(userId);
    this.#epochs.set(userId, { epoch, at });
  }

  #forget(before: number): void {
    for (const [id, at] of this.#sessions) {
      if (at >= before) break;
      this.#sessions.delete(id);
    }
    for (const [id, { at }] of this.#epochs) {
      if (at >= before) break;
      this.#epochs.delete(id);
    }
  }
}
