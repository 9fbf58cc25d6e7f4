import { setTimeout as delay } from 'node:timers/promises';
import type { Sql, Statement } from '../sql/sql.js';
import { LEASE_LOST, SqlError } from '../sql/sql.js';

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS read;
-- Who alone may write what \`name\` stands for. Time is the database's.
CREATE TABLE IF NOT EXISTS read.leases (
  name       text        PRIMARY KEY,
  holder     text        NOT NULL,
  -- The fencing token: raised whenever the lease is taken.
  epoch      bigint      NOT NULL,
  expires_at timestamptz NOT NULL
);
-- How far ahead the holder sets the end each time.
ALTER TABLE read.leases ADD COLUMN IF NOT EXISTS ttl interval NOT NULL DEFAULT interval '6 seconds';
-- The last statement of every write under a lease: prolongs it, raises when it has been taken away.
-- The row stays locked until the commit, so nobody takes the lease in between.
CREATE OR REPLACE FUNCTION read.hold(lease text, held bigint, ttl interval) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE read.leases AS l SET expires_at = clock_timestamp() + hold.ttl, ttl = hold.ttl
   WHERE l.name = lease AND l.epoch = held;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another process holds the lease on %', lease USING ERRCODE = '${LEASE_LOST}';
  END IF;
END $$;`;

/**
 * Prolongs leases, and says which are not held any more. What a write is locking is prolonged by that write. One
 * statement for all: with one for each, a slow database would be asked for more than it answers.
 */
const RENEW = `
WITH held AS (SELECT * FROM unnest($1::text[], $2::bigint[]) AS h(name, epoch)),
mine AS (SELECT l.name FROM read.leases AS l JOIN held USING (name, epoch) FOR UPDATE OF l SKIP LOCKED),
renewed AS (
  UPDATE read.leases AS l SET expires_at = clock_timestamp() + $3::interval, ttl = $3::interval
    FROM mine WHERE l.name = mine.name)
SELECT name FROM held WHERE NOT EXISTS (SELECT FROM read.leases AS l WHERE l.name = held.name AND l.epoch = held.epoch)`;

const TTL_MS = 6_000;
const LOOK_MS_MAX = 500;
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 5_000;

export interface LeaseOptions {
  /** This process' node; its leases of an earlier start are its own. */
  readonly holder: string;
  /** No other process can be on this database (PGlite): leases never expire and are not renewed. */
  readonly alone: boolean;
  /** How long a holder that shows no sign of life keeps a lease. */
  readonly ttlMs?: number;
}

/** A lease as it was taken: good as long as its epoch is the newest. */
export interface Lease {
  readonly name: string;
  readonly epoch: number;
  /** Aborted as soon as it is known to be lost. */
  readonly lost: AbortSignal;
  /** The last statement of a transaction that only the holder may commit. */
  readonly hold: Statement;
  /** Called by whoever has seen that it is lost. */
  lose(): void;
}

/** The leases of this process. */
export class Leases {
  readonly #held = new Set<Lease>();
  #heartbeat: NodeJS.Timeout | undefined;
  #renewing = false;

  private constructor(
    private readonly sql: Sql,
    private readonly options: LeaseOptions,
    private readonly ttl: string,
    private readonly ttlMs: number,
  ) {}

  static async open(sql: Sql, options: LeaseOptions): Promise<Leases> {
    await sql.script(MIGRATION);
    const { ttlMs = TTL_MS, alone } = options;
    return new Leases(sql, options, alone ? '1000 years' : `${ttlMs} milliseconds`, ttlMs);
  }

  /** Whether no other process can be on this database. */
  get alone(): boolean {
    return this.options.alone;
  }

  /** How long a standby waits before it looks again whether the lease is free, and where its holder stands. */
  get lookMs(): number {
    return Math.min(LOOK_MS_MAX, this.ttlMs / 6);
  }

  /**
   * Takes a lease that is free, has expired, or is `held` by the caller.
   * @param starting also takes over from an earlier process of this node: it is dead, or it would
   *   still have the data directory
   */
  async take(name: string, held?: Lease, starting = false): Promise<Lease | undefined> {
    if (held) this.#held.delete(held);
    const [row] = await this.sql.query<{ epoch: number }>(
      `INSERT INTO read.leases AS l VALUES ($1, $2, 1, clock_timestamp() + $3::interval, $3::interval)
       ON CONFLICT (name) DO UPDATE
         SET holder = excluded.holder, epoch = l.epoch + 1, expires_at = clock_timestamp() + $3::interval,
             ttl = excluded.ttl
         -- Further ahead than its holder sets it: the database's clock was set back, and a dead one would
         -- keep it for as long. One that lives sets it right within a third of that time.
         WHERE l.expires_at <= clock_timestamp() OR l.expires_at > clock_timestamp() + 2 * l.ttl
            OR l.epoch = $4 OR ($5 AND (l.holder = excluded.holder OR $6))
       RETURNING epoch`,
      [name, this.options.holder, this.ttl, held?.epoch ?? null, starting, this.options.alone],
    );
    if (!row) return undefined;
    const lost = new AbortController();
    const { epoch } = row;
    const lease: Lease = {
      name,
      epoch,
      lost: lost.signal,
      hold: { text: 'SELECT read.hold($1, $2, $3::interval)', params: [name, epoch, this.ttl] },
      lose: () => {
        this.#held.delete(lease);
        lost.abort();
      },
    };
    this.#held.add(lease);
    if (!this.options.alone) {
      this.#heartbeat ??= setInterval(() => void this.#renew(), this.ttlMs / 3).unref();
    }
    return lease;
  }

  /** Lets a lease go, so that a standby need not wait for its end. */
  async release(lease: Lease): Promise<void> {
    this.#held.delete(lease);
    if (this.#held.size === 0) {
      clearInterval(this.#heartbeat);
      this.#heartbeat = undefined;
    }
    await this.sql.query(
      'UPDATE read.leases SET expires_at = clock_timestamp() WHERE name = $1 AND epoch = $2',
      [lease.name, lease.epoch],
    );
  }

  /** Who holds a lease. */
  async holderOf(name: string): Promise<string | undefined> {
    const [row] = await this.sql.query<{ holder: string }>(
      'SELECT holder FROM read.leases WHERE name = $1 AND expires_at > clock_timestamp()',
      [name],
    );
    return row?.holder;
  }

  /** What writes hold a lease too; this is for the quiet hours. */
  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    const held = [...this.#held];
    try {
      const lost = await this.sql.query<{ name: string }>(RENEW, [
        held.map(({ name }) => name),
        held.map(({ epoch }) => epoch),
        this.ttl,
      ]);
      const names = new Set(lost.map(({ name }) => name));
      for (const lease of held) if (names.has(lease.name)) lease.lose();
    } catch {
      // A database that is away takes nothing away: what is written is fenced.
    } finally {
      this.#renewing = false;
    }
  }
}

export function isLeaseLost(error: unknown): boolean {
  return error instanceof SqlError && error.code === LEASE_LOST;
}

export interface LeadershipOptions {
  readonly leases: Leases;
  readonly name: string;
  /** Works under the lease until the signal, which comes when the lease is lost or at the end. */
  readonly lead: (lease: Lease, until: AbortSignal) => Promise<void>;
  /** Looks at what the holder does, again and again, while another process holds the lease. */
  readonly stand: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Leads while this process holds the lease and stands by while another does. */
export class Leadership {
  readonly #stop = new AbortController();
  #lease: Lease | undefined;
  #loop: Promise<void> | undefined;

  constructor(private readonly options: LeadershipOptions) {}

  /** A first try before the start, for whoever has to know at once. */
  async take(): Promise<Lease | undefined> {
    const { leases, name } = this.options;
    return (this.#lease = await leases.take(name, undefined, true));
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    if (this.#lease) await this.options.leases.release(this.#lease).catch(() => undefined);
    this.#lease = undefined;
  }

  async #run(): Promise<void> {
    const { leases, name, lead, stand, onError } = this.options;
    const stop = this.#stop.signal;
    let fresh = this.#lease;
    let starting = fresh === undefined;
    for (let attempt = 0; !stop.aborted;) {
      try {
        // One that is still ours is taken again under a new epoch: what an earlier try left running is fenced.
        const lease = fresh ?? (await leases.take(name, this.#lease, starting));
        fresh = undefined;
        starting = false;
        this.#lease = lease;
        if (lease) {
          await lead(lease, AbortSignal.any([stop, lease.lost]));
        } else {
          await stand();
          await delay(leases.lookMs, undefined, { signal: stop }).catch(() => undefined);
        }
        attempt = 0;
      } catch (error) {
        onError(error);
        const wait = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** ++attempt);
        await delay(wait, undefined, { signal: stop }).catch(() => undefined);
      }
    }
  }
}

/** Resolves when the signal comes. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
