import type { Position } from '../../src/eventsourcing/event.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';
import { subjectId } from '../../src/usage/events.js';

/** What an account has used, by meter and period, all of one moment. */
export interface BilledUse {
  /** The last event that is in it. */
  readonly seen: Position;
  /** 0 for what was not used. */
  amount(meter: string, period: string): bigint;
}

/** The ledger as whoever bills asks it: live use alone (decision 24). */
export class BilledUseQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  async of(accountId: string, periods: readonly string[]): Promise<BilledUse> {
    const subject = subjectId({ accountId, environment: 'live', keyId: undefined });
    for (;;) {
      const { model, version, generation } = this.model.state();
      const rows = await this.sql.query<{
        checkpoint: Position;
        meter: string | null;
        period: string | null;
        amount: string | null;
      }>(
        `SELECT m.checkpoint, c.meter, c.period, c.amount::text
           FROM read.models m
           LEFT JOIN ${this.model.t('counters')} c ON c.subject = $1 AND c.period = ANY($2::text[])
          WHERE m.model = $3 AND m.version = $4 AND m.generation = $5`,
        [subject, periods, model, version, generation],
      );
      const [first] = rows;
      // A rebuild has put another generation in its place: ask that one.
      if (!first) continue;
      const amounts = new Map<string, bigint>();
      for (const { meter, period, amount } of rows) {
        if (meter !== null && period !== null && amount !== null) {
          amounts.set(JSON.stringify([meter, period]), BigInt(amount));
        }
      }
      return {
        seen: first.checkpoint,
        amount: (meter, period) => amounts.get(JSON.stringify([meter, period])) ?? 0n,
      };
    }
  }
}
