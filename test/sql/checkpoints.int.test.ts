import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openPglite } from '../../src/adapters/postgres/pglite.js';
import type { Place } from '../support/database.js';
import { freshPlace, ON_POSTGRES } from '../support/database.js';

/** A server makes its own checkpoints. */
const onPglite = ON_POSTGRES ? it.skip : it;

let place: Place;
let directory: string;
beforeEach(async () => {
  place = await freshPlace();
  directory = join(place.dataDir, 'postgres');
});
afterEach(() => place.remove());

/**
 * PostgreSQL keeps five segments of 16 MB for what is written next (min_wal_size), beside the one in use, those that
 * were filled since the last checkpoint, and as many as it expects to fill until the next: nine or ten. Without
 * checkpoints there would be more than fifteen.
 */
const SEGMENTS_MAX = 12;

onPglite(
  'the embedded database keeps no more of its write-ahead log than a start can read soon',
  async () => {
    const sql = await openPglite(directory);
    try {
      await sql.script('CREATE TABLE t (text text); ALTER TABLE t ALTER COLUMN text SET STORAGE EXTERNAL');
      for (let written = 0; written < 240; written += 8) {
        await sql.query("INSERT INTO t SELECT repeat('x', 1000000) FROM generate_series(1, 8)");
      }
      // Behind the last checkpoint, which comes after its answer.
      await sql.query('SELECT 1');
      const segments = (await readdir(join(directory, 'pg_wal'))).filter((name) =>
        /^[0-9A-F]{24}$/.test(name),
      );
      expect(segments.length).toBeLessThanOrEqual(SEGMENTS_MAX);
      expect(await sql.query('SELECT count(*) FROM t')).toEqual([{ count: 240 }]);
    } finally {
      await sql.close();
    }
  },
);

interface Found {
  readonly count: number;
  readonly last: number;
  readonly whole: boolean;
}

onPglite('and loses nothing that was stored when it is killed between and during checkpoints', async () => {
  let stored = 0;
  for (let round = 0; round < 6; round++) {
    const writer = fork(new URL('./writer.js', import.meta.url), [directory]);
    const exited = once(writer, 'exit');
    try {
      const [found] = (await once(writer, 'message')) as [Found];
      expect(found).toEqual({ count: found.last, last: found.last, whole: true });
      expect(found.last).toBeGreaterThanOrEqual(stored);
      const enough = found.last + 150 + Math.floor(Math.random() * 150);
      writer.on('message', (n: number) => {
        stored = n;
        if (n === enough) writer.kill('SIGKILL');
      });
      await exited;
      expect(stored).toBeGreaterThanOrEqual(enough);
    } finally {
      writer.kill('SIGKILL');
      await exited;
    }
  }
});
