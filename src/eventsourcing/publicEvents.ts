import type { StoredEvent } from './event.js';

/** An event as those outside are told of it, by webhook. */
export interface PublicEvent {
  /** E.g. `key.revoked`: stable, and never that of another event. */
  readonly type: string;
  /** A sentence: when it happens. */
  readonly description: string;
  /** Whose it is. */
  readonly account: (event: StoredEvent) => string;
  /**
   * The whole of what it is about, as it was after the event: never a secret, never a personal text. Ids are
   * those that answers show.
   * @param history of the event's stream; the event is the last
   */
  readonly state: (history: readonly StoredEvent[]) => object;
}

/** By the type of the stored event. */
export type PublicEvents = Readonly<Record<string, PublicEvent>>;

/** The same of the events of one capability. */
export type PublicEventsOf<E extends { readonly type: string }> = Readonly<
  Partial<Record<E['type'], PublicEvent>>
>;
