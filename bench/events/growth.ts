import pg from 'pg';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { Sql } from '../../src/sql/sql.js';
import { median } from '../statistics.js';
import { throughStore } from './appends.js';

const SMALL = 10_000;
const LARGE = 10_000_000;
const ROUNDS = 7;
const IN_FLIGHT = 64;
const MS = 1_000;

/** Short streams of 10 events, filled by PostgreSQL itself. */
const fill = (from: number, to: number): string => `
  INSERT INTO store.events (position, stream, revision, id, type, data, metadata)
  SELECT n, 'key-' || md5((n / 10)::text), n % 10, md5('event' || n)::uuid, 'KeyIssued',
         '{"accountId":"' || md5(n::text) || '","name":"production","environment":"live","scopes":["read"]}',
         '{"schemaVersion":1,"at":"2026-11-22T17:00:00.000Z","environment":"live"}'
    FROM generate_series(${from}, ${to - 1}) AS n;`;

async function appendMs(store: PostgresEventStore): Promise<number> {
  const append = throughStore(store);
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const perSecond = await append(IN_FLIGHT, MS);
    // The first round warms up.
    if (round > 0) times.push(1000 / perSecond);
  }
  return median(times);
}

export interface GrowthFigures {
  readonly smallMs: number;
  readonly largeMs: number;
}

/** What an append costs at 10 thousand events and at 10 million, with 64 in flight. */
export async function benchGrowth(sql: Sql, url: string): Promise<GrowthFigures> {
  const store = await PostgresEventStore.open(sql);
  // The product's own connections end statements that take long.
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(fill(10, SMALL));
  await client.query('VACUUM (ANALYZE) store.events');
  const smallMs = await appendMs(store);
  let next = (Math.floor((await store.head()) / 10) + 1) * 10;
  while (next < LARGE) {
    const to = Math.min(next + 100_000, LARGE);
    await client.query(fill(next, to));
    next = to;
    process.stderr.write(`\rfilled ${next.toLocaleString('en')} events `);
  }
  process.stderr.write('\n');
  await client.query('VACUUM (ANALYZE) store.events');
  await client.end();
  return { smallMs, largeMs: await appendMs(store) };
}
