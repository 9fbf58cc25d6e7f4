import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { SECRET_NAMES } from '../../src/config.js';
import { shownId } from '../../src/graphql/kit/ids.js';
import { CreateWebhookEndpointDocument, WebhookEndpointsDocument } from '../generated/graphql.js';
import type { Product } from '../process/product.js';
import { kill, ready, spawnProduct } from '../process/product.js';
import { rootWithoutPatterns } from '../process/root.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { ON_POSTGRES } from '../support/database.js';
import type { Receiver } from './receiver.js';
import { startReceiver } from './receiver.js';

const PATIENCE_MS = 240_000;

let receiver: Receiver;
let t: TestApp;
/** On PostgreSQL a second process does the same work. */
let other: Product | undefined;
let root: Awaited<ReturnType<typeof rootWithoutPatterns>>;
/** Addresses of all processes. */
let urls: readonly string[];

beforeAll(async () => {
  receiver = await startReceiver();
  root = await rootWithoutPatterns();
  const secrets = Object.fromEntries(
    SECRET_NAMES.map((name) => [name, randomBytes(32).toString('base64url')]),
  );
  const env = { ...secrets, WEBHOOK_NETWORKS: '127.0.0.0/8' };
  t = await startApp({ env });
  if (ON_POSTGRES) {
    const its = { DATA_DIR: join(t.place.dataDir, 'other'), BILLING: 'off', NODE_ID: 'other' };
    other = spawnProduct(t.place, root.path, { ...env, ...its });
  }
  urls = [t.app.url, ...(other ? [await ready(other)] : [])];
}, PATIENCE_MS);
afterAll(async () => {
  if (other) await kill(other);
  await t.close();
  await receiver.close();
  await root.remove();
}, PATIENCE_MS);

interface Reached {
  readonly type: string;
  readonly accountId: string;
  readonly data: { readonly limit: string; readonly percent: number; readonly used: string };
}

it(
  'delivers what a limit has reached, signed, and each part once, however many processes look',
  async () => {
    const operator = await t.register();
    await t.makeOperator(operator);
    const { secret: backEnd } = await t.issueKey(operator.token, 'LIVE', ['ADMIN']);
    const { token, accountId } = await t.register();
    const created = await t.query(
      CreateWebhookEndpointDocument,
      { input: { url: `${receiver.url}/reached`, eventTypes: ['usage.threshold_reached'] } },
      token,
    );
    const result = created.data?.createWebhookEndpoint;
    if (result?.__typename !== 'CreateWebhookEndpointPayload') throw new Error(JSON.stringify(result));
    const { secret } = result;

    /** Reports through one process after the other. A thousand requests a month are free. */
    let reports = 0;
    const report = async (quantity: number): Promise<void> => {
      const useId = `use-${++reports}`;
      const answer = await fetch(`${urls[reports % urls.length]}/v1/usage`, {
        method: 'POST',
        headers: { authorization: `Bearer ${backEnd}`, 'content-type': 'application/json' },
        body: JSON.stringify({ uses: [{ useId, accountId, meter: 'requests', quantity }] }),
      });
      expect(answer.status).toBe(200);
      await t.caughtUp();
    };
    for (const quantity of [499, 1, 100, 100, 99, 1, 199, 1, 50]) await report(quantity);
    await receiver.count('/reached', 3);

    // Nothing is left to be looked at, told or delivered.
    const { policies, store } = t.app.parts;
    for (let head = -1; head < (await store.head());) {
      head = await store.head();
      expect(await policies.reached(head, 60_000)).toBe(true);
    }
    for (;;) {
      const { data } = await t.query(WebhookEndpointsDocument, { deliveries: 20 }, token);
      const log = data?.me?.account.webhookEndpoints?.nodes[0]?.deliveries?.nodes ?? [];
      if (log.some(({ status }) => status === 'PENDING')) continue;
      expect(log.map(({ status, attempts }) => [status, attempts.length])).toEqual(
        Array.from({ length: 3 }, () => ['DELIVERED', 1]),
      );
      break;
    }
    const received = receiver.received.filter(({ path }) => path === '/reached');
    const told = received.map(
      ({ body, headers }) => new Webhook(secret ?? '').verify(body, headers) as Reached,
    );
    const rising = told.sort((a, b) => a.data.percent - b.data.percent);
    expect(rising.map(({ type, data: { limit, percent } }) => [type, limit, percent])).toEqual(
      [50, 80, 100].map((percent) => ['usage.threshold_reached', 'requests-month', percent]),
    );
    for (const { accountId: whose, data } of told) {
      expect(whose).toBe(shownId('Account', accountId));
      expect(data).toMatchObject({ max: '1000', used: expect.stringMatching(/^\d+$/) as string });
      expect(Number(data.used)).toBeGreaterThanOrEqual(data.percent * 10);
    }
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
  },
  PATIENCE_MS,
);
