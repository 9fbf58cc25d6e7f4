import { get } from 'node:http';
import { Refused, askProcess } from '../../src/cli/client.js';
import { parseConfig } from '../../src/config.js';
import { givenId } from '../../src/graphql/kit/ids.js';
import {
  InvoicesDocument,
  IssueKeyDocument,
  OperatorResetQuotaDocument,
  StartCheckoutDocument,
  SubscriptionDocument,
} from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { typeCard } from './support.js';

let test: TestApp;
beforeAll(async () => {
  test = await startApp({ env: { BILLING: 'sandbox', PAYMENT_RETURN_URL: 'https://shop.example/account' } });
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

it('moves its clock by a command', async () => {
  const { now: before } = await ask<{ now: string }>('sandbox time');
  const { now: after } = await ask<{ now: string }>('sandbox advance', { to: '31d' });
  expect(Math.round((Date.parse(after) - Date.parse(before)) / 86_400_000)).toBe(31);
  const { now: shown } = await ask<{ now: string }>('sandbox time');
  expect(Date.parse(shown)).toBeGreaterThanOrEqual(Date.parse(after));
  await expect(ask('sandbox advance', { to: 'soon' })).rejects.toThrow(Refused);
});

/** Until everything that the sandbox has sent was acted on, and is shown. */
async function settled(): Promise<void> {
  const { store, billing } = test.app.parts;
  // Advancing by nothing ends when everything was sent.
  const sent = () => ask('sandbox advance', { to: '0s' });
  await sent();
  for (let before = -1; before < (await store.head());) {
    before = await store.head();
    await test.caughtUp();
    await billing?.work();
    await sent();
  }
}

it('lets a new user subscribe on its page, and bills the renewal once its clock has moved', async () => {
  const { token } = await test.register();
  const started = await test.query(
    StartCheckoutDocument,
    { input: { priceId: 'developer-month-usd' } },
    token,
  );
  const result = started.data?.startCheckout;
  if (result?.__typename !== 'StartCheckoutPayload' || result.url == null)
    throw new Error(JSON.stringify(started));
  const url = String(result.url);
  expect(url.startsWith(`${test.app.url}/sandbox/checkout/`)).toBe(true);
  const page = await (await fetch(url)).text();
  expect(page).toContain('Start the trial');
  expect(page).toMatch(/Then \$29\.00 per month from \d{1,2} \w+ \d{4}/);
  expect((await typeCard(url, '4000 0000 0000 0002')).status).toBe(402);
  expect(page).toContain('<a href="https://shop.example/account">');
  const paid = await typeCard(url, '4242 4242 4242 4242');
  expect([paid.status, paid.headers.get('location')]).toEqual([
    303,
    expect.stringMatching(/^https:\/\/shop\.example\/account\?checkout=cs_/),
  ]);
  await settled();
  const account = async () => (await test.query(SubscriptionDocument, {}, token)).data?.account;
  expect(await account()).toMatchObject({ plan: { id: 'developer' }, subscription: { status: 'TRIALING' } });
  await ask('sandbox advance', { to: '14d' });
  await ask('sandbox advance', { to: '2h' });
  await settled();
  expect(await account()).toMatchObject({ subscription: { status: 'ACTIVE' } });
  const { data } = await test.query(InvoicesDocument, { first: 2 }, token);
  const invoices = data?.account?.invoices?.nodes ?? [];
  expect(invoices.map((invoice) => Number(invoice?.total.minorUnits))).toContain(2900);
});

/** What every way in says of the requests of an account, and of those of its key. */
async function shownUse({ token, secret, keyId }: { token: string; secret: string; keyId: string }) {
  await test.caughtUp();
  const { data } = await test.raw(
    `{
      account {
        limits { name used }
        usage { totals { meter quantity } }
        usageTimeline(interval: MONTH) { points { from totals { meter quantity } } }
        keys(first: 10) { nodes { id limitStatus { used } } }
      }
    }`,
    {},
    token,
  );
  const account = data?.['account'] as {
    limits: { name: string; used: string }[];
    usage: { totals: Total[] };
    usageTimeline: { points: { from: string; totals: Total[] }[] };
    keys: { nodes: { id: string; limitStatus: { used: string }[] }[] };
  };
  const read = async (path: string) => {
    const response = await fetch(test.app.url + path, { headers: { authorization: `Bearer ${secret}` } });
    return { headers: response.headers, body: (await response.json()) as Record<string, unknown> };
  };
  const quota = (await read('/v1/quota')).body['limits'] as { name: string; used: string }[];
  const month = (await read('/v1/usage')).body;
  const { headers } = await test.raw('{ me { account { id } } }', {}, secret);
  return {
    limit: account.limits.find(({ name }) => name === 'requests-month')?.used,
    key: account.keys.nodes.find(({ id }) => id === `key_${keyId}`)?.limitStatus[0]?.used,
    quota: quota.find(({ name }) => name === 'requests-month')?.used,
    left: /"requests-month";r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1],
    usage: requestsOf(account.usage.totals),
    month: requestsOf(month['totals'] as Total[]),
    history: account.usageTimeline.points.map(({ from, totals }) => [from, requestsOf(totals)]),
  };
}

interface Total {
  readonly meter: string;
  readonly quantity: string;
}
const requestsOf = (totals: readonly Total[]) => totals.find(({ meter }) => meter === 'requests')?.quantity;

it('counts use in the period of its time, and shows, resets and lists the same periods (decision 36)', async () => {
  // In the middle of a month: none ends while this runs.
  const { now } = await ask<{ now: string }>('sandbox time');
  const begin = (months: number): string => {
    const date = new Date(now);
    return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1)).toISOString();
  };
  const middle = (months: number): string => begin(months).replace('-01T', '-10T');
  await ask('sandbox advance', { to: middle(1) });
  const { token, accountId } = await test.register();
  const issued = await test.query(
    IssueKeyDocument,
    {
      input: {
        name: 'counted',
        environment: 'LIVE',
        scopes: ['READ'],
        limits: [{ meter: 'requests', window: 'MONTH', max: 50 }],
      },
    },
    token,
  );
  const key = issued.data?.issueKey;
  if (key?.__typename !== 'IssueKeyPayload' || key.secret == null) throw new Error(JSON.stringify(issued));
  const caller = { token, secret: key.secret, keyId: givenId('Key', key.key.id) };
  const use = async (): Promise<void> => {
    const { data } = await test.raw('{ patterns(first: 1) { totalCount } }', {}, caller.secret);
    expect(data?.['patterns']).toBeDefined();
  };

  await use();
  await use();
  const first = { limit: '2', key: '2', quota: '2', left: '998', usage: '2', month: '2' };
  expect(await shownUse(caller)).toEqual({ ...first, history: [[begin(1), '2']] });

  await ask('sandbox advance', { to: middle(2) });
  const none = { limit: '0', key: '0', quota: '0', left: '1000', usage: '0', month: '0' };
  expect(await shownUse(caller)).toEqual({ ...none, history: [[begin(1), '2']] });

  await use();
  const again = { limit: '1', key: '1', quota: '1', left: '999', usage: '1', month: '1' };
  const both = [
    [begin(1), '2'],
    [begin(2), '1'],
  ];
  expect(await shownUse(caller)).toEqual({ ...again, history: both });

  // An operator resets the period that is shown; what was used stays in the history.
  const operator = await test.register();
  await test.makeOperator(operator);
  const input = { accountId, window: 'MONTH', reason: 'a gift' } as const;
  const reset = await test.query(OperatorResetQuotaDocument, { input }, operator.token);
  expect(reset.data?.operatorResetQuota).toMatchObject({ __typename: 'OperatorResetQuotaPayload' });
  await test.caughtUp();
  expect(await shownUse(caller)).toMatchObject({
    limit: '0',
    key: '0',
    quota: '0',
    left: '1000',
    history: both,
  });
  await use();
  expect(await shownUse(caller)).toMatchObject({ limit: '1', key: '1', quota: '1', usage: '2', month: '2' });
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
  expect(await ask<unknown[]>('sandbox deliveries', { limit: 1 })).toMatchObject([{ delivered: true }]);
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
