import type { Sql } from '../../src/sql/sql.js';
import type { ReadModelAccess } from '../../src/following/readModel.js';

export class MailQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** Ids of mails that were asked for and are not done, the oldest first. */
  async pending(limit: number, without: readonly string[]): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      `SELECT id FROM ${this.model.t('mails')} WHERE done_at IS NULL AND id <> ALL($2::text[])
        ORDER BY requested_at, id LIMIT $1`,
      [limit, without],
    );
    return rows.map(({ id }) => id);
  }
}
