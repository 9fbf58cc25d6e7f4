import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

/** Of one anonymous field from one address, each minute. */
const AT_MOST = 10;
const FORGED = 14;

/** Adds to what the caller has sent, as nginx, HAProxy and cloud balancers do. */
type Appends = (headers: Record<string, string | undefined>, from: string) => Record<string, string>;
const APPENDS: Readonly<Record<string, Appends>> = {
  'X-Forwarded-For': ({ 'x-forwarded-for': before, ...rest }, from) => ({
    ...(rest as Record<string, string>),
    'x-forwarded-for': before === undefined ? from : `${before}, ${from}`,
  }),
  Forwarded: ({ forwarded: before, ...rest }, from) => ({
    ...(rest as Record<string, string>),
    forwarded: `${before === undefined ? '' : `${before}, `}for=${from};proto=http`,
  }),
};

let test: TestApp;
const proxies: Server[] = [];

/** A proxy that is called from an address which a test chooses. @returns its address */
async function proxy(appends: Appends, from: string): Promise<string> {
  const server = createServer((incoming, answer) => {
    const { method, url, headers } = incoming;
    const onward = request(
      `${test.app.url}${url}`,
      { method, headers: appends(headers as Record<string, string>, from) },
      (answered) => {
        answer.writeHead(answered.statusCode ?? 500, answered.headers);
        answered.pipe(answer);
      },
    );
    incoming.pipe(onward);
  });
  proxies.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  test = await startApp();
});
afterAll(async () => {
  for (const server of proxies) server.close();
  await test.close();
});

const reset = 'mutation { requestPasswordReset(input: { email: "v@example.com" }) { __typename } }';

async function statuses(base: string, headersOf: (n: number) => Record<string, string>): Promise<number[]> {
  const all: number[] = [];
  for (let n = 0; n < FORGED; n++) {
    const answer = await fetch(`${base}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headersOf(n) },
      body: JSON.stringify({ query: reset }),
    });
    await answer.text();
    all.push(answer.status);
  }
  return all;
}

const LIMITED = [...Array<number>(AT_MOST).fill(200), ...Array<number>(FORGED - AT_MOST).fill(429)];

describe.each(Object.keys(APPENDS))('behind a proxy that appends to %s', (header) => {
  const hop = Object.keys(APPENDS).indexOf(header) + 1;

  it.each<[string, string, (n: number) => Record<string, string>]>([
    ['forge what stands before it', `203.0.113.${hop}`, (n) => ({ 'x-forwarded-for': `198.51.100.${n}` })],
    ['forge the other header', `203.0.113.1${hop}`, (n) => ({ forwarded: `for=198.51.100.${n}` })],
    ['open a quotation', `203.0.113.2${hop}`, () => ({ forwarded: 'for="198.51.100.1' })],
  ])('callers who %s are limited all the same', async (_what, from, headersOf) => {
    const base = await proxy(APPENDS[header] as Appends, from);
    const answers = await statuses(base, headersOf);
    // Fewer where nothing but the proxy is known, since others have called through it before.
    expect(answers.filter((status) => status === 200).length).toBeLessThanOrEqual(AT_MOST);
    expect(answers.slice(AT_MOST)).toEqual(LIMITED.slice(AT_MOST));
  });

  it('one caller is limited whatever port stands with the address, and another is not', async () => {
    const own = `203.0.113.3${hop}`;
    let port = 1024;
    const appends: Appends = (headers, from) =>
      (APPENDS[header] as Appends)(
        headers,
        header === 'Forwarded' ? `"${from}:${port++}"` : `${from}:${port++}`,
      );
    expect(await statuses(await proxy(appends, own), () => ({}))).toEqual(LIMITED);
    const other = await statuses(await proxy(APPENDS[header] as Appends, `203.0.113.4${hop}`), () => ({}));
    expect(other).toEqual(LIMITED);
  });
});

it('one network of IPv6 is one caller', async () => {
  const answers = await statuses(test.app.url, (n) => ({ 'x-forwarded-for': `[2001:db8:7:7::${n}]:443` }));
  expect(answers).toEqual(LIMITED);
});

it('what is no address counts as the proxy', async () => {
  const answers = await statuses(test.app.url, (n) => ({ 'x-forwarded-for': `198.51.100.1, garbage${n}` }));
  expect(answers).toContain(429);
});
