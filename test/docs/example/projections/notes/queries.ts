import type { ReadModelAccess } from '../../../../../src/following/readModel.js';
import type { Sql } from '../../../../../src/sql/sql.js';

export class NoteQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** The newest first. */
  async newest(accountId: string, limit: number): Promise<{ id: string; text: string }[]> {
    return this.sql.query(
      `SELECT id, text FROM ${this.model.t('notes')}
        WHERE account_id = $1 ORDER BY written_at DESC, id LIMIT $2`,
      [accountId, limit],
    );
  }
}
