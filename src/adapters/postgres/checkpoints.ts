import type { PGlite } from '@electric-sql/pglite';

/** Requests from one look at the log to the next, and what takes so long that it may have written much. */
const LOOK_EVERY = 64;
const LONG_MS = 10;

/**
 * Makes checkpoints. In PostgreSQL a process of its own does; PGlite has none, and would keep its
 * write-ahead log for as long as it runs.
 */
export class Checkpoints {
  #requests = 0;
  #last = '0/0';

  /** @param maxBytes of write-ahead log from one checkpoint to the next, about */
  constructor(
    private readonly db: PGlite,
    private readonly maxBytes: number,
  ) {}

  /** After each request. @param ms how long it took, in milliseconds */
  async after(ms: number): Promise<void> {
    if (++this.#requests % LOOK_EVERY !== 0 && ms < LONG_MS) return;
    try {
      await this.#look();
    } catch {
      // No room on the disk, say: whoever writes is told. The next look tries again.
    }
  }

  async #look(): Promise<void> {
    const { rows } = await this.db.query<{ bytes: number; now: string }>(
      'SELECT (now - $1::pg_lsn)::float8 AS bytes, now FROM pg_current_wal_lsn() AS now',
      [this.#last],
    );
    const [log] = rows;
    if (!log || log.bytes < this.maxBytes) return;
    await this.db.exec('CHECKPOINT');
    this.#last = log.now;
  }
}
