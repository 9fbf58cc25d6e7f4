import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { UsageEvent, Use, UseReversal } from '../../src/usage/events.js';
import { listedUses } from '../../src/usage/journal/readUses.js';

/** A row of `batches`. */
interface Row {
  readonly account: string;
  readonly environment: string;
  readonly key: string;
  readonly endpoints: Set<string>;
  firstAt: number;
  lastAt: number;
}

/**
 * Which batches of the journal hold uses of an account and key. Single uses are listed from the batches themselves:
 * so a list of them costs the ledger nothing, and no use is stored twice.
 */
export const useBatches: ReadModel = {
  name: 'useBatches',
  awaited: false,
  version: 2,
  tables: ['batches', 'corrections'],
  independent: true,
  handles: new Set<UsageEvent['type'] | UseReversal['type']>([
    'UsesRecorded',
    'UsesCorrected',
    'UseReversed',
  ]),
  create: (t) => `
    CREATE TABLE ${t('batches')} (
      account     text NOT NULL,
      environment text NOT NULL,
      position    bigint NOT NULL,
      -- Empty where the account as a whole has used something.
      key         text NOT NULL,
      -- Where the batch stands.
      stream      text NOT NULL,
      revision    bigint NOT NULL,
      event       uuid NOT NULL,
      -- Of the uses in it: each once, in their order; and when the first and the last was, in milliseconds.
      endpoints   text[] NOT NULL,
      first_at    bigint NOT NULL,
      last_at     bigint NOT NULL,
      PRIMARY KEY (account, environment, position, key)
    );
    -- Batches of which something was taken back, and by what.
    CREATE TABLE ${t('corrections')} (
      batch       uuid NOT NULL,
      stream      text NOT NULL,
      revision    bigint NOT NULL,
      PRIMARY KEY (batch, stream, revision)
    );`,
  fold: (events, t) => {
    const rows = events.flatMap((stored) => rowsOf(stored));
    const corrections = events.flatMap((stored) => {
      const { type, data } = as<UsageEvent>(stored);
      return type === 'UsesCorrected'
        ? [{ batch: data.batch, stream: stored.stream, revision: stored.revision }]
        : [];
    });
    return [
      {
        text: `INSERT INTO ${t('batches')}
               SELECT account, environment, position, key, stream, revision, event,
                      ARRAY(SELECT json_array_elements_text(endpoints)), first_at, last_at
                 FROM json_to_recordset($1::json) AS r(account text, environment text, position bigint, key text,
                   stream text, revision bigint, event uuid, endpoints json, first_at bigint, last_at bigint)`,
        params: [JSON.stringify(rows)],
      },
      {
        text: `INSERT INTO ${t('corrections')} SELECT * FROM json_to_recordset($1::json)
                 AS r(batch uuid, stream text, revision bigint)`,
        params: [JSON.stringify(corrections)],
      },
    ].filter((_statement, i) => [rows, corrections][i]?.length !== 0);
  },
};

function rowsOf(stored: StoredEvent): object[] {
  if (stored.type === ('UsesCorrected' satisfies UsageEvent['type'])) return [];
  const rows = new Map<string, Row>();
  for (const { account, uses } of listedUses(stored)) for (const use of uses) add(rows, account, use);
  const { position, stream, revision, id: event } = stored;
  return [...rows.values()].map(({ endpoints, firstAt, lastAt, ...row }) => ({
    ...row,
    position,
    stream,
    revision,
    event,
    endpoints: [...endpoints].sort(),
    first_at: firstAt,
    last_at: lastAt,
  }));
}

function add(rows: Map<string, Row>, account: string, { environment, key, endpoint, at }: Use): void {
  const id = compositeKey(account, environment, key);
  let row = rows.get(id);
  if (!row) {
    row = { account, environment, key, endpoints: new Set(), firstAt: at, lastAt: at };
    rows.set(id, row);
  }
  row.endpoints.add(endpoint);
  row.firstAt = Math.min(row.firstAt, at);
  row.lastAt = Math.max(row.lastAt, at);
}
