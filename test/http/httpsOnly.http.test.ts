import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp({ env: { PUBLIC_URL: 'https://api.example.com' } });
});
afterAll(() => t.close());

type Headers = Record<string, string>;
const SECURE = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' };
const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${t.app.url}${path}`, { redirect: 'manual', ...init });
const query = '/graphql?query=%7B__typename%7D';
const post = (headers: Headers): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ query: '{ __typename }' }),
});
const refused = { errors: [{ extensions: { code: 'HTTPS_REQUIRED' } }] };

it.each<[string, Headers]>([
  ['X-Forwarded-Proto', SECURE],
  ['Forwarded', { forwarded: 'for=203.0.113.7;proto=https' }],
])('serves what came by https, as %s tells, and browsers keep to it', async (_header, headers) => {
  const answer = await ask('/graphql', post(headers));
  expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
  expect(await answer.json()).not.toMatchObject(refused);
  expect((await ask('/nowhere', { headers })).headers.get('strict-transport-security')).not.toBeNull();
});

it.each<[string, Headers]>([
  ['the proxy says so', { 'x-forwarded-proto': 'http' }],
  ['it says nothing', {}],
  ['the caller says otherwise', { 'x-forwarded-proto': 'https, http' }],
  ['two headers differ', { 'x-forwarded-proto': 'https', forwarded: 'for=203.0.113.7;proto=http' }],
])('sends readers on from plain HTTP where %s', async (_what, headers) => {
  for (const method of ['GET', 'HEAD']) {
    const answer = await ask(query, { method, headers });
    expect([answer.status, answer.headers.get('location')]).toEqual([308, `https://api.example.com${query}`]);
    expect(answer.headers.get('strict-transport-security')).toBeNull();
  }
});

it('refuses everything else over plain HTTP, and what carries a credential', async () => {
  const all: RequestInit[] = [
    post({}),
    { method: 'OPTIONS' },
    { headers: { 'x-api-key': 'sk_live_x' } },
    { headers: { authorization: 'Bearer x' } },
  ];
  for (const init of all) {
    const answer = await ask(query, init);
    expect([answer.status, await answer.json()]).toMatchObject([403, refused]);
  }
  const socket = new WebSocket(`${t.app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  expect(response.statusCode).toBe(403);
  response.resume();
  await once(response, 'close');
});

it.each(['/health', '/health/live', '/health/ready', '/metrics'])('answers probes at %s', async (path) => {
  expect((await ask(path)).status).toBe(200);
});

it.each(['http://evil.example/x', '//evil.example/x'])(
  'sends nobody elsewhere who asks for %s',
  async (target) => {
    const socket = connect(Number(new URL(t.app.url).port), '127.0.0.1');
    socket.write(`GET ${target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 308 .*\r\nlocation: https:\/\/api\.example\.com\/.*\r\n/is);
  },
);
