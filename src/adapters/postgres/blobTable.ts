import type { BlobStore } from '../../blobs/store.js';
import type { Sql } from '../../sql/sql.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS vault;
CREATE TABLE IF NOT EXISTS vault.blob_bodies (
  id         text PRIMARY KEY,
  body       bytea NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- They are encrypted: compressing them would be for nothing.
ALTER TABLE vault.blob_bodies ALTER COLUMN body SET STORAGE EXTERNAL;`;

/** Bodies in PostgreSQL, which several processes share. */
export async function blobTable(sql: Sql): Promise<BlobStore> {
  await sql.script(MIGRATION);
  return {
    write: async (id, body) => {
      await sql.query(
        `INSERT INTO vault.blob_bodies (id, body) VALUES ($1, $2)
         ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body, written_at = clock_timestamp()`,
        [id, body],
      );
    },
    read: async (id) => {
      const [row] = await sql.query<{ body: Uint8Array }>(
        'SELECT body FROM vault.blob_bodies WHERE id = $1',
        [id],
      );
      return row && Buffer.from(row.body);
    },
    remove: async (id) => {
      await sql.query('DELETE FROM vault.blob_bodies WHERE id = $1', [id]);
    },
    olderThan: async (time, after, limit) => {
      const rows = await sql.query<{ id: string }>(
        'SELECT id FROM vault.blob_bodies WHERE written_at < $1 AND id > $2 ORDER BY id LIMIT $3',
        [new Date(time), after, limit],
      );
      return rows.map(({ id }) => id);
    },
  };
}
