// Rebuilds with emmett the same read models from the same events, and prints the seconds it took.
//   node rebuild.mjs <connection string> <rounds>
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

const [url, rounds] = process.argv.slice(2);
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
await client.query(`
  CREATE SCHEMA emmett;
  CREATE TABLE emmett.accounts (id text PRIMARY KEY, owner_id text NOT NULL, opened_at timestamptz NOT NULL, deleted_at timestamptz);
  CREATE TABLE emmett.users (id text PRIMARY KEY, account_id text NOT NULL, email text NOT NULL, name text NOT NULL,
    registered_at timestamptz NOT NULL, erased_at timestamptz);
  CREATE TABLE emmett.plans (account_id text PRIMARY KEY, plan text NOT NULL, revision bigint NOT NULL);
  CREATE TABLE emmett.keys (id text PRIMARY KEY, account_id text NOT NULL, name text NOT NULL, environment text NOT NULL,
    scopes text[] NOT NULL, hash text NOT NULL UNIQUE, prefix text NOT NULL, last4 text NOT NULL,
    issued_at timestamptz NOT NULL, expires_at timestamptz, revoked_at timestamptz, revision bigint NOT NULL);
  CREATE INDEX ON emmett.keys (account_id, issued_at, id);
  CREATE TABLE emmett.counters (account text, environment text, meter text, period text, amount bigint NOT NULL,
    PRIMARY KEY (account, environment, meter, period));
  CREATE TABLE emmett.hours (account text, environment text, hour text, key text, operation text, status text,
    uses bigint NOT NULL, requests bigint NOT NULL, duration_us bigint NOT NULL,
    PRIMARY KEY (account, environment, hour, key, operation, status));
  CREATE TABLE emmett.popular (pattern_id text PRIMARY KEY, uses bigint NOT NULL);`);

const idOf = ({ metadata: { streamName } }) => streamName.slice(streamName.indexOf('-') + 1);
const revisionOf = ({ metadata: { streamPosition } }) => Number(streamPosition) - 1;
const truncate =
  (...tables) =>
  async ({ execute }) => {
    for (const table of tables) await execute.command(sql(`TRUNCATE emmett.${table}`));
  };

const accounts = {
  ...postgreSQLRawSQLProjection({
    name: 'accounts',
    canHandle: ['AccountOpened', 'UserRegistered', 'PlanGranted'],
    evolve: (event) => {
      const { type, data, metadata } = event;
      if (type === 'AccountOpened') {
        return sql('INSERT INTO emmett.accounts VALUES (%L, %L, %L)', idOf(event), data.ownerId, metadata.at);
      }
      if (type === 'UserRegistered') {
        return sql(
          'INSERT INTO emmett.users VALUES (%L, %L, %L, %L, %L)',
          idOf(event),
          data.accountId,
          data.email,
          data.name,
          metadata.at,
        );
      }
      return sql(
        `INSERT INTO emmett.plans VALUES (%L, %L, %s)
         ON CONFLICT (account_id) DO UPDATE SET plan = excluded.plan, revision = excluded.revision`,
        idOf(event),
        data.plan,
        revisionOf(event),
      );
    },
  }),
  truncate: truncate('accounts', 'users', 'plans'),
};

const keys = {
  ...postgreSQLRawSQLProjection({
    name: 'keys',
    canHandle: ['KeyIssued', 'KeyRevoked'],
    evolve: (event) => {
      const { type, data, metadata } = event;
      if (type === 'KeyRevoked') {
        return sql(
          'UPDATE emmett.keys SET revoked_at = %L, revision = %s WHERE id = %L',
          metadata.at,
          revisionOf(event),
          idOf(event),
        );
      }
      return sql(
        'INSERT INTO emmett.keys VALUES (%L, %L, %L, %L, %L::text[], %L, %L, %L, %L, %L, NULL, %s)',
        idOf(event),
        data.accountId,
        data.name,
        data.environment,
        `{${data.scopes.join(',')}}`,
        data.hash,
        data.prefix,
        data.last4,
        metadata.at,
        data.expiresAt,
        revisionOf(event),
      );
    },
  }),
  truncate: truncate('keys'),
};

const usage = {
  ...postgreSQLRawSQLProjection({
    name: 'usage',
    canHandle: ['UsesRecorded'],
    evolve: ({ data }) => {
      // All uses of a batch in memory first, as ours does; then one statement for each row it changes.
      const counters = new Map();
      const hours = new Map();
      for (const { account, uses } of data.groups) {
        for (const use of uses) {
          for (const [meter, amount] of Object.entries(use.meters)) {
            for (const period of use.periods) {
              const id = [account, use.environment, meter, period];
              const counter = counters.get(JSON.stringify(id)) ?? { id, amount: 0 };
              counters.set(JSON.stringify(id), counter);
              counter.amount += amount;
            }
          }
          const operation = use.operation ?? use.rootFields.join(',');
          const id = [
            account,
            use.environment,
            new Date(use.at).toISOString().slice(0, 13),
            use.key,
            operation,
            use.status,
          ];
          const hour = hours.get(JSON.stringify(id)) ?? { id, uses: 0, requests: 0, durationUs: 0 };
          hours.set(JSON.stringify(id), hour);
          hour.uses += 1;
          hour.requests += use.meters.requests ?? 0;
          hour.durationUs += use.durationUs;
        }
      }
      return [
        ...[...counters.values()].map(({ id, amount }) =>
          sql(
            `INSERT INTO emmett.counters AS c VALUES (%L, %L, %L, %L, %s)
             ON CONFLICT (account, environment, meter, period) DO UPDATE SET amount = c.amount + excluded.amount`,
            ...id,
            amount,
          ),
        ),
        ...[...hours.values()].map((hour) =>
          sql(
            `INSERT INTO emmett.hours AS h VALUES (%L, %L, %L, %L, %L, %L, %s, %s, %s)
             ON CONFLICT (account, environment, hour, key, operation, status) DO UPDATE SET uses = h.uses + excluded.uses,
               requests = h.requests + excluded.requests, duration_us = h.duration_us + excluded.duration_us`,
            ...hour.id,
            hour.uses,
            hour.requests,
            hour.durationUs,
          ),
        ),
      ];
    },
  }),
  truncate: truncate('counters', 'hours'),
};

const popularity = {
  ...postgreSQLRawSQLProjection({
    name: 'popularity',
    canHandle: ['UsesRecorded'],
    evolve: ({ data }) => {
      const counts = new Map();
      for (const { uses } of data.groups) {
        for (const { patterns, environment } of uses) {
          if (environment !== 'live') continue;
          for (const id of patterns) counts.set(id, (counts.get(id) ?? 0) + 1);
        }
      }
      return [...counts].map(([id, uses]) =>
        sql(
          `INSERT INTO emmett.popular AS u VALUES (%L, %s)
           ON CONFLICT (pattern_id) DO UPDATE SET uses = u.uses + excluded.uses`,
          id,
          uses,
        ),
      );
    },
  }),
  truncate: truncate('popular'),
};

const seconds = [];
for (let round = 0; round < Number(rounds); round++) {
  // Every rebuild begins at the first event.
  await client.query('TRUNCATE emt_processors');
  const started = performance.now();
  const rebuild = rebuildPostgreSQLProjections({
    connectionString: url,
    projections: [accounts, keys, usage, popularity],
    pulling: { batchSize: 1_000, pullingFrequencyInMs: 0 },
  });
  await rebuild.start();
  seconds.push((performance.now() - started) / 1000);
  await rebuild.close();
}
const rows = {};
for (const table of ['accounts', 'users', 'plans', 'keys', 'counters', 'hours', 'popular']) {
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
