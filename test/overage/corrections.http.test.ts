import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { billingDecider } from '../../src/billing/decide.js';
import type { InvoiceEvent } from '../../src/billing/events.js';
import { fold } from '../../src/eventsourcing/decider.js';
import { as } from '../../src/eventsourcing/event.js';
import { shownId } from '../../src/graphql/kit/ids.js';
import type { OverageEvent } from '../../src/overage/events.js';
import { overageStream } from '../../src/overage/events.js';
import { subscriptionStream } from '../../src/plans/events.js';
import type { Shop } from '../billing/shop.js';
import { openShop } from '../billing/shop.js';
import { Subscriber } from '../billing/subscriber.js';
import { allEvents } from '../crash/facts.js';
import {
  CreditsDocument,
  InvoiceDifferencesDocument,
  OverageCorrectionsDocument,
} from '../generated/graphql.js';

/** Corrections of use that was invoiced already. Pro includes 500 calls a month; the next 200 cost 3 cents each. */
let shop: Shop;
let root: string;
let stripe: Stripe;
let operator: string;
let backEnd: string;
const warnings: string[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-corrections-'));
  await mkdir(join(root, 'profiles'));
  await copyFile(join('test', 'overage', 'example.yaml'), join(root, 'profiles', 'example.yaml'));
  const { silentLogger } = await import('../../src/logger.js');
  const log = { ...silentLogger, warn: (message: string) => warnings.push(message) };
  shop = await openShop('2027-02-01T12:00:00Z', { root, log, env: { PROFILE: 'example' } });
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
  const above = await shop.test.customer('free');
  await shop.test.makeOperator(above);
  operator = above.token;
  backEnd = (await shop.test.issueKey(above.token, 'LIVE', ['ADMIN'])).secret;
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

async function send(query: string, input: object, credential: string): Promise<Record<string, unknown>> {
  const { data, errors } = await shop.test.raw(query, { input }, credential);
  if (errors) throw new Error(JSON.stringify(errors));
  return data as Record<string, unknown>;
}

let uses = 0;
async function use({ accountId }: Subscriber, quantity: number, at?: string): Promise<[string, string]> {
  const useId = `use-${++uses}`;
  const one = { useId, accountId, meter: 'calls', quantity, ...(at !== undefined && { at }) };
  const { recordUsage } = await send(
    'mutation ($input: RecordUsageInput!) { recordUsage(input: $input) { ... on RecordUsagePayload { results { status } } } }',
    { uses: [one] },
    backEnd,
  );
  await shop.test.caughtUp();
  const { results } = recordUsage as { results: { status: string }[] };
  return [useId, results[0]?.status ?? ''];
}

async function takeBack({ accountId }: Subscriber, useId: string): Promise<void> {
  const { correctUsage } = await send(
    'mutation ($input: CorrectUsageInput!) { correctUsage(input: $input) { ... on CorrectUsagePayload { useId } ... on Refusal { code } } }',
    { accountId, useId, reason: 'counted twice' },
    backEnd,
  );
  expect(correctUsage).toEqual({ useId });
  await shop.settled();
}

/** Somebody on Pro who pays for overage. */
async function subscriber(): Promise<Subscriber> {
  const user = await Subscriber.register(shop);
  await send(
    'mutation ($input: SetOverageInput!) { setOverage(input: $input) { __typename } }',
    { allowed: true },
    user.token,
  );
  await user.subscribe('pro-month-usd');
  await user.bills();
  return user;
}

/** What operators see of it, newest first. */
async function corrections(user: Subscriber) {
  const { data } = await shop.test.query(OverageCorrectionsDocument, { first: 20 }, operator);
  const nodes = data?.operator?.overageCorrections?.nodes ?? [];
  return nodes
    .filter(({ accountId }) => accountId === shownId('Account', user.accountId))
    .map(({ total, owed, creditNotes, invoiceId }) => ({
      total: total.minorUnits,
      owed: owed?.minorUnits,
      creditNotes: creditNotes.length,
      invoice: invoiceId !== null,
    }));
}

/** The newest one's events. */
async function cited(user: Subscriber): Promise<string[]> {
  const { data } = await shop.test.query(OverageCorrectionsDocument, { first: 20 }, operator);
  const one = data?.operator?.overageCorrections?.nodes.find(
    ({ accountId }) => accountId === shownId('Account', user.accountId),
  );
  const all = await allEvents(shop.test.app.parts.store);
  return (one?.eventIds ?? []).map((id) => all.find((stored) => stored.id === id)?.type ?? 'none');
}

async function credited(user: Subscriber): Promise<number[]> {
  const all = await allEvents(shop.test.app.parts.store);
  return all.flatMap((stored) => {
    const { type, data } = as<InvoiceEvent>(stored);
    return type === 'InvoiceCredited' && data.accountId === user.accountId ? [data.credited] : [];
  });
}

/** Its name at Stripe. */
async function customerOf({ accountId }: Subscriber): Promise<string> {
  const { customer } = fold(
    billingDecider,
    await shop.test.app.parts.commands.load(subscriptionStream(accountId)),
  );
  return customer ?? '';
}

async function available({ token }: Subscriber): Promise<string> {
  const { data } = await shop.test.query(CreditsDocument, {}, token);
  return data?.account?.credits?.available ?? '';
}

async function differences(): Promise<unknown[]> {
  const { data } = await shop.test.query(InvoiceDifferencesDocument, { first: 10 }, operator);
  return (data?.operator?.invoiceDifferences?.nodes ?? []).map((one) => one.differences);
}

const closed = async ({ accountId }: Subscriber): Promise<OverageEvent[]> =>
  (await shop.test.app.parts.commands.load(overageStream(accountId))).map((one) => as<OverageEvent>(one));

describe('use of a subscription that has ended', () => {
  let first: Subscriber;
  let second: Subscriber;
  let third: Subscriber;
  /** With credits. */
  let fourth: Subscriber;
  let ids: string[];

  it('is invoiced when its last period closes', async () => {
    first = await subscriber();
    second = await subscriber();
    third = await subscriber();
    fourth = await subscriber();
    await send(
      'mutation ($input: OperatorGrantCreditsInput!) { operatorGrantCredits(input: $input) { __typename } }',
      { accountId: fourth.accountId, amount: 30, reason: 'welcome' },
      backEnd,
    );
    ids = [];
    for (const user of [first, second, third]) {
      await use(user, 520);
      const [id] = await use(user, 80);
      ids.push(id);
      await user.cancel();
    }
    await use(fourth, 501);
    ids.push((await use(fourth, 19))[0]);
    await fourth.cancel();
    await shop.advance('2027-03-01T12:35:00Z');
    await shop.advance('2027-03-01T14:00:00Z');
    for (const user of [first, second, third]) {
      expect(await user.bills()).toEqual([['100 × call above the 500 included: 3.00 USD', 'total 3.00 USD']]);
      expect(await corrections(user)).toEqual([]);
    }
    expect([await fourth.bills(), await available(fourth)]).toEqual([[], '10']);
  });

  it('gives credits back that have paid for it', async () => {
    await takeBack(fourth, ids[3] as string);
    expect(await available(fourth)).toBe('29');
    expect(await corrections(fourth)).toEqual([]);
  });

  it('is given back by a credit note where it is taken back, at once and once', async () => {
    await takeBack(first, ids[0] as string);
    expect(await corrections(first)).toEqual([{ total: '-240', owed: '0', creditNotes: 1, invoice: false }]);
    expect(await cited(first)).toEqual(['SubscriptionStarted', 'UseReversed']);
    expect(await credited(first)).toEqual([240]);
    await shop.settled();
    expect((await closed(first)).filter(({ type }) => type === 'OverageCorrected')).toHaveLength(1);
    // The other accounts are no part of it.
    expect(await corrections(second)).toEqual([]);
  });

  it('is charged where it is reported late, by an invoice of its own', async () => {
    await shop.advance('2027-03-03T12:00:00Z');
    const [, status] = await use(second, 40, '2027-03-01T11:59:00Z');
    expect(status).toBe('LATE');
    // What is used after the end is none of the subscription's.
    await use(second, 1_000, '2027-03-01T12:00:01Z');
    await shop.advance('2027-03-07T12:00:00Z');
    expect(await corrections(second)).toEqual([]);
    // Nothing more can be reported from then on.
    await shop.advance('2027-03-08T12:02:00Z');
    await shop.advance('2027-03-08T14:00:00Z');
    expect(await corrections(second)).toEqual([{ total: '120', owed: '0', creditNotes: 0, invoice: true }]);
    expect(await second.bills()).toEqual([
      ['Correction of use from 2027-02-01 to 2027-03-01: 1.20 USD', 'total 1.20 USD'],
    ]);
  });

  it('counts on the next invoice where none can give it back, and operators see what is owed', async () => {
    // Somebody has paid it back already.
    const customer = await customerOf(third);
    const { data } = await stripe.invoices.list({ customer, limit: 10 });
    const invoice = data.find(({ total }) => total === 300);
    const [payment] = (await stripe.invoicePayments.list({ invoice: invoice?.id ?? '' })).data;
    await stripe.refunds.create({ payment_intent: payment?.payment.payment_intent as string });
    await shop.settled();
    await takeBack(third, ids[2] as string);
    expect(await corrections(third)).toEqual([
      { total: '-240', owed: '240', creditNotes: 0, invoice: false },
    ]);
    expect(warnings.filter((line) => line.includes('overageCorrections'))).toEqual([
      expect.stringContaining(shownId('Account', third.accountId)),
    ]);
    await third.subscribe('pro-month-usd');
    expect(await third.bills()).toEqual([
      [
        'Correction of use from 2027-02-01 to 2027-03-01: −2.40 USD',
        '1 × Pro (at $99.00 / month): 99.00 USD',
        'total 96.60 USD',
      ],
    ]);
    expect(await differences()).toEqual([]);
  });

  it('is a line of the next invoice of another subscription', async () => {
    const [again] = await use(third, 700);
    await shop.advance('2027-04-08T14:35:00Z');
    await shop.advance('2027-04-08T16:00:00Z');
    await third.bills();
    await third.cancel();
    await shop.advance('2027-05-08T14:35:00Z');
    await third.subscribe('pro-month-usd');
    await third.bills();
    await takeBack(third, again);
    expect(await corrections(third)).toHaveLength(1);
    const { data } = await shop.test.raw(
      '{ account { upcomingInvoice { lines { description total { minorUnits } } } } }',
      {},
      third.token,
    );
    expect(JSON.stringify(data)).toContain(
      '"description":"Correction of use from 2027-03-08 to 2027-04-08","total":{"minorUnits":"-600"}',
    );
    await shop.advance('2027-06-08T15:10:00Z');
    await shop.advance('2027-06-08T16:00:00Z');
    const [bill] = await third.bills();
    expect(bill).toContain('Correction of use from 2027-03-08 to 2027-04-08: −6.00 USD');
    expect(await differences()).toEqual([]);
  });
});

it('shows use beyond 32 bits on the upcoming invoice', async () => {
  const user = await subscriber();
  await use(user, 3_000_000_500);
  const { data, errors } = await shop.test.raw(
    '{ account { upcomingInvoice { lines { kind meter quantity description } } } }',
    {},
    user.token,
  );
  expect(errors).toBeUndefined();
  expect(JSON.stringify(data)).toContain(
    '"meter":"calls","quantity":"3000000000","description":"3,000,000,000 × call above the 500 included"',
  );
});
