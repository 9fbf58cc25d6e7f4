import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Client } from 'graphql-ws';
import { createClient } from 'graphql-ws';
import { createClient as createSseClient } from 'graphql-sse';
import { getIntrospectionQuery } from 'graphql';
import WebSocket from 'ws';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { MAX_CONNECTIONS } from '../../src/graphql/transport/openConnections.js';
import { MAX_OPERATIONS } from '../../src/graphql/transport/websocket.js';
import { usageStream } from '../../src/usage/events.js';
import { periodOf } from '../../src/usage/limits/periods.js';
import type { UsageChangedSubscription } from '../generated/graphql.js';
import {
  ChangePasswordDocument,
  DeleteAccountDocument,
  PatternsDocument,
  RevokeKeyDocument,
  SignOutEverywhereDocument,
  UsageChangedDocument,
  UsageDocument,
} from '../generated/graphql.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { newUse } from '../usage/uses.js';
import { quantityIn } from '../support/usage.js';
import { pause } from '../support/until.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

const QUERY = UsageChangedDocument.toString();
type Changed = NonNullable<UsageChangedSubscription['usageChanged']>;

interface Result {
  readonly data?: { readonly usageChanged?: Changed | null } | null;
  readonly errors?: readonly { message: string; extensions?: Record<string, unknown> }[];
}
interface Subscribed {
  next(): Promise<IteratorResult<Result, unknown>>;
  return?(): Promise<unknown>;
}

const clients: Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => client.dispose()));
});

const addressOf = (app: TestApp): string => `${app.app.url.replace('http', 'ws')}/graphql`;

/** A client as people use it; tries once. */
function connect(connectionParams: Record<string, unknown>, app = t): Client {
  const client = createClient({
    url: addressOf(app),
    webSocketImpl: WebSocket,
    connectionParams,
    retryAttempts: 0,
    onNonLazyError: () => undefined,
  });
  clients.push(client);
  return client;
}

const overWebSocket = (secret: string, app = t, query = QUERY): Subscribed =>
  connect({ authorization: `Bearer ${secret}` }, app).iterate({ query });

function overSse(secret: string, app = t, query = QUERY): Subscribed {
  const client = createSseClient({
    url: `${app.app.url}/graphql`,
    headers: { 'x-api-key': secret },
    retryAttempts: 0,
  });
  return client.iterate({ query });
}

const TRANSPORTS: [name: string, subscribe: (secret: string, app?: TestApp, query?: string) => Subscribed][] =
  [
    ['graphql-transport-ws', overWebSocket],
    ['server-sent events', overSse],
  ];

const call = (secret: string) => t.query(PatternsDocument, { first: 1 }, secret);

async function changed(events: Subscribed): Promise<Changed> {
  const { value, done } = await events.next();
  const { data, errors } = value as Result;
  if (done || !data?.usageChanged) throw new Error(`no event but ${JSON.stringify({ done, data, errors })}`);
  return data.usageChanged;
}

/** Goes on to the event that fits. */
async function until(events: Subscribed, fits: (event: Changed) => boolean): Promise<Changed> {
  for (;;) {
    const event = await changed(events);
    if (fits(event)) return event;
  }
}

const requestsOf = ({ totals }: Changed): number =>
  Number(totals.find(({ meter }) => meter === 'requests')?.quantity);
const usedOf = ({ limits }: Changed): unknown =>
  Object.fromEntries(limits.map(({ name, used }) => [name, Number(used)]));

/** How a WebSocket ends, sent these messages. */
async function closeOf(
  messages: readonly unknown[],
  protocol: string | string[] = 'graphql-transport-ws',
): Promise<[number, string]> {
  const socket = new WebSocket(addressOf(t), protocol);
  const closed = once(socket, 'close') as Promise<[number, Buffer]>;
  await once(socket, 'open');
  for (const message of messages) {
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }
  const [code, reason] = await closed;
  return [code, reason.toString()];
}

const subscription = (id: string) => ({ type: 'subscribe', id, payload: { query: QUERY } });
const init = (payload?: object) => ({ type: 'connection_init', payload });

/** What a request that asks for events is answered. */
async function postForEvents(body: unknown, headers: Record<string, string>): Promise<Response> {
  return fetch(`${t.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify(body),
  });
}

async function openSubscriptions(): Promise<number> {
  const text = await (await fetch(`${t.app.url}/metrics`)).text();
  return Number(/^tollgraph_subscriptions (\d+)$/m.exec(text)?.[1]);
}

describe.each(TRANSPORTS)('usageChanged over %s', (_name, subscribe) => {
  it('tells the state at once, and again after each call', async () => {
    const { secret } = await t.customer();
    await call(secret);
    const events = subscribe(secret);
    const first = await changed(events);
    expect(requestsOf(first)).toBe(1);
    expect(usedOf(first)).toMatchObject({ 'requests-minute': 1, 'requests-month': 1 });
    await Promise.all([call(secret), call(secret)]);
    const third = await until(events, (change) => requestsOf(change) === 3);
    expect(usedOf(third)).toMatchObject({ 'requests-minute': 3, 'requests-month': 3 });
    expect(Date.parse(third.at)).toBeGreaterThanOrEqual(Date.parse(first.at));
    const { data } = await t.query(UsageDocument, { minPosition: third.position }, secret);
    expect(quantityIn(data?.account?.usage)).toBe(3);
    await events.return?.();
  });

  it('tells of a call on another node, by its journal', async () => {
    const { secret, accountId } = await t.customer();
    const events = subscribe(secret);
    expect(requestsOf(await changed(events))).toBe(0);
    const now = Date.now();
    const use = newUse({ at: now, periods: [periodOf('day', now), periodOf('month', now)] });
    const data = JSON.stringify({ groups: [{ account: accountId, uses: [use] }], node: 'far', start: 's' });
    const event = newEvent({ type: 'UsesRecorded', data });
    await t.app.parts.store.append(usageStream(accountId, 'day'), NO_STREAM, [event], 'journal');
    expect(requestsOf(await changed(events))).toBe(1);
    await events.return?.();
  });

  it('is never refused for quota, and takes nothing', async () => {
    const { secret } = await t.customer();
    for (let i = 0; i < 10; i++) expect((await call(secret)).status).toBe(200);
    expect((await call(secret)).status).toBe(429);
    const events = subscribe(secret);
    const { limits } = await changed(events);
    expect(limits.find(({ name }) => name === 'requests-minute')).toMatchObject({
      used: '10',
      remaining: '0',
    });
    await events.return?.();
  });

  it('counts test calls apart', async () => {
    const { secret, token } = await t.customer();
    const test = await t.issueKey(token, 'TEST');
    const events = subscribe(test.secret);
    await changed(events);
    await call(secret);
    await call(test.secret);
    expect(requestsOf(await changed(events))).toBe(1);
    await events.return?.();
  });

  it('is refused to a session that is not good', async () => {
    await expect(subscribe('eyJhbGciOiJFZERTQSJ9.e30.AAAA').next()).rejects.toBeDefined();
  });

  it('is no longer counted as open once its client is gone', async () => {
    const { secret } = await t.customer();
    const before = await openSubscriptions();
    const events = subscribe(secret);
    await changed(events);
    expect(await openSubscriptions()).toBe(before + 1);
    const waiting = events.next().catch(() => undefined);
    await events.return?.();
    await Promise.all(clients.splice(0).map(async (client) => client.dispose()));
    await waiting;
    // The server hears of it a moment later.
    while ((await openSubscriptions()) !== before) await pause();
  });
});

describe('what ends a credential ends what is open, without a call in between', () => {
  /** How a subscription of the client ends. */
  const closing = (client: Client): Promise<{ code: number; reason: string }> =>
    new Promise((resolve) => {
      client.on('closed', (event) => resolve(event as { code: number; reason: string }));
    });

  it('a revoked key', async () => {
    const { secret, token, keyId } = await t.customer();
    const client = connect({ 'X-API-Key': secret });
    const closed = closing(client);
    const events = client.iterate({ query: QUERY }) as unknown as Subscribed;
    const streamed = overSse(secret);
    await Promise.all([changed(events), changed(streamed)]);
    const [socketEnd, streamEnd] = [events.next().catch((error: unknown) => error), streamed.next()];
    await t.query(RevokeKeyDocument, { input: { keyId } }, token);
    expect(await closed).toMatchObject({ code: 4401, reason: 'KEY_REVOKED' });
    expect(await socketEnd).toMatchObject({ code: 4401 });
    expect((await streamEnd).value).toMatchObject({ errors: [{ extensions: { code: 'KEY_REVOKED' } }] });
    expect((await streamed.next()).done).toBe(true);
  });

  it('another key of the account stays', async () => {
    const { secret, token } = await t.customer();
    const other = await t.issueKey(token);
    const events = overWebSocket(secret);
    await changed(events);
    await t.query(RevokeKeyDocument, { input: { keyId: other.keyId } }, token);
    await call(secret);
    expect(requestsOf(await changed(events))).toBe(1);
  });

  it('a session that was signed out everywhere, or whose password was changed', async () => {
    for (const end of [
      (token: string) => t.query(SignOutEverywhereDocument, { input: {} }, token),
      (token: string) =>
        t.query(
          ChangePasswordDocument,
          { input: { currentPassword: 'correct horse', newPassword: 'battery staple' } },
          token,
        ),
    ]) {
      const { token } = await t.register();
      const client = connect({ authorization: `Bearer ${token}` });
      const closed = closing(client);
      const events: Subscribed = client.iterate({ query: QUERY });
      await changed(events);
      const next = events.next().catch(() => undefined);
      expect((await end(token)).errors).toBeUndefined();
      expect(await closed).toMatchObject({ code: 4401, reason: 'SESSION_ENDED' });
      await next;
    }
  });

  it('a deleted account', async () => {
    const { token, secret } = await t.customer();
    const [bySession, byKey] = [
      connect({ authorization: `Bearer ${token}` }),
      connect({ 'x-api-key': secret }),
    ];
    const closed = [closing(bySession), closing(byKey)];
    const events = [bySession, byKey].map(
      (client) => client.iterate({ query: QUERY }) as unknown as Subscribed,
    );
    await Promise.all(events.map(changed));
    const ends = events.map((one) => one.next().catch(() => undefined));
    const { data } = await t.query(DeleteAccountDocument, { input: { password: 'correct horse' } }, token);
    expect(data?.deleteAccount?.__typename).toBe('DeleteAccountPayload');
    expect((await Promise.all(closed)).map(({ code, reason }) => [code, reason])).toEqual([
      [4401, 'ACCOUNT_DELETED'],
      [4401, 'KEY_REVOKED'],
    ]);
    await Promise.all(ends);
  });
});

describe('a connection', () => {
  it.each<[what: string, code: number, reason: string, messages: readonly unknown[]]>([
    ['without a credential', 4401, 'KEY_MISSING', [init()]],
    ['with a key that is none', 4401, 'KEY_MALFORMED', [init({ authorization: 'Bearer nonsense' })]],
    ['with a key that is no text', 4401, 'KEY_MALFORMED', [init({ 'X-API-Key': { a: 1 } })]],
    ['that asks before it says who it is', 4401, 'Unauthorized', [subscription('1')]],
    ['that says nothing', 4408, 'Connection initialisation timeout', []],
    ['that speaks no JSON', 4400, 'Invalid message received', ['{']],
    ['with a message above 64 KiB', 1009, '', [init({ text: 'x'.repeat(64 * 1024) })]],
  ])('%s is closed with %i %s', async (_what, code, reason, messages) => {
    expect(await closeOf(messages)).toEqual([code, reason]);
  });

  it('that speaks another protocol is closed with 4406', async () => {
    expect(await closeOf([], [])).toEqual([4406, 'Subprotocol not acceptable']);
  });

  it('may carry its key in the handshake', async () => {
    const { secret } = await t.customer();
    const socket = new WebSocket(addressOf(t), 'graphql-transport-ws', { headers: { 'x-api-key': secret } });
    await once(socket, 'open');
    socket.send(JSON.stringify(init()));
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(message.toString())).toEqual({ type: 'connection_ack' });
    socket.terminate();
  });

  it(`has at most ${MAX_OPERATIONS} operations at once`, async () => {
    const { secret } = await t.customer();
    const client = connect({ 'x-api-key': secret });
    const open = Array.from(
      { length: MAX_OPERATIONS },
      () => client.iterate({ query: QUERY }) as unknown as Subscribed,
    );
    await Promise.all(open.map(changed));
    const refused = (client.iterate({ query: QUERY }) as unknown as Subscribed).next();
    await expect(refused).rejects.toMatchObject([{ extensions: { code: 'TOO_MANY_OPERATIONS' } }]);
    await open[0]?.return?.();
    await changed(client.iterate({ query: QUERY }));
  });

  it(`is one of at most ${MAX_CONNECTIONS} of its account, event streams among them`, async () => {
    const { secret } = await t.customer();
    const sockets = Array.from(
      { length: MAX_CONNECTIONS },
      () => new WebSocket(addressOf(t), 'graphql-transport-ws'),
    );
    await Promise.all(
      sockets.map(async (socket) => {
        await once(socket, 'open');
        socket.send(JSON.stringify(init({ 'x-api-key': secret })));
        await once(socket, 'message');
      }),
    );
    expect(await closeOf([init({ 'x-api-key': secret })])).toEqual([4403, 'TOO_MANY_CONNECTIONS']);
    const response = await postForEvents({ query: QUERY }, { 'x-api-key': secret });
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'TOO_MANY_CONNECTIONS' } }],
    });

    const closed = once(sockets[0] as WebSocket, 'close');
    sockets[0]?.close();
    await closed;
    const events = overSse(secret);
    await changed(events);
    await events.return?.();
    for (const socket of sockets) socket.terminate();
  });
});

describe.each(TRANSPORTS)('other operations over %s', (_name, subscribe) => {
  it('are governed, recorded and limited as over plain HTTP', async () => {
    const { secret } = await t.customer();
    const patterns = '{ patterns(first: 1) { totalCount } }';
    for (let i = 0; i < 10; i++) {
      const { value } = await subscribe(secret, t, patterns).next();
      expect(value).toMatchObject({ data: { patterns: { totalCount: 0 } } });
    }
    await expect(subscribe(secret, t, patterns).next()).rejects.toBeDefined();
    const { data } = await t.query(UsageDocument, {}, secret);
    expect(quantityIn(data?.account?.usage)).toBe(10);
  });

  it('include introspection', async () => {
    const { secret } = await t.customer();
    const { value } = await subscribe(secret, t, getIntrospectionQuery()).next();
    expect(value).toMatchObject({ data: { __schema: { subscriptionType: { name: 'Subscription' } } } });
  });
});

it.each([
  ['no GraphQL', '{', 'GRAPHQL_PARSE_FAILED'],
  ['a field that there is not', 'subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED'],
  [
    'two fields',
    'subscription { usageChanged { at } more: usageChanged { at } }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['too many tokens', `subscription { usageChanged { ${'at '.repeat(2_000)} } }`, 'GRAPHQL_PARSE_FAILED'],
  [
    'too many aliases',
    `subscription { usageChanged { ${Array.from({ length: 51 }, (_, i) => `a${i}: at`).join(' ')} } }`,
    'QUERY_TOO_LARGE',
  ],
])('a subscription with %s is refused', async (_what, query, code) => {
  const { secret } = await t.customer();
  const overSocket = (connect({ 'x-api-key': secret }).iterate({ query }) as unknown as Subscribed).next();
  await expect(overSocket).rejects.toMatchObject([{ extensions: { code } }]);
  const response = await postForEvents({ query }, { 'x-api-key': secret });
  expect(response.status).toBe(400);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(await response.json()).toMatchObject({ errors: [{ extensions: { code } }] });
});

describe('a request for events', () => {
  it('without a key is an ordinary 401', async () => {
    const response = await postForEvents({ query: QUERY }, {});
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'KEY_MISSING' } }] });
  });

  it.each([
    ['no object', []],
    ['no query', {}],
    ['variables that are none', { query: QUERY, variables: 'x' }],
  ])('with %s is 400', async (_what, body) => {
    const { secret } = await t.customer();
    const response = await postForEvents(body, { 'x-api-key': secret });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { errors: [{ extensions: { code: 'BODY_INVALID' } }] },
    ]);
  });

  it('is answered unbuffered and says where the limits stand', async () => {
    const { secret } = await t.customer();
    const { status, headers, body } = await postForEvents({ query: QUERY }, { 'x-api-key': secret });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(headers.get('x-accel-buffering')).toBe('no');
    expect(headers.get('ratelimit')).toMatch(/^"requests-minute";r=10/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    await body?.cancel();
  });

  it('is one that takes no JSON: whoever takes both gets an ordinary answer', async () => {
    const { secret } = await t.customer();
    const post = (query: string): Promise<Response> =>
      postForEvents({ query }, { 'x-api-key': secret, accept: 'application/json, text/event-stream' });
    expect(await (await post('{ __typename }')).json()).toEqual({ data: { __typename: 'Query' } });
    const refused = await post(QUERY);
    expect(refused.status).toBe(406);
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'STREAM_REQUIRED' } }] });
  });
});

describe('a request that offers another protocol than WebSocket, as Java’s client offers HTTP/2', () => {
  it.each(['/health/live', '/graphql'])('is answered on %s as if it had not', async (path) => {
    const headers = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
      'content-type': 'application/json',
    };
    const body = path === '/graphql' ? JSON.stringify({ query: '{ __typename }' }) : '';
    const sent = request(`${t.app.url}${path}`, { method: body === '' ? 'GET' : 'POST', headers });
    // In two parts, of which the second comes when the head has been read.
    if (body !== '') sent.setHeader('content-length', body.length).write(body.slice(0, 5));
    await once(sent, 'socket');
    await new Promise((resolve) => sent.once('finish', resolve).end(body.slice(5)));
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    expect(JSON.parse(await text(answer))).toEqual(
      body === '' ? { status: 'live' } : { data: { __typename: 'Query' } },
    );
  });
});

describe('when the server stops', () => {
  it('closes WebSockets with 1001 and ends event streams, and is closed', async () => {
    const app = await startApp();
    const { secret } = await app.customer();
    const socket = new WebSocket(addressOf(app), 'graphql-transport-ws');
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    await once(socket, 'open');
    socket.send(JSON.stringify(init({ 'x-api-key': secret })));
    await once(socket, 'message');
    socket.send(JSON.stringify(subscription('1')));
    await once(socket, 'message');
    const streamed = overSse(secret, app);
    await changed(streamed);
    const next = streamed.next();
    await Promise.all([
      app.close(),
      closed.then(([code]) => expect(code).toBe(1001)),
      // No `complete`: the client is to come again.
      expect(next).rejects.toThrow(),
    ]);
  });
});
