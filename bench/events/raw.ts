// The raw stores: the same events sent straight by the driver, as one would write it by hand with all
// that the event store adds left out: no expected revisions, no repeated ids, no order of commits among
// processes. The rows, the indexes and the durability are the same.
import { randomUUID } from 'node:crypto';
import type { PGlite } from '@electric-sql/pglite';
import type { EventStoreDBClient } from '@eventstore/db-client';
import { jsonEvent, NO_STREAM } from '@eventstore/db-client';
import type pg from 'pg';
import type { Load } from './appends.js';
import { sampleEvent } from './appends.js';

/** Beside the store's own table, so that its rows and indexes are the same. */
export const RAW_TABLE = `
  CREATE SCHEMA raw;
  CREATE TABLE raw.events (LIKE store.events INCLUDING ALL);`;

const COLUMNS = '(position, stream, revision, id, type, data, metadata)';
const INSERT_ONE = `INSERT INTO raw.events ${COLUMNS} VALUES ($1, $2, $3, $4, $5, $6, $7)`;
const INSERT_MANY = `INSERT INTO raw.events ${COLUMNS}
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[])`;

type Execute = (name: string, text: string, params: unknown[]) => Promise<unknown>;

/** As many events as would be in flight go in one INSERT, one statement after the other. */
function throughSql(execute: Execute): Load {
  let position = 0;
  return async (inFlight, ms) => {
    const streams = Array.from({ length: inFlight }, () => `key-${randomUUID()}`);
    const started = performance.now();
    const until = started + ms;
    let stored = 0;
    for (let revision = 0; performance.now() < until; revision++) {
      const events = streams.map(sampleEvent);
      const [event] = events;
      if (inFlight === 1 && event) {
        const { id, type, data, metadata } = event;
        await execute('one', INSERT_ONE, [++position, streams[0], revision, id, type, data, metadata]);
      } else {
        await execute('many', INSERT_MANY, [
          events.map(() => ++position),
          streams,
          events.map(() => revision),
          events.map(({ id }) => id),
          events.map(({ type }) => type),
          events.map(({ data }) => data),
          events.map(({ metadata }) => metadata),
        ]);
      }
      stored += inFlight;
    }
    return (stored * 1000) / (performance.now() - started);
  };
}

/** Prepared statements on one connection. */
export const throughPg = (client: pg.Client): Load =>
  throughSql((name, text, values) => client.query({ name, text, values }));

/** In the calling thread: nothing is sent to a worker. */
export const throughPglite = (db: PGlite): Load =>
  throughSql((_name, text, params) => db.query(text, params));

/** One append for each event, as the client sends them: it makes its own batches of what is in flight. */
export function throughEventStoreDb(client: EventStoreDBClient): Load {
  return async (inFlight, ms) => {
    const started = performance.now();
    const until = started + ms;
    let stored = 0;
    const caller = async (): Promise<void> => {
      const stream = `key-${randomUUID()}`;
      for (let revision = -1n; performance.now() < until; revision++, stored++) {
        const { id, type, data, metadata } = sampleEvent();
        const event = jsonEvent({
          id,
          type,
          data: JSON.parse(data) as Record<string, unknown>,
          metadata: JSON.parse(metadata) as Record<string, unknown>,
        });
        await client.appendToStream(stream, event, {
          expectedRevision: revision < 0n ? NO_STREAM : revision,
        });
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    return (stored * 1000) / (performance.now() - started);
  };
}
