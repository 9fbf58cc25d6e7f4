// Writes numbered rows to the embedded database until it is killed; tells what it found, then each number that is stored.
import { openPglite } from '../../src/adapters/postgres/pglite.js';

/** A checkpoint follows every hundred rows or so. */
const MAX_WAL_BYTES = 256 * 1024;

const [directory = ''] = process.argv.slice(2);
const sql = await openPglite(directory, MAX_WAL_BYTES);
await sql.script(
  'CREATE TABLE IF NOT EXISTS t (n int PRIMARY KEY, text text); ALTER TABLE t ALTER COLUMN text SET STORAGE EXTERNAL',
);
const [found] = await sql.query<{ count: number; last: number; whole: boolean }>(
  "SELECT count(*), coalesce(max(n), 0) AS last, coalesce(bool_and(text = repeat('x', 3000)), true) AS whole FROM t",
);
process.send?.(found);
for (let n = (found?.last ?? 0) + 1; ; n++) {
  await sql.query("INSERT INTO t VALUES ($1, repeat('x', 3000))", [n], 'journal');
  process.send?.(n);
}
