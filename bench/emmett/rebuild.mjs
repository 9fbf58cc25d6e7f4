// Rebuilds with emmett the same read models from the same events, and prints the seconds it took.
//   node rebuild.mjs <connection string> <rounds> <names of our tables, as JSON>
// It reads what the benchmark wrote to store.events; the rows go into emmett's own message table as its
// append would have stored them, one transaction for each hundred. Emmett has the best of its means here:
// raw SQL projections, which cost one statement for each row, without documents; pages of 1,000 in place
// of its default of 100; and no pause between the pages in place of 50 ms.
import {
  rebuildPostgreSQLProjections,
  getPostgreSQLEventStore,
  postgreSQLRawSQLProjection,
} from '@event-driven-io/emmett-postgresql';
import { sql } from '@event-driven-io/dumbo';
import pg from 'pg';
import { PROJECTIONS, tablesLike } from './projections.mjs';

const [url, rounds, like] = process.argv.slice(2);
const client = new pg.Client({ connectionString: url });
await client.connect();
const store = getPostgreSQLEventStore(url);
await store.schema.migrate();
await client.query(`
  DO $$ DECLARE first bigint;
  BEGIN
    FOR first IN SELECT generate_series(1, (SELECT max(position) FROM store.events), 100) LOOP
      INSERT INTO emt_messages (stream_position, transaction_id, stream_id, message_schema_version,
                                message_id, message_type, message_data, message_metadata)
      SELECT revision + 1, pg_current_xact_id(), stream, '1', id, type, data::jsonb, metadata::jsonb
        FROM store.events WHERE position BETWEEN first AND first + 99 ORDER BY position;
      COMMIT;
    END LOOP;
  END $$`);
await client.query('ANALYZE emt_messages');
await client.query(tablesLike(JSON.parse(like)));

/** As the projections know events, with emmett's own literals. */
const projections = PROJECTIONS.map(({ name, canHandle, tables, evolve }) => ({
  ...postgreSQLRawSQLProjection({
    name,
    canHandle,
    evolve: ({ type, data, metadata }) => {
      const { streamName, streamPosition, globalPosition } = metadata;
      const event = {
        ...{ type, data, metadata, stream: streamName },
        revision: Number(streamPosition) - 1,
        position: Number(globalPosition),
      };
      return evolve(event).map(([text, ...values]) => sql(text, ...values));
    },
  }),
  truncate: async ({ execute }) => {
    for (const table of tables) await execute.command(sql(`TRUNCATE emmett.${table}`));
  },
}));

const seconds = [];
for (let round = 0; round < Number(rounds); round++) {
  // Every rebuild begins at the first event.
  await client.query('TRUNCATE emt_processors');
  const started = performance.now();
  const rebuild = rebuildPostgreSQLProjections({
    connectionString: url,
    projections,
    pulling: { batchSize: 1_000, pullingFrequencyInMs: 0 },
  });
  await rebuild.start();
  seconds.push((performance.now() - started) / 1000);
  await rebuild.close();
}
const rows = {};
for (const table of PROJECTIONS.flatMap(({ tables }) => tables)) {
  // The same digest as the benchmark takes of ours: both must have done the same.
  const {
    rows: [{ digest }],
  } = await client.query(
    `SELECT count(*) || ':' || coalesce(sum(hashtextextended(r::text, 0)), 0) AS digest FROM emmett.${table} AS r`,
  );
  rows[table] = digest;
}
await store.close();
await client.end();
process.stdout.write(`${JSON.stringify({ seconds, rows })}\n`);
process.exit(0);
