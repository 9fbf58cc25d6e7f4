import type { StoredEvent } from '../eventsourcing/event.js';

/** What a follower does at once: a read model a page of events, a policy one event. */
export interface Batch {
  readonly kind: 'read_model' | 'policy';
  /** Of the read model or the policy. */
  readonly name: string;
  /** The events that matter to it. */
  readonly events: readonly StoredEvent[];
}

/** Stands round the handling of each batch, for metrics and traces. */
export type BatchObserver = <R>(batch: Batch, handle: () => Promise<R>) => Promise<R>;

export const unobserved: BatchObserver = (_batch, handle) => handle();
