import type { Environment, Position } from '../../src/eventsourcing/event.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

/** A batch of the journal: an event, by its place. */
export interface BatchPlace {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  readonly event: string;
}

/** Which batches are asked for. */
export interface BatchesAsked {
  readonly account: string;
  readonly environment: Environment;
  readonly key: string | undefined;
  readonly endpoint: string | undefined;
  /** Milliseconds since the epoch: batches with a use from here on. */
  readonly from: number | undefined;
  /** Exclusive. */
  readonly to: number | undefined;
}

export class UseBatchQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** Batches that hold such uses, the newest first. @param upTo a position, inclusive; undefined for all */
  batches(
    { account, environment, key, endpoint, from, to }: BatchesAsked,
    upTo: Position | undefined,
    limit: number,
  ): Promise<BatchPlace[]> {
    const params: unknown[] = [account, environment, limit];
    const when = (condition: string, value: unknown): string =>
      value === undefined ? '' : ` AND ${condition.replace('?', `$${params.push(value)}`)}`;
    const where = [
      when('position <= ?::bigint', upTo),
      when('key = ?::text', key),
      when('?::text = ANY(endpoints)', endpoint),
      when('last_at >= ?::bigint', from),
      when('first_at < ?::bigint', to),
    ];
    return this.sql.query(
      `SELECT position, min(stream) AS stream, min(revision) AS revision, min(event::text) AS event
         FROM ${this.model.t('batches')} WHERE account = $1 AND environment = $2${where.join('')}
        GROUP BY position ORDER BY position DESC LIMIT $3`,
      params,
    );
  }

  /** Where something of these batches was taken back. */
  corrections(
    events: readonly string[],
  ): Promise<{ readonly batch: string; readonly stream: string; readonly revision: number }[]> {
    return this.sql.query(
      `SELECT batch::text AS batch, stream, revision FROM ${this.model.t('corrections')} WHERE batch = ANY($1::uuid[])`,
      [events],
    );
  }
}
