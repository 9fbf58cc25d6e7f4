import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import {
  AnalysisDocument,
  BuyCreditsDocument,
  CreateAnalysesDocument,
  CreateAnalysisDocument,
  CreditsDocument,
  OperatorRevenueDocument,
} from '../generated/graphql.js';
import { allEvents } from '../crash/facts.js';
import { createAnalysis, here, untilEnded, upload } from '../analysis/stories.js';
import { stripeSingle } from '../../src/adapters/stripe/single.js';
import { analysisStream } from '../../src/analysis/events.js';
import { derivedId } from '../../src/eventsourcing/ids.js';
import type { Shop } from './shop.js';
import { openShop, SECRET } from './shop.js';

const LOG = '2026-01-01 10:00 Ann: hello there\n2026-01-01 10:01 Bob: hello again\n';

/** A plan that has two analyses a day. */
const PLAN = `
  - id: daily
    name: Daily
    prices: []
    limits:
      - { id: analyses-day, meter: analyses, window: day, amount: 2 }
    features: []
`;

let shop: Shop;
let stripe: Stripe;
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-analyses-'));
  for (const folder of ['profiles', 'rules', 'web']) {
    await cp(folder, join(root, folder), { recursive: true });
  }
  const file = join(root, 'profiles', 'scanner.yaml');
  const profile = await readFile(file, 'utf8');
  await writeFile(file, profile.replace(/^# docs\/scanner.md explains each/m, `${PLAN}$&`));
  shop = await openShop('2027-01-31T12:00:00Z', {
    root,
    // Tests may come from several addresses.
    env: { PROFILE: 'scanner', TRUST_PROXY: '1' },
    // The address that the product's guide names.
    webhookPath: '/webhook/stripe',
  });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
});
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

const asJson = (body: unknown) =>
  fetch(`${shop.test.app.url}/create-payment-intent`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function analyze(
  intent: string | undefined,
  text = LOG,
  where: 'form' | 'query' = 'form',
  from = '192.0.2.1',
) {
  const form = new FormData();
  if (intent !== undefined && where === 'form') form.append('payment_intent_id', intent);
  form.append('file', new Blob([text]), 'chat.txt');
  const query = intent !== undefined && where === 'query' ? `?payment_intent_id=${intent}` : '';
  const headers = { 'x-forwarded-for': from };
  const address = `${shop.test.app.url}/analyze${query}`;
  const response = await fetch(address, { method: 'POST', headers, body: form });
  const body = (await response.json()) as { detail?: string; total_events?: number };
  return [response.status, body.detail ?? 'analysed'];
}

it('is paid for once, and the payment is good for one file', async () => {
  const created = await asJson({});
  expect(created.status).toBe(200);
  const {
    payment_intent_id: id,
    client_secret: secret,
    amount,
  } = (await created.json()) as Record<string, string>;
  expect([amount, secret?.startsWith(`${id}_secret_`)]).toEqual([500, true]);
  // Which of the installations that share an account at Stripe has made it.
  const { metadata } = await stripe.paymentIntents.retrieve(id ?? '');
  expect(metadata['tollgraph_installation']).toMatch(/^[0-9a-f-]{36}$/);
  expect(await analyze(undefined)).toEqual([402, 'Payment required. Please provide payment_intent_id.']);
  expect(await analyze(id)).toEqual([402, 'Payment not completed. Status: requires_payment_method']);
  await stripe.paymentIntents.confirm(id ?? '', {
    payment_method: 'pm_card_visa',
    return_url: 'https://shop.example/',
  });
  // Two files at once: one of them has it.
  const both = await Promise.all([analyze(id), analyze(id, `${LOG}more\n`)]);
  expect(both.map(([status]) => status).sort()).toEqual([200, 402]);
  const paid = both[0]?.[0] === 200 ? LOG : `${LOG}more\n`;
  expect(await analyze(id, paid, 'query')).toEqual([200, 'analysed']);
  expect(await analyze(id, 'Ann: something else\n')).toEqual([402, 'This payment was used for another file']);
});

it('cannot be had for less, nor with a payment for something else', async () => {
  for (const body of [{ amount: 1 }, { currency: 'jpy' }, { amount: '500' }]) {
    expect((await asJson(body)).status).toBe(400);
  }
  expect((await asJson([])).status).toBe(422);
  const other = await stripe.paymentIntents.create({
    amount: 500,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
    return_url: 'https://shop.example/',
  });
  expect(await analyze(other.id)).toEqual([402, 'Payment verification failed']);
  expect(await analyze('pi_none')).toEqual([402, 'Payment verification failed']);
  expect(await analyze('../../customers')).toEqual([402, 'Payment verification failed']);
});

it('takes the events of Stripe at the address of its guide, signed ones alone', async () => {
  const post = async (body: string, secret: string) => {
    const signature = stripe.webhooks.generateTestHeaderString({ payload: body, secret });
    const headers = { 'stripe-signature': signature, 'content-type': 'application/json' };
    const address = `${shop.test.app.url}/webhook/stripe`;
    const response = await fetch(address, { method: 'POST', headers, body });
    return [response.status, await response.json()];
  };
  const event = { id: 'evt_1', object: 'event', type: 'product.created', created: 1, livemode: false };
  const body = JSON.stringify({ ...event, data: { object: { id: 'prod_1', object: 'product' } } });
  const refused = [400, { detail: expect.any(String) as string, code: '400' }];
  expect(await post(body, 'whsec_another')).toEqual(refused);
  expect(await post('no event', SECRET)).toEqual(refused);
  expect(await post(body, SECRET)).toEqual([200, { status: 'success' }]);
});

/** An intent of ours that a card has paid. */
async function paidIntent(): Promise<string> {
  const { payment_intent_id: id = '' } = (await (await asJson({})).json()) as Record<string, string>;
  await stripe.paymentIntents.confirm(id, {
    payment_method: 'pm_card_visa',
    return_url: 'https://shop.example/',
  });
  return id;
}

/** What became of an analysis of a file that was paid with an intent. */
async function happened(intent: string, text: string): Promise<string[]> {
  const hash = createHash('sha256').update(text).digest('hex');
  const { commands } = shop.test.app.parts;
  const events = await commands.load(analysisStream(derivedId('analysis', intent, hash)));
  return events.map(({ type }) => type);
}

/** Waits until an event of a type has been stored by this process. */
const stored = (type: string): Promise<void> =>
  new Promise((resolve) => {
    shop.test.app.parts.commands.onAppended((events) => {
      if (events.some((event) => event.type === type)) resolve();
    });
  });

it('says in events what was done for a payment', async () => {
  const intent = await paidIntent();
  expect(await analyze(intent)).toEqual([200, 'analysed']);
  const done = ['AnalysisRequested', 'AnalysisFileReceived', 'AnalysisCompleted'];
  expect(await happened(intent, LOG)).toEqual(done);
  // Sent again it is the same analysis.
  expect(await analyze(intent)).toEqual([200, 'analysed']);
  expect(await happened(intent, LOG)).toEqual(done);
});

it('gives the money back for a file that cannot be read', async () => {
  const intent = await paidIntent();
  const broken = 'PK\x03\x04nothing';
  const refunded = stored('AnalysisRefunded');
  const [status] = await analyze(intent, broken);
  expect(status).toBe(400);
  await refunded;
  const all = ['AnalysisRequested', 'AnalysisFileReceived', 'AnalysisFailed', 'AnalysisRefunded'];
  expect(await happened(intent, broken)).toEqual(all);
  const { latest_charge: charge } = await stripe.paymentIntents.retrieve(intent, {
    expand: ['latest_charge'],
  });
  expect((charge as Stripe.Charge).amount_refunded).toBe(500);
  expect(await analyze(intent, broken)).toEqual([402, 'Payment not completed. Status: refunded']);
  expect(await analyze(intent)).toEqual([402, 'Payment not completed. Status: refunded']);
});

it('takes no payment that was refunded, or is of too little', async () => {
  const intent = await paidIntent();
  await stripe.refunds.create({ payment_intent: intent, amount: 1 });
  expect(await analyze(intent)).toEqual([402, 'Payment not completed. Status: refunded']);
  expect(await happened(intent, LOG)).toEqual([]);
  for (const wrong of [
    { amount: 499, currency: 'usd' },
    { amount: 500, currency: 'eur' },
  ]) {
    const { id } = await stripe.paymentIntents.create({
      ...wrong,
      metadata: { tollgraph_purpose: 'analysis' },
      payment_method: 'pm_card_visa',
      confirm: true,
      return_url: 'https://shop.example/',
    });
    expect(await analyze(id)).toEqual([402, 'Payment verification failed']);
  }
});

it('is good for one file of one account', async () => {
  const accounts = [];
  for (let n = 0; n < 2; n++) {
    const { token } = await shop.test.register();
    accounts.push(await shop.test.issueKey(token, 'LIVE', ['READ', 'WRITE']));
  }
  const [ann, bob] = accounts.map(({ secret }) => secret) as [string, string];
  const { data } = await shop.test.query(CreateAnalysisDocument, { input: {} }, ann);
  expect(data?.createAnalysis).toMatchObject({ code: 'PAYMENT_REQUIRED' });

  const intent = await paidIntent();
  const ended = async (credential: string, text = LOG) => {
    const { id, uploadUrl } = await createAnalysis(shop.test, credential, { paymentIntentId: intent });
    const { status } = await upload(uploadUrl, text);
    if (status !== 202) return status;
    await untilEnded(shop.test, id, credential);
    const { data } = await shop.test.query(AnalysisDocument, { id }, credential);
    return data?.analysis?.failure ?? data?.analysis?.status;
  };
  // Both at once, with the same file: one of them has it, and nobody's money goes back.
  const both = await Promise.all([ended(ann), ended(bob)]);
  const failed = { reason: 'PAYMENT', refunded: false };
  expect(both).toContainEqual('COMPLETED');
  expect(both).toContainEqual(failed);
  const has = both[0] === 'COMPLETED' ? ann : bob;
  expect(await ended(has, `${LOG}more`)).toEqual(failed);
  // Another analysis of the file, which might fail and give back what this one was paid with.
  expect(await ended(has)).toEqual(failed);
  // Without the account it is used as well.
  expect(await analyze(intent)).toEqual([402, 'This payment was used for another file']);
  const unpaid = ((await (await asJson({})).json()) as Record<string, string>)['payment_intent_id'];
  const { uploadUrl } = await createAnalysis(shop.test, ann, { paymentIntentId: unpaid ?? null });
  expect((await upload(uploadUrl, LOG)).status).toBe(402);
});

/** Sends a file to `/analyze` with a key. */
async function analyzeAs(credential: string, text: string): Promise<[number, string]> {
  const form = new FormData();
  form.append('file', new Blob([text]), 'chat.txt');
  const headers = { authorization: `Bearer ${credential}` };
  const response = await fetch(`${shop.test.app.url}/analyze`, { method: 'POST', headers, body: form });
  const { detail = 'analysed' } = (await response.json()) as { detail?: string };
  return [response.status, detail];
}

const creditsOf = async (credential: string) =>
  (await shop.test.query(CreditsDocument, {}, credential)).data?.account?.credits?.available;

const failureOf = async (id: string, credential: string) =>
  (await shop.test.query(AnalysisDocument, { id }, credential)).data?.analysis?.failure;

it('is paid with credits of the account, which come back where it fails', async () => {
  const { token } = await shop.test.register();
  const { secret: key } = await shop.test.issueKey(token, 'LIVE', ['READ', 'WRITE']);
  expect(await analyzeAs(key, LOG)).toEqual([402, 'Payment required. Please provide payment_intent_id.']);
  const { data } = await shop.test.query(BuyCreditsDocument, { input: { packId: 'analyses-5' } }, token);
  const bought = data?.buyCredits;
  if (bought?.__typename !== 'BuyCreditsPayload') throw new Error(JSON.stringify(bought));
  await shop.pay(String(bought.url));
  await shop.settled();
  expect(await creditsOf(key)).toBe('5');

  expect(await analyzeAs(key, LOG)).toEqual([200, 'analysed']);
  expect(await creditsOf(key)).toBe('4');
  // The same file is paid.
  expect(await analyzeAs(key, LOG)).toEqual([200, 'analysed']);
  expect(await creditsOf(key)).toBe('4');
  // What cannot be read costs nothing, as often as it is sent.
  for (let n = 0; n < 2; n++) {
    const refunded = stored('AnalysisRefunded');
    expect((await analyzeAs(key, 'PK\x03\x04nothing'))[0]).toBe(400);
    await refunded;
    expect(await creditsOf(key)).toBe('4');
  }

  const { data: many } = await shop.test.query(
    CreateAnalysesDocument,
    { input: { files: [{ format: 'x' }, {}, {}, {}, {}, {}], commandId: 'many' } },
    key,
  );
  const result = many?.createAnalyses;
  if (result?.__typename !== 'CreateAnalysesPayload') throw new Error(JSON.stringify(result));
  const asked = result.results.map((one) => ('code' in one ? one.code : one.analysis.status));
  // Each of them is asked for, or refused, by itself.
  expect(asked).toEqual(['INVALID_INPUT', ...Array<string>(4).fill('AWAITING_FILE'), 'PAYMENT_REQUIRED']);
  const links = result.results.flatMap((one) => ('analysis' in one ? [one.analysis] : []));
  for (const [n, { id, uploadUrl }] of links.slice(0, 3).entries()) {
    expect((await upload(here(shop.test, uploadUrl ?? ''), `${LOG}${n}`)).status).toBe(202);
    await untilEnded(shop.test, id, key);
    expect(await failureOf(id, key)).toBeNull();
  }
  expect(await creditsOf(key)).toBe('1');
  // The last credit, by two at once: one of them has it.
  const both = await Promise.all([analyzeAs(key, `${LOG}a`), analyzeAs(key, `${LOG}b`)]);
  expect(both.map(([status]) => status).sort()).toEqual([200, 402]);
  expect(await creditsOf(key)).toBe('0');
  // What it has paid for is paid, and nothing else is.
  const again = [await analyzeAs(key, `${LOG}a`), await analyzeAs(key, `${LOG}b`)];
  expect(again.map(([status]) => status)).toEqual(both.map(([status]) => status));
  expect(await creditsOf(key)).toBe('0');
  const [, , , last] = links;
  expect((await upload(here(shop.test, last?.uploadUrl ?? ''), `${LOG}c`)).status).toBe(402);
});

it('is included in a plan that has so many', async () => {
  const { token, accountId } = await shop.test.register();
  const { secret: key } = await shop.test.issueKey(token, 'LIVE', ['READ', 'WRITE']);
  await shop.test.grant(accountId, 'daily');
  await shop.settled();
  expect(await analyzeAs(key, LOG)).toEqual([200, 'analysed']);
  const { id, uploadUrl } = await createAnalysis(shop.test, key);
  expect((await upload(uploadUrl, LOG)).status).toBe(202);
  await untilEnded(shop.test, id, key);
  expect((await analyzeAs(key, LOG))[0]).toBe(429);
});

it('is paid on a page of its own, where cards are entered', async () => {
  const { url: base } = shop.test.app;
  const opened = await fetch(`${base}/create-checkout`, { method: 'POST' });
  expect(opened.status).toBe(200);
  const { checkout_id: id = '', url = '', amount } = (await opened.json()) as Record<string, string>;
  expect(amount).toBe(500);
  const state = async (checkout: string) => {
    const response = await fetch(`${base}/checkout?checkout_id=${checkout}`);
    return [response.status, await response.json()];
  };
  expect(await state(id)).toEqual([200, { status: 'open', payment_intent_id: null, files: 1 }]);
  const { headers } = await shop.pay(url);
  // So that whoever has lost the page before finds the payment.
  expect(headers.get('location')).toMatch(new RegExp(`/demo/paid.html\\?checkout_id=${id}$`));
  const [, paid] = await state(id);
  const intent = (paid as { payment_intent_id: string }).payment_intent_id;
  expect(paid).toEqual({
    status: 'complete',
    payment_intent_id: expect.stringMatching(/^pi_/) as string,
    files: 1,
  });
  expect(await analyze(intent, `${LOG}page`)).toEqual([200, 'analysed']);

  // A page on which something else is sold is none of these.
  const { token } = await shop.test.register();
  const { data } = await shop.test.query(BuyCreditsDocument, { input: { packId: 'analyses-5' } }, token);
  const other = data?.buyCredits?.__typename === 'BuyCreditsPayload' ? String(data.buyCredits.url) : '';
  const unknown = [404, { detail: 'There is no such checkout', code: '404' }];
  expect(other).toContain('/cs_');
  for (const one of [other.replace(/.*\//, ''), 'cs_test_none', '../x', '']) {
    expect(await state(encodeURIComponent(one))).toEqual(unknown);
  }
});

/** Addresses of their own, so that none is asked to wait. */
let addresses = 0;
const nextAddress = (): string => `198.51.100.${++addresses}`;

const openPage = (body: string) =>
  fetch(`${shop.test.app.url}/create-checkout`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': nextAddress() },
    body,
  });

/** A payment for several files, made on a page. */
async function paidFor(files: number): Promise<string> {
  const opened = await (await openPage(JSON.stringify({ files }))).json();
  expect(opened).toMatchObject({ files, amount: files * 500 });
  const { checkout_id: id, url } = opened as { checkout_id: string; url: string };
  await shop.pay(url);
  const paid = await (await fetch(`${shop.test.app.url}/checkout?checkout_id=${id}`)).json();
  expect(paid).toMatchObject({ status: 'complete', files });
  return (paid as { payment_intent_id: string }).payment_intent_id;
}

/** Files that are sent at the same time; what becomes of each. */
const atOnce = (intent: string, texts: readonly string[]) =>
  Promise.all(texts.map((text) => analyze(intent, text, 'form', nextAddress())));

const DONE = [200, 'analysed'];
const USED = [402, 'This payment was used for another file'];
const textsOf = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${LOG}${name} ${n}\n`);

const givenBack = async (intent: string): Promise<number> => {
  const { latest_charge: charge } = await stripe.paymentIntents.retrieve(intent, {
    expand: ['latest_charge'],
  });
  return (charge as Stripe.Charge).amount_refunded;
};

it('is paid for several files at once, and for no more than those', async () => {
  for (const body of ['{"files":0}', '{"files":21}', '{"files":1.5}', '{"files":"2"}', '[]', '2', '{']) {
    expect([body, (await openPage(body)).status]).toEqual([body, 422]);
  }
  const intent = await paidFor(3);
  const texts = textsOf('batch', 4);
  const all = await atOnce(intent, texts);
  expect([...all].sort()).toEqual([DONE, DONE, DONE, USED]);
  // Sent again each is the same as before.
  expect(await atOnce(intent, texts)).toEqual(all);

  // An account names it for as many files.
  const { token } = await shop.test.register();
  const { secret: key } = await shop.test.issueKey(token, 'LIVE', ['READ', 'WRITE']);
  const files = Array.from({ length: 4 }, () => ({ paymentIntentId: intent }));
  const { data } = await shop.test.query(CreateAnalysesDocument, { input: { files } }, key);
  const result = data?.createAnalyses;
  if (result?.__typename !== 'CreateAnalysesPayload') throw new Error(JSON.stringify(result));
  const asked = result.results.map((one) => ('code' in one ? one.code : one.analysis.status));
  expect(asked).toEqual(['AWAITING_FILE', 'AWAITING_FILE', 'AWAITING_FILE', 'INVALID_INPUT']);
  // Where nobody knows, that is asked when the files come.
  shop.sandbox.faults.failCalls({ status: 500, path: `/v1/payment_intents/${intent}` }, 100);
  const { data: unknown } = await shop.test.query(CreateAnalysesDocument, { input: { files } }, key);
  expect(unknown).toMatchObject({
    createAnalyses: { results: files.map(() => ({ analysis: { status: 'AWAITING_FILE' } })) },
  });
});

it('gives back what was paid for the file that cannot be read, and for no other', async () => {
  const intent = await paidFor(3);
  const broken = 'PK\x03\x04nothing of a batch';
  const refunded = stored('AnalysisRefunded');
  const [[status]] = (await atOnce(intent, [broken])) as [[number]];
  expect(status).toBe(400);
  await refunded;
  expect(await givenBack(intent)).toBe(500);
  const [again] = await atOnce(intent, [broken]);
  expect(again).toEqual([402, 'The analysis of this file has failed, and the payment goes back']);
  // The other two are paid; nobody has a third for it.
  const texts = textsOf('after', 3);
  const all = await atOnce(intent, texts);
  expect([...all].sort()).toEqual([DONE, DONE, USED]);
  expect(await givenBack(intent)).toBe(500);
  // Once all was given back by hand, it is good for nothing.
  await stripe.refunds.create({ payment_intent: intent });
  expect(await atOnce(intent, texts)).toEqual(
    texts.map(() => [402, 'Payment not completed. Status: refunded']),
  );
});

it('is good for fewer files where somebody has given back a part of it', async () => {
  const intent = await paidFor(3);
  await stripe.refunds.create({ payment_intent: intent, amount: 1 });
  expect([...(await atOnce(intent, textsOf('part', 3)))].sort()).toEqual([DONE, DONE, USED]);
});

it('gives one thing back once, however late it is asked again', async () => {
  const intent = await paidFor(2);
  const single = stripeSingle(stripe, 'here');
  const first = await single.refundOne(intent, { thing: 'one', amount: 500 }, 'a key');
  // The payment service has forgotten the key.
  expect(await single.refundOne(intent, { thing: 'one', amount: 500 }, 'another key')).toBe(first);
  expect(await givenBack(intent)).toBe(500);
  expect(await single.refundOne(intent, { thing: 'two', amount: 500 }, 'a third')).not.toBe(first);
  const late = single.refundOne(intent, { thing: 'three', amount: 0 }, 'a fourth');
  await expect(late).rejects.toMatchObject({ code: 'charge_already_refunded' });
});

describe('what operators see of payments without an account', () => {
  let operator: string;
  beforeAll(async () => {
    const above = await shop.test.register();
    await shop.test.makeOperator(above);
    operator = above.token;
  });

  /** One that `/create-payment-intent` might have made: an address makes few of those a minute. */
  async function paidAtOnce(card = 'pm_card_visa'): Promise<string> {
    const { id } = await stripe.paymentIntents.create({
      amount: 500,
      currency: 'usd',
      metadata: { tollgraph_purpose: 'analysis' },
      payment_method: card,
      confirm: true,
      return_url: 'https://shop.example/',
    });
    return id;
  }

  async function revenue() {
    await shop.settled();
    const { data } = await shop.test.query(
      OperatorRevenueDocument,
      { from: '2020-01-01T00:00:00Z' },
      operator,
    );
    const usd = data?.operator?.revenue?.find(({ currency }) => currency === 'USD');
    return {
      oneTime: Number(usd?.oneTime.minorUnits ?? 0),
      payments: usd?.oneTimePayments ?? 0,
      refunds: Number(usd?.refunds.minorUnits ?? 0),
      disputed: Number(usd?.disputed.minorUnits ?? 0),
    };
  }

  it('counts each payment once, used or not, and what was paid back of it', async () => {
    const before = await revenue();
    const intent = await paidAtOnce();
    expect(await revenue()).toEqual({
      ...before,
      oneTime: before.oneTime + 500,
      payments: before.payments + 1,
    });
    await stripe.refunds.create({ payment_intent: intent, amount: 120 });
    await stripe.refunds.create({ payment_intent: intent });
    expect(await revenue()).toMatchObject({ oneTime: before.oneTime + 500, refunds: before.refunds + 500 });
    const { data } = await shop.test.query(
      OperatorRevenueDocument,
      { from: '2020-01-01T00:00:00Z' },
      operator,
    );
    const usd = data?.operator?.revenue?.find(({ currency }) => currency === 'USD');
    const average = Math.round((before.oneTime + 500) / (before.payments + 1));
    expect(usd?.paidPerPayment?.minorUnits).toBe(String(average));
  });

  it('counts none that is for something else', async () => {
    const before = await revenue();
    await stripe.paymentIntents.create({
      amount: 700,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
      return_url: 'https://shop.example/',
    });
    expect(await revenue()).toEqual(before);
  });

  it('takes a payment again whose refund has failed, and counts it as paid back no more', async () => {
    const { refunds } = await revenue();
    const intent = await paidAtOnce('pm_card_refundFail');
    await stripe.refunds.create({ payment_intent: intent });
    expect(await analyze(intent)).toEqual([402, 'Payment not completed. Status: refunded']);
    expect((await revenue()).refunds).toBe(refunds + 500);
    await shop.advance('1m');
    expect((await revenue()).refunds).toBe(refunds);
    expect(await analyze(intent)).toEqual([200, 'analysed']);
  });

  it('takes no payment that is disputed, until that is won', async () => {
    const { disputed } = await revenue();
    const intent = await paidAtOnce();
    // A bank that only asks has taken nothing.
    await shop.sandbox.dispute(intent, 'inquiry');
    expect((await revenue()).disputed).toBe(disputed);
    await shop.sandbox.dispute(intent);
    expect(await analyze(intent)).toEqual([402, 'Payment not completed. Status: disputed']);
    expect((await revenue()).disputed).toBe(disputed + 500);
    await shop.sandbox.dispute(intent, 'won');
    expect((await revenue()).disputed).toBe(disputed);
    expect(await analyze(intent)).toEqual([200, 'analysed']);
  });

  describe('of another installation on the same account at Stripe', () => {
    const of = { tollgraph_purpose: 'analysis', tollgraph_installation: randomUUID() };
    const paying = {
      amount: 500,
      currency: 'usd',
      metadata: of,
      payment_method: 'pm_card_visa',
      confirm: true,
      return_url: 'https://shop.example/',
    };
    const recorded = async (): Promise<string[]> =>
      (await allEvents(shop.test.app.parts.store)).flatMap(({ type }) =>
        /^(Invoice|Payment|Refund|Dispute)/.test(type) ? [type] : [],
      );

    it('counts no payment, no refund and no dispute, and analyses nothing for it', async () => {
      const before = [await revenue(), await recorded()];
      const { id } = await stripe.paymentIntents.create(paying);
      expect(await analyze(id)).toEqual([402, 'Payment verification failed']);
      await stripe.refunds.create({ payment_intent: id, amount: 100 });
      await shop.sandbox.dispute((await stripe.paymentIntents.create(paying)).id);
      expect([await revenue(), await recorded()]).toEqual(before);
      const page = await stripe.checkout.sessions.create({
        mode: 'payment',
        line_items: [
          { quantity: 1, price_data: { currency: 'usd', unit_amount: 500, product_data: { name: 'one' } } },
        ],
        payment_intent_data: { metadata: of },
        metadata: of,
        success_url: 'https://shop.example/',
      });
      const back = await fetch(`${shop.test.app.url}/checkout/result?checkout=${page.id}`);
      expect(back.status).toBe(404);
    });

    it('takes no customer for its own by what is written on them', async () => {
      const before = [await revenue(), await recorded()];
      const user = await shop.test.register();
      // Neither an account that is not here, nor one that has no customer and has asked for none.
      for (const account of [randomUUID(), user.accountId, '../credits']) {
        const { id: customer } = await stripe.customers.create({
          metadata: { tollgraph_account: account },
          payment_method: 'pm_card_visa',
          invoice_settings: { default_payment_method: 'pm_card_visa' },
        });
        const { id: invoice } = await stripe.invoices.create({ customer, auto_advance: false });
        await stripe.invoiceItems.create({ customer, invoice, amount: 123_400, currency: 'usd' });
        await stripe.invoices.finalizeInvoice(invoice);
        await stripe.invoices.pay(invoice);
        const [charge] = (await stripe.charges.list({ customer })).data;
        await stripe.refunds.create({ charge: charge?.id ?? '', amount: 100 });
        await shop.sandbox.dispute(charge?.payment_intent as string);
      }
      expect([await revenue(), await recorded()]).toEqual(before);
    });
  });
});
