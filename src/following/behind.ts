import type { Position } from '../eventsourcing/event.js';
import type { ReadModels } from './readModel.js';

/** How long an answer waits for a model, in milliseconds. */
const WAIT_MS = 1_000;

/**
 * Queries of a read model that mutations do not wait for. Whoever shows what they say has to tell what they must have
 * seen, so that no answer misses by oversight what its caller knows is stored.
 */
export class Behind<Q extends object> {
  constructor(
    private readonly model: string,
    private readonly queries: Q,
    private readonly models: Pick<ReadModels, 'reached'>,
  ) {}

  /** The queries, once the model has seen a position or has had its time. */
  async upTo(position: Position): Promise<Q> {
    await this.models.reached(this.model, position, WAIT_MS);
    return this.queries;
  }

  /** As they stand, for whoever has waited otherwise. */
  get asTheyStand(): Q {
    return this.queries;
  }
}
