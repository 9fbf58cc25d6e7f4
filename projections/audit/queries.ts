import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';

export interface AuditRow {
  readonly position: number;
  /** Of the event. */
  readonly id: string;
  readonly at: Date;
  /** The event's type. */
  readonly action: string;
  /** E.g. `user:<id>`, `key:<id>`, `operator:<user id>`, `policy:<name>`, `system`. */
  readonly actor: string;
  readonly account_id: string | null;
  /** E.g. `key:<id>`. */
  readonly subject: string;
  readonly reason: string | null;
  readonly address: string | null;
}

/** Which entries; what is not given is not asked for. */
export interface AuditFilter {
  readonly accountId?: string | undefined;
  /** One of these, as facts have them. */
  readonly actors?: readonly string[] | undefined;
  readonly action?: string | undefined;
  /** From this time on. */
  readonly from?: Date | undefined;
  /** Before this time. */
  readonly to?: Date | undefined;
}

export class AuditQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /**
   * Entries, the newest first; one more than `first` where there are more.
   * @param before the position of the last entry of the page before
   */
  page(filter: AuditFilter, first: number, before: number | undefined): Promise<AuditRow[]> {
    const { accountId, actors, action, from, to } = filter;
    return this.sql.query(
      `SELECT * FROM ${this.model.t('entries')}
        WHERE ($1::text IS NULL OR account_id = $1) AND ($2::text[] IS NULL OR actor = ANY($2))
          AND ($3::text IS NULL OR action = $3)
          AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at < $5)
          AND ($6::bigint IS NULL OR position < $6)
        ORDER BY position DESC LIMIT $7`,
      [
        accountId ?? null,
        actors ?? null,
        action ?? null,
        from ?? null,
        to ?? null,
        before ?? null,
        first + 1,
      ],
    );
  }

  /** Entries by the ids of their events. */
  byIds(ids: readonly string[]): Promise<AuditRow[]> {
    return this.sql.query(`SELECT * FROM ${this.model.t('entries')} WHERE id = ANY($1::text[])`, [ids]);
  }

  /** All entries, the newest first, a page at a time: no more than one is held. */
  async *all(filter: AuditFilter, pageSize: number): AsyncGenerator<AuditRow[], void> {
    let before: number | undefined;
    do {
      const rows = await this.page(filter, pageSize, before);
      const page = rows.slice(0, pageSize);
      before = rows.length > pageSize ? page.at(-1)?.position : undefined;
      yield page;
    } while (before !== undefined);
  }
}
