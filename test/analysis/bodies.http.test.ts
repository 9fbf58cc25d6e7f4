import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp({
    env: { PROFILE: 'scanner', PAYMENT_REQUIRED: 'false', PUBLIC_URL: 'https://api.example.com' },
  });
});
afterAll(() => t.close());

const SECURE = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' };
const FORM = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nstop\r\n--b--\r\n';
const FORM_TYPE = 'multipart/form-data; boundary=b';

it('probes read its health past the proxy', async () => {
  const answer = await fetch(`${t.app.url}/health`, { redirect: 'manual' });
  expect([answer.status, await answer.json()]).toMatchObject([200, { status: 'healthy' }]);
  expect((await fetch(`${t.app.url}/version`, { redirect: 'manual' })).status).toBe(308);
});

it.each<[string, string, string, Uint8Array]>([
  ['/analyze', FORM_TYPE, 'gzip', gzipSync(FORM)],
  ['/analyze', FORM_TYPE, ' X-GZIP', gzipSync(FORM)],
  ['/analyze', FORM_TYPE, 'br', Buffer.from(FORM)],
  ['/analyze', 'image/png', 'gzip', gzipSync(Buffer.alloc(50_000_000))],
  ['/create-payment-intent', 'application/json', 'gzip', gzipSync('{}')],
  ['/health', 'application/json', 'gzip', gzipSync('{}')],
])('%s takes no encoding: %s, %s', async (path, type, encoding, body) => {
  const answer = await fetch(`${t.app.url}${path}`, {
    method: 'POST',
    headers: { ...SECURE, 'content-type': type, 'content-encoding': encoding },
    body,
    // A form that was unpacked and read by nobody stood still.
    signal: AbortSignal.timeout(30_000),
  });
  expect([answer.status, await answer.json()]).toEqual([
    415,
    { detail: 'Send the body without Content-Encoding', code: '415' },
  ]);
  expect(answer.headers.get('accept-encoding')).toBe('identity');
  expect(answer.headers.get('connection')).toBe('close');
});

it('takes a form as it is', async () => {
  const headers = { ...SECURE, 'content-type': FORM_TYPE, 'content-encoding': 'identity' };
  const answer = await fetch(`${t.app.url}/analyze`, { method: 'POST', headers, body: FORM });
  expect([answer.status, await answer.json()]).toMatchObject([200, { total_events: 1 }]);
});

it('a body of another type is not read without end', async () => {
  const socket = connect(Number(new URL(t.app.url).port), '127.0.0.1');
  // The server hangs up while more comes.
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.write(
    'POST /analyze HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.7\r\n' +
      'Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  for (let sent = 0; sent < 4 && socket.writable; sent++) socket.write(chunk);
  await closed;
  expect(answer).toMatch(/^HTTP\/1\.1 422 /);
  expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
});
