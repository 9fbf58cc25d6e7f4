import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPglite } from '../../src/adapters/postgres/pglite.js';

/** PostgreSQL keeps five segments of 16 MB for what is written next (min_wal_size), beside the one in use. */
const SEGMENTS_MAX = 6;

it('the embedded database keeps no more of its write-ahead log than a start can read soon', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tollgraph-wal-'));
  const sql = await openPglite(directory);
  try {
    await sql.script('CREATE TABLE t (text text); ALTER TABLE t ALTER COLUMN text SET STORAGE EXTERNAL');
    for (let written = 0; written < 160; written += 8) {
      await sql.query("INSERT INTO t SELECT repeat('x', 1000000) FROM generate_series(1, 8)");
    }
    // Behind the last checkpoint, which comes after its answer.
    await sql.query('SELECT 1');
    const segments = (await readdir(join(directory, 'pg_wal'))).filter((name) => /^[0-9A-F]{24}$/.test(name));
    expect(segments.length).toBeLessThanOrEqual(SEGMENTS_MAX);
    expect(await sql.query('SELECT count(*) FROM t')).toEqual([{ count: 160 }]);
  } finally {
    await sql.close();
    await rm(directory, { recursive: true });
  }
}, 60_000);
