import { EventStoreDbEventStore } from '../adapters/eventstoredb/eventStore.js';
import { PostgresEventStore } from '../adapters/postgres/eventStore.js';
import { CATEGORIES } from '../capabilities.js';
import type { Config } from '../config.js';
import { ConfigError } from '../config.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import type { Sql } from '../sql/sql.js';

/**
 * The event store that the configuration names: EventStoreDB, or the one on the database.
 * @throws ConfigError when it cannot be reached
 */
export async function openEventStore({ eventStoreUrl: url }: Config, sql: Sql): Promise<EventStore> {
  if (url === undefined) return PostgresEventStore.open(sql);
  let store: EventStoreDbEventStore;
  try {
    store = new EventStoreDbEventStore({ url, categories: CATEGORIES });
  } catch {
    // The client's reason shows parts of the string, which has a password in it.
    throw new ConfigError(['EVENTSTOREDB_URL: is not a connection string that EventStoreDB understands']);
  }
  try {
    await store.head();
    return store;
  } catch (error) {
    await store.close();
    const { message } = ((error as Error).cause ?? error) as Error;
    throw new ConfigError([`EVENTSTOREDB_URL: the event store cannot be reached: ${message}`]);
  }
}

/**
 * Read models are made from one event store's events, at its positions.
 * @throws ConfigError when those of this database were made from another one's
 */
export async function checkOrigin(sql: Sql, storeId: string): Promise<void> {
  await sql.script(`
    CREATE SCHEMA IF NOT EXISTS read;
    CREATE TABLE IF NOT EXISTS read.origin (
      one      bool PRIMARY KEY DEFAULT true CHECK (one),
      store_id text NOT NULL
    );`);
  await sql.query('INSERT INTO read.origin (store_id) VALUES ($1) ON CONFLICT DO NOTHING', [storeId]);
  const [origin] = await sql.query<{ store_id: string }>('SELECT store_id FROM read.origin');
  if (origin?.store_id !== storeId) {
    throw new ConfigError([
      'EVENTSTOREDB_URL: the read models in this database were made from another event store',
    ]);
  }
}
