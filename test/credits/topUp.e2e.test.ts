import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreditEvent } from '../../src/credits/events.js';
import { creditStream } from '../../src/credits/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { Shop } from '../billing/shop.js';
import { openShop } from '../billing/shop.js';
import { RecordUsageDocument, SetCreditTopUpDocument, StartCheckoutDocument } from '../generated/graphql.js';

const CARD = { good: '4242 4242 4242 4242', failsLater: '4000 0000 0000 0341' };

let shop: Shop;
let root: string;
let backEnd: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-top-up-'));
  await mkdir(join(root, 'profiles'));
  await copyFile(join('test', 'overage', 'example.yaml'), join(root, 'profiles', 'example.yaml'));
  shop = await openShop('2027-01-17T12:00:00Z', { root, env: { PROFILE: 'example' } });
  const operator = await shop.test.customer('free');
  await shop.test.makeOperator(operator);
  backEnd = (await shop.test.issueKey(operator.token, 'LIVE', ['ADMIN'])).secret;
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

async function subscribe(token: string, priceId: string, card: string): Promise<void> {
  const { data } = await shop.test.query(StartCheckoutDocument, { input: { priceId } }, token);
  const url = data?.startCheckout?.__typename === 'StartCheckoutPayload' ? data.startCheckout.url : null;
  expect((await shop.pay(url ?? '', card)).status).toBe(303);
  await shop.settled();
}

let uses = 0;
async function use(accountId: string, quantity: number): Promise<void> {
  const one = { useId: `use-${++uses}`, accountId, meter: 'calls', quantity };
  const { data } = await shop.test.query(RecordUsageDocument, { input: { uses: [one] } }, backEnd);
  const result = data?.recordUsage;
  if (result?.__typename !== 'RecordUsagePayload') throw new Error(JSON.stringify(data));
  await shop.test.caughtUp();
  await shop.settled();
}

const set = async (
  token: string,
  input: { packId?: string | null; below?: number; maxPerMonth?: number },
) => {
  const { data, errors } = await shop.test.query(
    SetCreditTopUpDocument,
    { input: { packId: 'fifty', below: 20, maxPerMonth: 2, ...input } },
    token,
  );
  expect(errors).toBeUndefined();
  await shop.settled();
  return data?.setCreditTopUp;
};

const credits = async (token: string): Promise<unknown> => {
  const { data } = await shop.test.raw('{ account { credits { available topUp { stopped } } } }', {}, token);
  return (data as { account: { credits: unknown } }).account.credits;
};

const events = async (accountId: string): Promise<CreditEvent[]> =>
  (await shop.test.app.parts.commands.load(creditStream(accountId))).map((one) => as<CreditEvent>(one));

/** What was charged for credits, in cents. */
const charged = async (accountId: string): Promise<readonly number[]> =>
  (await events(accountId)).flatMap((event) =>
    event.type === 'CreditsGranted' && event.data.paid ? [event.data.paid.amount] : [],
  );

it('buys a pack with the card on file when few are left, so many times a month', async () => {
  const { token, accountId } = await shop.test.customer('free');
  await subscribe(token, 'pro-month-usd', CARD.good);
  expect(await set(token, { packId: 'hundred' })).toMatchObject({ code: 'PRICE_UNKNOWN' });
  expect(await set(token, { below: 0 })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await set(token, { maxPerMonth: 101 })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await charged(accountId)).toEqual([]);

  expect(await set(token, {})).toMatchObject({
    credits: { topUp: { packId: 'fifty', below: '20', maxPerMonth: 2, stopped: false } },
  });
  // There were none.
  expect(await credits(token)).toEqual({ available: '50', topUp: { stopped: false } });
  // 500 are included: 30 above leave 20, which is enough; one more is not.
  await use(accountId, 530);
  expect(await charged(accountId)).toEqual([500]);
  await use(accountId, 1);
  expect(await credits(token)).toEqual({ available: '69', topUp: { stopped: false } });
  // Two a month.
  await use(accountId, 60);
  expect(await credits(token)).toEqual({ available: '9', topUp: { stopped: false } });
  expect(await charged(accountId)).toEqual([500, 500]);
  await shop.advance('2027-02-01T00:10:00Z');
  expect(await credits(token)).toEqual({ available: '59', topUp: { stopped: false } });
  expect(await set(token, { packId: null })).toMatchObject({ credits: { topUp: null } });
  await use(accountId, 50);
  expect(await charged(accountId)).toEqual([500, 500, 500]);
});

it('stops where the card is declined, until it is set again', async () => {
  const { token, accountId } = await shop.test.customer('free');
  await subscribe(token, 'starter-month-usd', CARD.failsLater);
  await set(token, {});
  expect(await credits(token)).toEqual({ available: '0', topUp: { stopped: true } });
  const ends = async (): Promise<number> =>
    (await events(accountId)).filter(({ type }) => type === 'CreditPurchaseEnded').length;
  await use(accountId, 1);
  expect(await ends()).toBe(1);
  await set(token, {});
  expect(await ends()).toBe(2);
  expect(await charged(accountId)).toEqual([]);
});
