import { once } from 'node:events';
import { connect } from 'node:net';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

let t: TestApp;
let operator: string;
let caller: Awaited<ReturnType<TestApp['customer']>>;

beforeAll(async () => {
  t = await startApp();
  const user = await t.customer();
  await t.makeOperator(user);
  operator = user.token;
  caller = await t.customer();
});
afterAll(() => t.close());

const call = (path: string, headers: Record<string, string> = {}, body?: string): Promise<Response> =>
  fetch(`${t.app.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body }),
  });
const idOf = (response: Response): string => response.headers.get('x-request-id') ?? '';
const query = (text: string): string => JSON.stringify({ query: text });
/** A query that takes from the plan. */
const CALL = 'query Mine { patterns(first: 1) { nodes { id } } }';
const MINTED = /^[0-9a-f]{8}\.\d{17}\.[0-9a-z]+-[0-9a-z]+$/;

interface Traced {
  readonly useId: string;
  readonly accountId: string;
  readonly keyId: string | null;
  readonly operation: string | null;
  readonly status: string;
  readonly refusalCode: string | null;
  readonly quantities: readonly { meter: string; quantity: string }[];
  readonly count: number;
}

async function traced(requestId: string, more = ''): Promise<Traced[]> {
  await t.caughtUp();
  const { data, errors } = await t.raw(
    `query ($id: String!) { operator { usesOfRequest(requestId: $id${more}) {
       useId accountId keyId operation status refusalCode quantities { meter quantity } count } } }`,
    { id: requestId },
    operator,
  );
  const found = (data?.['operator'] as { usesOfRequest: Traced[] | null } | undefined)?.usesOfRequest;
  if (!found) throw new Error(JSON.stringify(errors));
  return found;
}

it('every answer names its request', async () => {
  const key = { authorization: `Bearer ${caller.secret}` };
  const answers = await Promise.all([
    call('/health'),
    call('/nowhere'),
    call('/metrics'),
    call('/graphql', {}, query('{')),
    call('/graphql', {}, '{'),
    call('/graphql', {}, query('{ me { account { id } } }')),
    call('/graphql', key, query('{ me { account { id } } }')),
    call('/graphql', { ...key, accept: 'text/event-stream' }, query('{ me { account { id } } }')),
    call('/v1/usage', key),
    call('/v1/usage', {}, '{}'),
    call('/graphql', {}, JSON.stringify({ query: 'x'.repeat(200_000) })),
  ]);
  expect(answers.map((answer) => MINTED.test(idOf(answer)))).toEqual(answers.map(() => true));
  expect(new Set(answers.map(idOf)).size).toBe(answers.length);
});

it('a name that a caller gives is kept where it is well-formed', async () => {
  for (const given of ['order-17', 'a'.repeat(128), '4bf92f3577b34da6a3ce929d0e0e4736', 'A.b:c/d=e@f+g_h']) {
    expect(idOf(await call('/health', { 'x-request-id': given }))).toBe(given);
  }
  for (const given of ['', 'a'.repeat(129), 'a b', '"x"', '<b>', '-a', 'é']) {
    expect(idOf(await call('/health', { 'x-request-id': given }))).toMatch(MINTED);
  }
});

it('what no parser takes is named, too', async () => {
  const { port } = new URL(t.app.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('NONSENSE\r\n\r\n');
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  expect(/^x-request-id: (\S+)\r$/m.exec(chunk.toString())?.[1]).toMatch(MINTED);
});

it('leads an operator to the record', async () => {
  const key = { authorization: `Bearer ${caller.secret}` };
  const answered = await call('/graphql', key, query(CALL));
  expect(await traced(idOf(answered))).toMatchObject([
    {
      useId: idOf(answered),
      accountId: `acc_${caller.accountId}`,
      keyId: `key_${caller.keyId}`,
      operation: 'Mine',
      status: 'ok',
      refusalCode: null,
      count: 1,
    },
  ]);
  const given = await call('/graphql', { ...key, 'x-request-id': 'order-18' }, query(CALL));
  expect(idOf(given)).toBe('order-18');
  const [found, ...others] = await traced('order-18');
  expect(found?.useId).toMatch(MINTED);
  expect(others).toEqual([]);
  expect(await traced('order-18', ', around: "2026-01-01T00:00:00Z"')).toEqual([]);
  expect(await traced('order-19')).toEqual([]);
  // What takes nothing from the plan has no record.
  expect(await traced(idOf(await call('/graphql', key, query('{ me { account { id } } }'))))).toEqual([]);
});

it('leads to the record of a refusal', async () => {
  const key = { authorization: `Bearer ${caller.secret}` };
  let refused: Response;
  do refused = await call('/graphql', key, query(CALL));
  while (refused.status === 200);
  expect(refused.status).toBe(429);
  // Nobody waits for that record.
  let found: Traced[];
  do found = await traced(idOf(refused));
  while (found.length === 0);
  expect(found).toMatchObject([{ status: 'refused', refusalCode: 'RATE_LIMITED', quantities: [] }]);
});

it('is not for others than operators', async () => {
  const { errors } = await t.raw(
    '{ operator { usesOfRequest(requestId: "x") { useId } } }',
    {},
    caller.token,
  );
  expect(errors?.[0]?.extensions['code']).toBe('OPERATOR_REQUIRED');
});

it('each message of a WebSocket names its own', async () => {
  let handshake: string | undefined;
  class Noting extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args);
      this.once('upgrade', ({ headers }) => (handshake = headers['x-request-id'] as string));
    }
  }
  const client = createClient({
    url: `${t.app.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: Noting,
    connectionParams: { 'x-api-key': (await t.customer()).secret },
    retryAttempts: 0,
  });
  const ids: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    for await (const { extensions = {} } of client.iterate({ query: CALL })) {
      ids.push((extensions as { requestId?: unknown }).requestId);
    }
  }
  await client.dispose();
  expect([...ids, handshake].map((id) => MINTED.test(id as string))).toEqual([true, true, true]);
  expect(await traced(ids[1] as string)).toMatchObject([{ operation: 'Mine', status: 'ok' }]);
});
