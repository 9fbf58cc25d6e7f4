import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { buildSchema } from 'graphql';
import type { Client } from 'graphql-ws';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import type { RequestContext } from '../../src/graphql/kit/context.js';
import type { Loaders } from '../../src/graphql/kit/loaders.js';
import { serveGraphQL } from '../../src/graphql/transport/server.js';
import { createHttpServer } from '../../src/http/server.js';
import type { KeyCache } from '../../src/keys/cache.js';
import { silentLogger } from '../../src/logger.js';
import { Metrics } from '../../src/metrics.js';
import type { Use } from '../../src/usage/events.js';
import type { Journal } from '../../src/usage/journal/journal.js';
import { AnalysisChanges } from '../../src/analysis/changes.js';
import { RequestId } from '../../src/usage/requestId.js';
import { UsageChanges } from '../../src/usage/analytics/usageChanges.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { NOON, SECRET, smallGate } from '../gate/smallGate.js';

// No field of the product's is governed and a subscription yet. These are, over the server that it has:
// every event is a call of the plan, taken, executed, recorded and only then delivered.

let fastify: FastifyInstance;
let metrics: Metrics;
let journal: Journal;
let keys: KeyCache;
let recorded: Use[];
/** Stands before each append of the journal. */
let gate: () => Promise<void>;
/** How many events have been made for each subscription. */
let made: number[];
let client: Client;
let url: string;

beforeEach(async () => {
  gate = async () => {};
  made = [];
  const log = silentLogger;
  metrics = new Metrics();
  const small = smallGate(metrics, () => gate());
  ({ journal, keys, recorded } = small);
  const schema = buildSchema(`
    directive @access(anyone: Boolean, scope: KeyScope) on FIELD_DEFINITION
    directive @metered(as: Metering) on FIELD_DEFINITION
    enum KeyScope { READ }
    enum Metering { GOVERNED GUARDED }
    type Query { nothing: Int }
    type Subscription {
      ticks: String @access(scope: READ) @metered(as: GOVERNED)
      large: String @access(scope: READ) @metered(as: GUARDED)
    }
  `);
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    field.subscribe = async function* () {
      const mine = made.push(0) - 1;
      for (let event = 1; ; event++) {
        made[mine] = event;
        yield await Promise.resolve(event);
      }
    };
    field.resolve = (tick, _args, { now }: RequestContext) =>
      field.name === 'large' ? 'x'.repeat(LARGE_BYTES) : `${String(tick)} at ${now - NOON}`;
  }
  fastify = await createHttpServer({
    trustProxy: 0,
    publicUrl: 'http://127.0.0.1',
    corsOrigins: [],
    log,
    metrics,
  });
  await serveGraphQL(fastify, {
    schema,
    gate: small.gate,
    limitStates: small.limitStates,
    metrics,
    loaders: () => ({}) as Loaders,
    requestIds: (given) => RequestId.of(given, () => journal.mintUseId()),
    usageChanges: new UsageChanges({ journalPosition: () => 0 }),
    analysisChanges: new AnalysisChanges(),
    onRevoked: () => undefined,
    documents: new Map(),
    production: false,
    maxAnswerBytes: 10_000_000,
    log,
  });
  url = `${(await fastify.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws')}/graphql`;
  client = createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: { 'x-api-key': SECRET },
    retryAttempts: 0,
  });
});
afterEach(async () => {
  await client.dispose();
  await fastify.close();
  await journal.close();
});

/** Of an event of the field `large`. */
const LARGE_BYTES = 256 * 1024;

const ticks = () => client.iterate({ query: 'subscription Ticks { ticks }' });

it('takes and records every event, and ends with the refusal of the one that the plan has no room for', async () => {
  const events = ticks();
  for (let event = 1; event <= 10; event++) {
    expect((await events.next()).value).toMatchObject({
      data: { ticks: `${event} at 0` },
      extensions: { cost: { actualQueryCost: 1 } },
    });
  }
  await expect(events.next()).rejects.toMatchObject([
    { extensions: { code: 'RATE_LIMITED', limit: 'calls', used: '10', retryAfter: 60 } },
  ]);
  // The record of a refusal is awaited by nobody; it is the journal's last.
  await journal.close();
  expect(recorded.map(({ status, meters }) => [status, meters])).toEqual([
    ...Array.from({ length: 10 }, () => ['ok', { cost: 1, requests: 1 }]),
    ['refused', {}],
  ]);
  expect(recorded[0]).toMatchObject({ operation: 'Ticks', rootFields: ['ticks'], method: 'WEBSOCKET' });
  expect(made).toEqual([11]);
  const [open, delivered] = [await metrics.subscriptions.get(), await metrics.subscriptionEvents.get()];
  expect([open.values[0]?.value, delivered.values[0]?.value]).toEqual([0, 10]);
});

it('shares the limits with other operations of the account', async () => {
  const [one, two] = [ticks(), ticks()];
  const results = await Promise.all(
    [one, two].map(async (events) => {
      let delivered = 0;
      try {
        for await (const { data } of events) if (data) delivered++;
      } catch (errors) {
        expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
      }
      return delivered;
    }),
  );
  expect(results.reduce((sum, delivered) => sum + delivered, 0)).toBe(10);
});

it('delivers no event whose record could not be stored, and none later', async () => {
  const events = ticks();
  await events.next();
  gate = () => Promise.reject(new StoreUnavailable('gone'));
  // The events that are on their way already come.
  const end = (async () => {
    for await (const { data } of events) if (data) continue;
  })();
  await expect(end).rejects.toMatchObject([{ extensions: { code: 'TRY_AGAIN' } }]);
  const delivered = await metrics.subscriptionEvents.get();
  expect(delivered.values[0]?.value).toBe(recorded.length);
});

it('asks who it is before every event: a key that is revoked gets none, whatever tells of it', async () => {
  const events = ticks();
  await events.next();
  const { id, metadata } = newEvent();
  const by = JSON.stringify({ accountId: 'a1', by: 'user' });
  keys.apply(new StoredEvent(2, 'key-k1', 1, id, 'KeyRevoked', by, metadata));
  // The events that are on their way already come.
  const end = (async () => {
    for await (const { data } of events) if (data) continue;
  })();
  await expect(end).rejects.toMatchObject([{ extensions: { code: 'KEY_REVOKED' } }]);
  await journal.close();
  const delivered = await metrics.subscriptionEvents.get();
  expect(delivered.values[0]?.value).toBe(recorded.length);
  expect(recorded.length).toBeLessThan(10);
});

it('is refused over plain HTTP, and executes nothing', async () => {
  const response = await fetch(url.replace('ws', 'http'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': SECRET },
    body: JSON.stringify({ query: 'subscription { ticks }' }),
  });
  expect(response.status).toBe(406);
  expect(made).toEqual([]);
});

it.each(['a WebSocket', 'an event stream'])(
  'makes no events for %s that does not read',
  async (transport) => {
    const query = 'subscription { large }';
    let leave: () => unknown;
    if (transport === 'a WebSocket') {
      const socket = new WebSocket(url, 'graphql-transport-ws', { headers: { 'x-api-key': SECRET } });
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'connection_init' }));
      await once(socket, 'message');
      socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query } }));
      await once(socket, 'message');
      socket.pause();
      leave = () => socket.terminate();
    } else {
      const { body } = await fetch(url.replace('ws', 'http'), {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'x-api-key': SECRET },
        body: JSON.stringify({ query }),
      });
      leave = () => body?.cancel();
    }
    // Another one, who reads, is served 100 MB meanwhile.
    const events = client.iterate({ query });
    for (let event = 0; event < 400; event++) await events.next();
    await events.return?.();
    // What lies in the buffers of the sockets, and no more.
    expect(made[0]).toBeLessThan(200);
    await leave();
  },
);
