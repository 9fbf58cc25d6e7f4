import type { Elapsed } from '../clock.js';
import { elapsed } from '../clock.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { SessionEvent, Session } from './events.js';
import type { UserEvent } from '../accounts/events.js';
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
 * How long an ended session is remembered, in milliseconds: until its last token is over, and a day more for
 * clocks that differ or are set. Otherwise one that was ahead for a moment would bring ended sessions back.
 */
export const ENDED_KEPT_MS = 2 * SESSION_SECONDS * 1000 + 24 * 3_600_000;

/** Ends, from the read model. */
export interface KnownEnds {
  readonly sessions: Iterable<{ readonly sessionId: string }>;
  readonly epochs: Iterable<{ readonly userId: string; readonly epoch: number }>;
}

/**
 * Ended sessions, in memory: a projection like the key cache. Session tokens are good by their signature
 * alone, so this is what ends them. It holds those of the last day: older ones end by themselves.
 */
export class EndedSessions {
  /** By session id: since when it is known here, as time passes. The oldest come first. */
  readonly #sessions = new Map<string, number>();
  /** By user id: the epoch, and since when. */
  readonly #epochs = new Map<string, { readonly epoch: number; readonly known: number }>();

  constructor(private readonly time: Elapsed = elapsed) {}

  get size(): number {
    return this.#sessions.size + this.#epochs.size;
  }

  load({ sessions, epochs }: KnownEnds): void {
    const now = this.time();
    for (const { sessionId } of sessions) this.#sessions.set(sessionId, now);
    for (const { userId, epoch } of epochs) this.#begin(userId, epoch, now);
  }

  apply(stored: StoredEvent): void {
    if (!ENDINGS.has(stored.type)) return;
    const { type, data } = as<Ending>(stored);
    const now = this.time();
    this.#forget(now - ENDED_KEPT_MS);
    if (type === 'SessionEnded') this.#sessions.set(stored.streamId, now);
    else this.#begin(stored.streamId, data.epoch, now);
  }

  has({ sessionId, userId, epoch }: Session): boolean {
    return this.#sessions.has(sessionId) || (this.#epochs.get(userId)?.epoch ?? 0) > epoch;
  }

  /** The answering node applies an event before its follower does: the later epoch stands. */
  #begin(userId: string, epoch: number, known: number): void {
    if ((this.#epochs.get(userId)?.epoch ?? 0) >= epoch) return;
    this.#epochs.delete(userId);
    this.#epochs.set(userId, { epoch, known });
  }

  #forget(before: number): void {
    for (const [id, known] of this.#sessions) {
      if (known >= before) break;
      this.#sessions.delete(id);
    }
    for (const [id, { known }] of this.#epochs) {
      if (known >= before) break;
      this.#epochs.delete(id);
    }
  }
}
