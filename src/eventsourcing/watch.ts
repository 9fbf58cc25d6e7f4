import type { StoredEvent } from './event.js';

/** What a follower does at once: a read model a page of events, a policy one event. */
export interface Batch {
  readonly kind: 'read_model' | 'policy';
  /** Of the read model or the policy. */
  readonly name: string;
  /** The events that matter to it. */
  readonly events: readonly StoredEvent[];
}

/** Stands round the handling of each batch, for metrics and traces. */
export type Watch = <R>(batch: Batch, handle: () => Promise<R>) => Promise<R>;

export const unwatched: Watch = (_batch, handle) => handle();
