import type { AccountEvent, UserEvent } from '../../src/accounts/events.js';
import { derivedId } from '../../src/eventsourcing/ids.js';
import type { EventMetadata } from '../../src/eventsourcing/event.js';
import { schemaVersionOf } from '../../src/eventsourcing/upcasting.js';
import type { KeyEvent } from '../../src/keys/events.js';
import type { SubscriptionEvent } from '../../src/plans/events.js';
import type { Sql } from '../../src/sql/sql.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import { usageStream } from '../../src/usage/events.js';

type LogEvent = AccountEvent | UserEvent | SubscriptionEvent | KeyEvent | UsageEvent;

/** What one account brings: 10 events, of which 3 are batches of the journal with 5 uses together. */
const EVENTS_PER_ACCOUNT = 10;
const BATCH_SIZES = [1, 1, 3];
export const USES_PER_EVENT = BATCH_SIZES.reduce((sum, n) => sum + n, 0) / EVENTS_PER_ACCOUNT;
const PATTERNS = 142;
const FIRST_MS = Date.UTC(2026, 9, 1);

/**
 * A log as a small shop writes it, in which every event changes a read model: accounts open, users
 * register, plans are granted, keys are issued and some revoked, and the journal flushes one use or a few.
 */
function* history(events: number): Generator<[stream: string, revision: number, event: LogEvent]> {
  let batches = 0;
  const node = derivedId('bench', 'node');
  const keys: string[] = [];
  const accounts: string[] = [];
  for (let n = 0; n * EVENTS_PER_ACCOUNT < events; n++) {
    const account = derivedId('bench', 'account', n);
    const user = derivedId('bench', 'user', n);
    const by = `user:${user}`;
    accounts.push(account);
    yield [`account-${account}`, 0, { type: 'AccountOpened', data: { ownerId: user } }];
    const sealed = `v1:${account}${user}${account}`;
    const registered = { accountId: account, email: sealed, name: sealed };
    yield [`user-${user}`, 0, { type: 'UserRegistered', data: registered }];
    const grant = { plan: 'developer', profileVersion: 1, grantedBy: 'operator:bench', reason: 'a trial' };
    yield [`subscription-${account}`, 0, { type: 'PlanGranted', data: grant }];
    for (const name of ['production', 'staging', 'laptop']) {
      const key = derivedId('bench', name, n);
      keys.push(key);
      yield [`key-${key}`, 0, { type: 'KeyIssued', data: issued(key, account, name) }];
    }
    const laptop = keys.at(-1) as string;
    yield [`key-${laptop}`, 1, { type: 'KeyRevoked', data: { accountId: account, by } }];
    for (const size of BATCH_SIZES) {
      const at = FIRST_MS + batches * 7_000;
      // Calls come from all accounts that there are, not from the newest alone.
      const caller = (batches * 7919) % accounts.length;
      const uses = Array.from({ length: size }, (_, i) => useOf(keys[caller * 3] as string, batches, i, at));
      const data = { groups: [{ account: accounts[caller] as string, uses }], node, start: 'bench' };
      const stream = usageStream(node, '2026-10-01');
      yield [stream, batches++, { type: 'UsesRecorded', data }];
    }
  }
}

function issued(
  key: string,
  accountId: string,
  name: string,
): Extract<KeyEvent, { type: 'KeyIssued' }>['data'] {
  const hash = key.replaceAll('-', '').repeat(2);
  return {
    accountId,
    name,
    environment: name === 'production' ? 'live' : 'test',
    scopes: ['read', 'write'],
    hash,
    pepperId: hash.slice(0, 12),
    prefix: 'sk_live_',
    last4: key.slice(-4),
    expiresAt: null,
    limits: [],
    metadata: [],
  };
}

function useOf(key: string, batch: number, index: number, at: number): Use {
  return {
    actualCost: null,
    address: 'Zm9vYmFyYmF6cXV4MTIzNA',
    at,
    costVersion: null,
    durationUs: 250 + (batch % 100),
    endpoint: '/graphql',
    environment: 'live',
    estimatedCost: null,
    id: `bench.${batch}.${index}`,
    key,
    meters: { requests: 1 },
    method: 'POST',
    operation: batch % 3 === 0 ? 'Search' : 'Read',
    patterns: [derivedId('bench', 'pattern', (batch + index) % PATTERNS)],
    periods: [`day:${new Date(at).toISOString().slice(0, 10)}`, 'month:2026-10'],
    planVersion: 1,
    refusal: null,
    rootFields: ['pattern'],
    source: null,
    status: 'ok',
  };
}

/** Writes the log straight into the store's table, at once: appending it is not what is measured. */
export async function writeLog(sql: Sql, events: number): Promise<void> {
  const SLICE = 2_000;
  let slice: [string, number, LogEvent][] = [];
  let position = 0;
  const flush = async (): Promise<void> => {
    const rows = slice.map(([s, r, { type, data }]) => {
      const i = derivedId('bench', 'event', ++position);
      const metadata: EventMetadata = {
        schemaVersion: schemaVersionOf(type),
        at: new Date(FIRST_MS + position * 1_000).toISOString(),
        environment: 'live',
        correlationId: i,
      };
      return { p: position, s, r, i, t: type, d: JSON.stringify(data), m: JSON.stringify(metadata) };
    });
    slice = [];
    await sql.query(
      `INSERT INTO store.events (position, stream, revision, id, type, data, metadata)
       SELECT p, s, r, i, t, d, m
         FROM json_to_recordset($1::json) AS n(p bigint, s text, r bigint, i uuid, t text, d text, m text)`,
      [JSON.stringify(rows)],
    );
  };
  for (const entry of history(events)) {
    slice.push(entry);
    if (slice.length === SLICE) await flush();
  }
  if (slice.length > 0) await flush();
  await sql.script('ANALYZE store.events');
}
