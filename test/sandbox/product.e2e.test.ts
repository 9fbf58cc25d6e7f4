import { get } from 'node:http';
import { Refused, askProcess } from '../../src/cli/client.js';
import { parseConfig } from '../../src/config.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

let test: TestApp;
beforeAll(async () => {
  test = await startApp({ env: { BILLING: 'sandbox' } });
});
afterAll(() => test.close());

const ask = <R>(command: string, args: object = {}): Promise<R> =>
  askProcess(test.place.dataDir, { command, args }, () => undefined) as Promise<R>;

/** The status for a path that is sent as it is; clients tidy it otherwise. */
const rawStatus = (path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(test.app.url);
    get({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });

it('is hosted by the process, and says so', () => {
  expect(test.app.sandbox).toBe(true);
});

it('serves its pages under the address of the product, without scripts', async () => {
  const page = await fetch(`${test.app.url}/sandbox/checkout/cs_test_nobody`);
  expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const text = await page.text();
  expect(text).toContain('nothing here moves money');
  expect(text).not.toMatch(/<script/i);
  const huge = await fetch(`${test.app.url}/sandbox/checkout/cs_test_nobody`, {
    method: 'POST',
    body: new URLSearchParams({ number: '4'.repeat(20_000) }),
  });
  expect(huge.status).toBe(413);
  // What is not a page is not to be reached: the API has a key and is on loopback.
  expect(await rawStatus('/sandbox/%2e%2e/v1/customers')).toBe(404);
  expect(await rawStatus('/sandbox/../v1/customers')).toBe(404);
});

it('moves its clock by a command, and nothing else of the product', async () => {
  const { now: before } = await ask<{ now: string }>('sandbox time');
  const { now: after } = await ask<{ now: string }>('sandbox advance', { to: '31d' });
  expect(Math.round((Date.parse(after) - Date.parse(before)) / 86_400_000)).toBe(31);
  const { now: shown } = await ask<{ now: string }>('sandbox time');
  expect(Date.parse(shown)).toBeGreaterThanOrEqual(Date.parse(after));
  await expect(ask('sandbox advance', { to: 'soon' })).rejects.toThrow(Refused);
});

it('plans faults, and refuses what it does not know', async () => {
  await ask('sandbox fault', { kind: 'decline', decline: 'insufficient_funds', times: 2 });
  await ask('sandbox fault', { kind: 'deliver', fault: 'duplicated' });
  await ask('sandbox fault', { kind: 'clear' });
  await expect(ask('sandbox fault', { kind: 'explode' })).rejects.toThrow(Refused);
  await expect(ask('sandbox fault', { kind: 'dispute', payment: 'pi_nobody' })).rejects.toThrow(
    'No such payment intent',
  );
  await expect(ask('sandbox replay', { id: 'del_nobody' })).rejects.toThrow('No such delivery');
  expect(await ask('sandbox deliveries')).toEqual([]);
});

it('is on in production only where it is asked for', () => {
  const secrets = Object.fromEntries(
    ['KEY_PEPPER', 'EMAIL_HASH_KEY', 'MASTER_KEY', 'SESSION_KEY'].map((name, n) => [name, `${n}`.repeat(43)]),
  );
  const mode = (env: NodeJS.ProcessEnv) => parseConfig({ ...secrets, ...env }).billing.mode;
  expect(mode({})).toBe('sandbox');
  expect(mode({ NODE_ENV: 'production' })).toBe('off');
  expect(mode({ NODE_ENV: 'production', BILLING: 'sandbox' })).toBe('sandbox');
});
