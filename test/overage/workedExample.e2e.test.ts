import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BillingEvent, InvoiceEvent } from '../../src/billing/events.js';
import type { CreditEvent } from '../../src/credits/events.js';
import { creditStream } from '../../src/credits/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { OverageEvent } from '../../src/overage/events.js';
import { overageStream } from '../../src/overage/events.js';
import { subscriptionStream } from '../../src/plans/events.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import type { Shop } from '../billing/shop.js';
import { openShop } from '../billing/shop.js';
import { allEvents } from '../crash/facts.js';
import {
  ChangePlanDocument,
  OperatorRevenueDocument,
  RecordUsageDocument,
  StartCheckoutDocument,
  VerifyKeyDocument,
} from '../generated/graphql.js';

/** docs/metering.md, to the cent: two months of one account, with every amount that it names. */
let shop: Shop;
let root: string;
let owner: { token: string; accountId: string; keyId: string; secret: string };
let stranger: typeof owner & { userId: string };
let backEnd: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-example-'));
  await mkdir(join(root, 'profiles'));
  await copyFile(join('test', 'overage', 'example.yaml'), join(root, 'profiles', 'example.yaml'));
  shop = await openShop('2027-01-17T12:00:00Z', { root, env: { PROFILE: 'example' } });
  owner = await shop.test.customer('free');
  stranger = await shop.test.customer('free');
  await shop.test.makeOperator(stranger);
  backEnd = (await shop.test.issueKey(stranger.token, 'LIVE', ['ADMIN'])).secret;
});
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

type Loose = Record<string, unknown>;
/** Sends anything. @throws Error for what was not answered */
async function send(query: string, variables: object, credential: string): Promise<Loose> {
  const { data, errors } = await shop.test.raw(query, variables, credential);
  if (errors) throw new Error(JSON.stringify(errors));
  return data as Loose;
}

let uses = 0;
/** Reports use, and waits until the ledger has it. */
async function use(quantity: number, at?: string): Promise<string> {
  const useId = `use-${++uses}`;
  const one = {
    useId,
    accountId: owner.accountId,
    meter: 'calls',
    quantity,
    ...(at !== undefined && { at }),
  };
  const { data } = await shop.test.query(RecordUsageDocument, { input: { uses: [one] } }, backEnd);
  const result = data?.recordUsage;
  if (result?.__typename !== 'RecordUsagePayload') throw new Error(JSON.stringify(data));
  await shop.test.caughtUp();
  return result.results[0]?.status ?? '';
}

const BALANCE = '{ available balance blocked grants { id amount remaining } }';
async function credits(): Promise<Loose> {
  const { account } = (await send(`{ account { credits ${BALANCE} } }`, {}, owner.token)) as {
    account: { credits: Loose };
  };
  return account.credits;
}

async function buy(packId: string): Promise<void> {
  const bought = await send(
    'mutation ($packId: ID!) { buyCredits(input: { packId: $packId }) { ... on BuyCreditsPayload { url } ... on Refusal { code message } } }',
    { packId },
    owner.token,
  );
  const { url } = bought['buyCredits'] as { url: string };
  expect((await shop.pay(url)).status).toBe(303);
  await shop.settled();
}

let billed = 0;
async function bills(): Promise<string[][]> {
  const all = await shop.invoices(owner.accountId);
  const fresh = all.slice(billed);
  billed = all.length;
  return fresh;
}

const LIMITS =
  '{ account { limits { name used } upcomingInvoice { total { minorUnits } lines { kind description quantity total { minorUnits } eventIds } } } }';
async function quota(): Promise<string> {
  const { account } = (await send(LIMITS, {}, owner.token)) as { account: { limits: { used: string }[] } };
  return account.limits[0]?.used ?? '';
}
async function drafted(): Promise<readonly unknown[]> {
  const { account } = (await send(LIMITS, {}, owner.token)) as {
    account: {
      upcomingInvoice: { lines: { kind: string; quantity: string; total: { minorUnits: string } }[] };
    };
  };
  const { lines } = account.upcomingInvoice;
  return lines
    .filter(({ kind }) => kind === 'USAGE')
    .map(({ quantity, total }) => [quantity, total.minorUnits]);
}
const overageEvents = async (): Promise<OverageEvent[]> =>
  (await shop.test.app.parts.commands.load(overageStream(owner.accountId))).map((one) =>
    as<OverageEvent>(one),
  );
const creditEvents = async (): Promise<CreditEvent[]> =>
  (await shop.test.app.parts.commands.load(creditStream(owner.accountId))).map((one) => as<CreditEvent>(one));

// Each part goes on where the one before has ended.
describe('two months of an account', () => {
  it('17 Jan: a trial, whose use costs nothing', async () => {
    const allowed = await send(
      'mutation { setOverage(input: { allowed: true }) { ... on SetOveragePayload { overage { allowed spent { minorUnits } } } ... on Refusal { code message } } }',
      {},
      owner.token,
    );
    expect(allowed['setOverage']).toEqual({ overage: { allowed: true, spent: null } });
    const { data } = await shop.test.query(
      StartCheckoutDocument,
      { input: { priceId: 'starter-month-usd' } },
      owner.token,
    );
    const url = data?.startCheckout?.__typename === 'StartCheckoutPayload' ? data.startCheckout.url : null;
    expect((await shop.pay(url ?? '')).status).toBe(303);
    await shop.settled();
    await use(40);
    expect(await quota()).toBe('40');
    expect(await bills()).toEqual([['Free trial for 1 × Starter: 0.00 USD', 'total 0.00 USD']]);
  });

  it('31 Jan: the trial ends, and the quota begins anew', async () => {
    await shop.advance('2027-01-31T13:30:00Z');
    expect(await bills()).toEqual([['1 × Starter (at $29.00 / month): 29.00 USD', 'total 29.00 USD']]);
    expect(await quota()).toBe('0');
  });

  it('1 to 20 Feb: credits are spent on overage, those that expire first first, and expire', async () => {
    await shop.advance('2027-02-01T09:00:00Z');
    await send(
      `mutation ($input: OperatorGrantCreditsInput!) { operatorGrantCredits(input: $input) { ... on OperatorCreditsPayload { credits ${BALANCE} } ... on Refusal { code message } } }`,
      {
        input: {
          accountId: owner.accountId,
          amount: 30,
          expiresAt: '2027-02-10T00:00:00Z',
          reason: 'welcome',
        },
      },
      backEnd,
    );
    await shop.advance('2027-02-05T09:00:00Z');
    await buy('fifty');
    expect(await credits()).toMatchObject({ available: '80', blocked: false });

    await shop.advance('2027-02-09T20:00:00Z');
    await use(120);
    expect(await credits()).toMatchObject({
      available: '60',
      grants: [{ remaining: '10' }, { remaining: '50' }],
    });
    await shop.advance('2027-02-10T00:20:00Z');
    await use(4, '2027-02-09T23:30:00Z');
    await shop.advance('2027-02-10T00:35:00Z');
    expect(await creditEvents()).toContainEqual(
      expect.objectContaining({
        type: 'CreditsExpired',
        data: expect.objectContaining({ amount: 6 }) as unknown,
      }),
    );
    expect(await credits()).toMatchObject({ available: '50' });

    await shop.advance('2027-02-19T12:00:00Z');
    await use(206);
    expect(await quota()).toBe('330');
    expect(await credits()).toMatchObject({ available: '0' });
    // 230 above the limit, of which credits have paid 74.
    expect(await drafted()).toEqual([['156', '724']]);
  });

  it('20 Feb: a larger plan; what was due stays due', async () => {
    await shop.advance('2027-02-20T12:00:00Z');
    const { data } = await shop.test.query(
      ChangePlanDocument,
      { input: { priceId: 'pro-month-usd' } },
      owner.token,
    );
    expect(data?.changePlan).toMatchObject({ __typename: 'SubscriptionPayload' });
    await shop.settled();
    expect(await bills()).toEqual([
      [
        'Unused time on Starter after 20 Feb 2027: −8.29 USD',
        'Remaining time on Pro after 20 Feb 2027: 28.29 USD',
        'total 20.00 USD',
      ],
    ]);
    expect(await quota()).toBe('330');
    expect(await drafted()).toEqual([['156', '724']]);
  });

  it('28 Feb: the last hour’s use is on the invoice of its period', async () => {
    await shop.advance('2027-02-27T12:00:00Z');
    await use(290);
    await shop.advance('2027-02-28T12:20:00Z');
    expect(await use(10, '2027-02-28T11:50:00Z')).toBe('ACCEPTED');
    // The answer to the first line is lost, and each try of it: it stands on the invoice once.
    shop.sandbox.faults.failCalls({ status: 500, path: '/v1/invoiceitems', after: true }, 3);
    await shop.advance('2027-02-28T12:35:00Z');
    await shop.advance('2027-02-28T14:00:00Z');
    expect(await bills()).toEqual([
      [
        '1 × Pro (at $99.00 / month): 99.00 USD',
        '156 × call above the 100 included: 7.24 USD',
        '130 × call above the 500 included: 3.90 USD',
        'total 110.14 USD',
      ],
    ]);
    const [closed] = (await overageEvents()).filter(({ type }) => type === 'PeriodClosed');
    expect(closed?.data).toMatchObject({
      from: '2027-01-31T12:00:00.000Z',
      to: '2027-02-28T12:00:00.000Z',
      total: 1114,
    });
    expect((await overageEvents()).at(-1)).toMatchObject({ type: 'PeriodInvoiced' });
    // What each line counts.
    const { account } = (await send(
      '{ account { invoices(first: 1) { nodes { lines { kind meter quantity } } } } }',
      {},
      owner.token,
    )) as { account: { invoices: { nodes: { lines: unknown[] }[] } } };
    expect(account.invoices.nodes[0]?.lines).toEqual([
      { kind: 'PLAN', meter: null, quantity: '1' },
      { kind: 'USAGE', meter: 'calls', quantity: '156' },
      { kind: 'USAGE', meter: 'calls', quantity: '130' },
    ]);
  });

  it('March: a late use counts in the next period, and a correction is a line of the next invoice', async () => {
    await shop.advance('2027-03-01T09:00:00Z');
    expect(await use(5, '2027-02-28T11:55:00Z')).toBe('LATE');
    expect(await quota()).toBe('5');
    await shop.advance('2027-03-10T12:00:00Z');
    await reverse(206, 20);
    await shop.advance('2027-03-19T12:00:00Z');
    await use(495);
    expect(await quota()).toBe('500');
  });

  it('20 to 25 Mar: a pack that is refunded after some of it was spent blocks credits, and nothing else', async () => {
    await shop.advance('2027-03-20T12:00:00Z');
    await buy('forty');
    await use(15);
    const { grants } = (await credits()) as { grants: { id: string; remaining: string }[] };
    expect(grants.map(({ remaining }) => remaining)).toEqual(['25']);
    const id = grants[0]?.id ?? '';
    expect(id).toMatch(/^crg_/);
    const node = async (credential: string) =>
      (
        await send(
          'query ($id: ID!) { node(id: $id) { __typename id ... on CreditGrant { remaining refunded } } }',
          { id },
          credential,
        )
      )['node'];
    const grant = { __typename: 'CreditGrant', id, remaining: '25', refunded: false };
    expect([await node(owner.token), await node(owner.secret)]).toEqual([grant, grant]);
    expect([await node(stranger.token), await node(stranger.secret)]).toEqual([null, null]);
    await shop.advance('2027-03-25T12:00:00Z');
    const refunded = await send(
      `mutation ($input: OperatorCreditsInput!) { operatorRefundCredits(input: $input) { ... on OperatorCreditsPayload { grant { refunded } credits ${BALANCE} } ... on Refusal { code message } } }`,
      { input: { accountId: owner.accountId, grantId: id, reason: 'asked for' } },
      backEnd,
    );
    // What is spent or taken back is found, too.
    expect(await node(owner.token)).toEqual({ ...grant, remaining: '0', refunded: true });
    expect(refunded['operatorRefundCredits']).toMatchObject({
      grant: { refunded: true },
      credits: { available: '0', balance: '-15', blocked: true },
    });
    await shop.advance('2027-03-30T12:00:00Z');
    expect(await use(215)).toBe('ACCEPTED');
    expect(await quota()).toBe('730');
  });

  it('31 Mar: what is left adds up to 268.12', async () => {
    await shop.advance('2027-03-31T12:35:00Z');
    await shop.advance('2027-03-31T14:00:00Z');
    expect(await bills()).toEqual([
      [
        '1 × Pro (at $99.00 / month): 99.00 USD',
        '215 × call above the 500 included: 6.38 USD',
        'Correction of use from 2027-01-31 to 2027-02-28: −1.40 USD',
        'total 103.98 USD',
      ],
    ]);
    const all = await allEvents(shop.test.app.parts.store);
    let cash = 0;
    for (const stored of all) {
      const { type, data } = as<InvoiceEvent | CreditEvent>(stored);
      if (type === 'InvoicePaid') cash += data.paid;
      if (type === 'CreditsGranted') cash += data.paid?.amount ?? 0;
      if (type === 'CreditsRefunded') cash -= data.refunded?.amount ?? 0;
    }
    expect(cash).toBe(26_812);
  });

  it('cites for every line of overage the events that it comes from', async () => {
    const all = await allEvents(shop.test.app.parts.store);
    const byId = new Map(all.map((stored) => [stored.id, stored]));
    const lines = all.flatMap((stored) => {
      const { type, data } = as<InvoiceEvent>(stored);
      return type === 'InvoiceFinalised' ? data.lines : [];
    });
    const usage = lines.filter(({ kind }) => kind === 'usage');
    expect(usage).toHaveLength(4);
    for (const { amount, events } of usage) {
      const [cited] = events.map((id) => byId.get(id));
      const closed = as<Extract<OverageEvent, { type: 'PeriodClosed' }>>(cited as (typeof all)[number]);
      expect(closed.type).toBe('PeriodClosed');
      const line = closed.data.lines.find((one) => one.amount === amount);
      const terms = line?.events.map((id) => as<BillingEvent>(byId.get(id) as (typeof all)[number]).type);
      expect(terms?.every((type) => ['TrialConverted', 'PlanChanged'].includes(type))).toBe(true);
    }
    const subscription = await shop.test.app.parts.commands.load(subscriptionStream(owner.accountId));
    expect(subscription.filter(({ type }) => type === 'PlanChanged')).toHaveLength(1);
  });
});

describe('an invoice as a document', () => {
  const fetched = async (file: string, credential: string): Promise<Response> =>
    fetch(`${shop.test.app.url}/v1/invoices/${file}`, { headers: { authorization: `Bearer ${credential}` } });
  /** The newest invoice. */
  const newest = async (): Promise<string> => {
    const { account } = (await send(
      '{ account { invoices(first: 1) { nodes { id } } } }',
      {},
      owner.token,
    )) as {
      account: { invoices: { nodes: { id: string }[] } };
    };
    return account.invoices.nodes[0]?.id ?? '';
  };

  it('is a page with seller, buyer, lines and sums, in the time zone that is asked for', async () => {
    const id = await newest();
    const page = await fetched(`${id}.html?timeZone=Pacific/Auckland`, owner.token);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const text = await page.text();
    for (const part of [
      'Example',
      `Account acc_${owner.accountId}`,
      '@example.com',
      '103.98 USD',
      '−1.40 USD',
    ]) {
      expect(text).toContain(part);
    }
    // Who has given no name leaves no line for it.
    expect(text).toMatch(/<h2>To<\/h2><address>[^<]+@example\.com<br>/);
    // Issued at 13:00 of UTC on 31 March: in Auckland that is the next day.
    expect(text).toContain('<dt>Issued</dt><dd>01 Apr 2027</dd>');
    expect((await fetched(`${id}.html?timeZone=Nowhere`, owner.token)).status).toBe(400);
  });

  it('is a PDF, the same each time, and nobody else’s', async () => {
    const id = await newest();
    const [first, second] = [
      await fetched(`${id}.pdf`, owner.token),
      await fetched(`${id}.pdf`, owner.token),
    ];
    expect(first.headers.get('content-type')).toBe('application/pdf');
    const [one, other] = [Buffer.from(await first.arrayBuffer()), Buffer.from(await second.arrayBuffer())];
    expect(one.subarray(0, 5).toString()).toBe('%PDF-');
    expect(one.equals(other)).toBe(true);
    const stranger = await shop.test.register();
    expect((await fetched(`${id}.pdf`, stranger.token)).status).toBe(404);
    expect((await fetched(`${id}.doc`, owner.token)).status).toBe(404);
  });
});

describe('a spend cap', () => {
  it('refuses the call that would cost more, and counts credits beside it', async () => {
    const { token, accountId, secret } = await shop.test.customer('free');
    const { data } = await shop.test.query(
      StartCheckoutDocument,
      { input: { priceId: 'pro-month-usd' } },
      token,
    );
    const url = data?.startCheckout?.__typename === 'StartCheckoutPayload' ? data.startCheckout.url : null;
    expect((await shop.pay(url ?? '')).status).toBe(303);
    await shop.settled();
    const spend = async (quantity: number): Promise<string> => {
      const input = { secret, spend: { endpoint: '/calls', quantities: [{ meter: 'calls', quantity }] } };
      const answer = (await shop.test.query(VerifyKeyDocument, { input }, backEnd)).data?.verifyKey;
      return answer?.__typename === 'VerifyKeyPayload' ? answer.code : (answer?.__typename ?? '');
    };
    const set = async (input: object): Promise<unknown> =>
      (
        await send(
          'mutation ($input: SetOverageInput!) { setOverage(input: $input) { ... on SetOveragePayload { overage { spent { minorUnits } } } ... on Refusal { code message } } }',
          { input },
          token,
        )
      )['setOverage'];
    expect([await spend(500), await spend(1)]).toEqual(['VALID', 'QUOTA_EXCEEDED']);
    // 10 cents pay for three at 3 cents each.
    const spendCap = { minorUnits: 10, currency: 'USD' };
    expect(await set({ allowed: true, spendCap })).toEqual({ overage: { spent: { minorUnits: '0' } } });
    await shop.settled();
    expect([await spend(4), await spend(3), await spend(1)]).toEqual([
      'QUOTA_EXCEEDED',
      'VALID',
      'QUOTA_EXCEEDED',
    ]);
    await shop.test.caughtUp();
    expect(await set({ allowed: true, spendCap })).toEqual({ overage: { spent: { minorUnits: '9' } } });
    // A credit pays for one more.
    await send(
      'mutation ($input: OperatorGrantCreditsInput!) { operatorGrantCredits(input: $input) { ... on Refusal { code } } }',
      { input: { accountId, amount: 1, reason: 'test' } },
      backEnd,
    );
    await shop.settled();
    expect([await spend(1), await spend(1)]).toEqual(['VALID', 'QUOTA_EXCEEDED']);
    expect(await set({ allowed: true, spendCap: { minorUnits: 10, currency: 'EUR' } })).toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect(await set({ allowed: false })).toMatchObject({ overage: {} });
    await shop.settled();
    expect(await spend(1)).toBe('QUOTA_EXCEEDED');
  });

  it('is part of what operators see of revenue', async () => {
    await shop.test.caughtUp();
    const { data } = await shop.test.query(OperatorRevenueDocument, {}, backEnd);
    const [usd, ...others] = data?.operator?.revenue ?? [];
    expect(others).toEqual([]);
    const money = (minorUnits: string) => expect.objectContaining({ minorUnits }) as unknown;
    expect(usd).toMatchObject({
      currency: 'USD',
      // Two accounts on Pro: one came by way of a trial and Starter.
      mrr: money('19800'),
      payingAccounts: 2,
      arpu: money('9900'),
      movements: {
        new: money(String(2900 + 9900)),
        expansion: money('7000'),
        contraction: money('0'),
        churn: money('0'),
        reactivation: money('0'),
      },
      trialsStarted: 1,
      trialsConverted: 1,
      invoiced: money(String(2900 + 2000 + 11_014 + 10_398 + 9900)),
      oneTime: money('900'),
      refunds: money('400'),
      churnRate: null,
    });
    const earlier = { to: '2020-01-01T00:00:00Z' };
    expect(
      (await shop.test.query(OperatorRevenueDocument, earlier, backEnd)).data?.operator?.revenue,
    ).toEqual([]);
  });

  it('alerts once in a period, and lets calls go on', async () => {
    await send(
      'mutation { setOverage(input: { allowed: true, spendCap: { minorUnits: 1, currency: "USD", whenReached: ALERT } }) { __typename } }',
      {},
      owner.token,
    );
    await use(800);
    await shop.settled();
    await shop.settled();
    const reached = (await overageEvents()).filter(({ type }) => type === 'SpendCapReached');
    expect(reached).toHaveLength(1);
    expect(reached[0]).toMatchObject({ data: { cap: { amount: 1 }, spent: 600 + 250 } });
  });
});

/** Takes back some of the use that was reported as one, as a correction does. */
async function reverse(reported: number, quantity: number): Promise<void> {
  const { store, journal } = shop.test.app.parts;
  const found = (await allEvents(store)).flatMap((stored) => {
    if (stored.type !== 'UsesRecorded') return [];
    const { groups } = as<UsageEvent>(stored).data;
    return groups.flatMap((group) => group.uses.filter((one) => one.meters['calls'] === reported));
  })[0] as Use;
  await journal.record(owner.accountId, {
    ...found,
    meters: { calls: quantity },
    phase: 'reversed',
    reason: 'counted twice',
  });
  await shop.test.caughtUp();
}
