import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import Stripe from 'stripe';
import type { InvoiceEvent } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import { allEvents } from '../crash/facts.js';
import type { NaiveProfile } from './audit.js';
import { Audit } from './audit.js';
import type { Action } from './customer.js';
import { action, Customer, openDesk } from './customer.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';

/**
 * Law 7 over whole histories: some accounts live through the same months, each with a story of its own. Others than
 * the one below: SEED=… and HISTORIES=… in the environment.
 */
const SEED = Number(process.env['SEED'] ?? 17);
const HISTORIES = Number(process.env['HISTORIES'] ?? 1);
const ACCOUNTS = 6;
const STOPS = 8;
/** Of each account the newest invoices as they are printed. */
const DOCUMENTS = 3;

/** test/overage/example.yaml, by hand. */
const PROFILE: NaiveProfile = {
  plans: {
    starter: { included: 100, first: 500, end: 100, then: 400 },
    pro: { included: 500, first: 300, end: 200, then: 250 },
  },
  prices: { 'starter-month-usd': 2900, 'pro-month-usd': 9900 },
};

interface History {
  /** From one stop to the next. */
  readonly days: readonly number[];
  /** What each account does at each stop. */
  readonly accounts: readonly (readonly (readonly Action[])[])[];
}

const exactly = <T>(length: number, arbitrary: fc.Arbitrary<T>) =>
  fc.array(arbitrary, { minLength: length, maxLength: length });
const begin: fc.Arbitrary<Action[]> = fc
  .constantFrom('starter-month-usd', 'pro-month-usd', 'pro-month-usd')
  .map((price) => [
    { does: 'allow', allowed: true },
    { does: 'subscribe', price },
  ]);
const story = fc
  .tuple(begin, exactly(STOPS - 1, fc.array(action, { minLength: 1, maxLength: 4 })))
  .map(([first, others]) => [first, ...others]);
/** Two accounts do all that matters, so that there is something to add up of each kind. */
const CERTAIN: readonly (readonly Action[])[] = [
  [
    { does: 'allow', allowed: true },
    { does: 'subscribe', price: 'starter-month-usd' },
    { does: 'grant', amount: 60, days: null },
  ],
  [
    { does: 'tax', included: true },
    { does: 'coupon', coupon: 'third' },
    { does: 'item', amount: 300 },
  ],
  [{ does: 'use', quantity: 20, hoursAgo: 0 }],
  [{ does: 'buy', pack: 'forty' }],
  // From here on its trial is over.
  [
    { does: 'use', quantity: 650, hoursAgo: 0 },
    { does: 'credit note', which: 0, amount: 250 },
    { does: 'change', price: 'pro-month-usd' },
  ],
  [
    { does: 'refund', which: 0, amount: 120 },
    { does: 'reset' },
    { does: 'use', quantity: 690, hoursAgo: 30 },
    { does: 'take back', which: 0 },
  ],
  [
    { does: 'tax', included: false },
    { does: 'decline', times: 1 },
  ],
  [{ does: 'refund credits', which: 1 }],
];
/** With an agreed price, pauses and a dispute. */
const PAUSING: readonly (readonly Action[])[] = [
  [
    { does: 'allow', allowed: true },
    { does: 'subscribe', price: 'pro-month-usd' },
  ],
  [
    { does: 'use', quantity: 690, hoursAgo: 0 },
    { does: 'buy', pack: 'fifty' },
  ],
  [
    { does: 'dispute', which: 0 },
    { does: 'agree', plan: 'pro', amount: 11_000 },
  ],
  [{ does: 'decide', outcome: 'won' }, { does: 'pause' }],
  [
    { does: 'use', quantity: 600, hoursAgo: 0 },
    { does: 'use', quantity: 40, hoursAgo: 150 },
    { does: 'take back', which: 0 },
  ],
  [{ does: 'resume' }, { does: 'use', quantity: 700, hoursAgo: 0 }],
  [{ does: 'pause there' }],
  [{ does: 'resume there' }],
];
/** Once the period is closed that it was used in. */
const CORRECTED: Action = { does: 'take back', which: 1 };
const history: fc.Arbitrary<History> = fc
  .record({
    days: exactly(STOPS, fc.integer({ min: 4, max: 13 })),
    generated: exactly(ACCOUNTS - 2, story),
  })
  .map(({ days, generated }) => ({ days, accounts: [CERTAIN, PAUSING, ...generated] }));

/** Histories that did not add up once. */
const FOUND: readonly History[] = [];

let shop: Shop;
let root: string;
let backEnd: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-adds-up-'));
  await mkdir(join(root, 'profiles'));
  await copyFile(join('test', 'overage', 'example.yaml'), join(root, 'profiles', 'example.yaml'));
  shop = await openShop('2027-01-17T12:00:00Z', { root, env: { PROFILE: 'example' } });
  shop.workAtMoments();
  await openDesk(shop);
  const operator = await shop.test.customer('free');
  await shop.test.makeOperator(operator);
  backEnd = (await shop.test.issueKey(operator.token, 'LIVE', ['ADMIN'])).secret;
}, 60_000);
afterAll(async () => {
  await shop.close();
  await rm(root, { recursive: true, force: true });
});

async function live({ days, accounts }: History): Promise<Customer[]> {
  const customers: Customer[] = [];
  for (const place of accounts.keys()) customers.push(await Customer.register(shop, backEnd, place));
  for (const [stop, passing] of days.entries()) {
    for (const [place, customer] of customers.entries()) {
      for (const one of accounts[place]?.[stop] ?? []) await customer.do(one);
    }
    await shop.settled();
    await shop.advance(`${passing}d`);
  }
  // Until what was used and corrected is billed: two more periods.
  for (const last of ['33d', '2d']) await shop.advance(last);
  await customers[0]?.do(CORRECTED);
  for (const last of ['33d', '2d']) await shop.advance(last);
  return customers;
}

/** What was rated is on an invoice, or waits at Stripe for the next: each line once. */
async function unbilled(stripe: Stripe, audit: Audit, accountId: string): Promise<string[]> {
  const invoices = audit.invoicesOf(accountId);
  const named = (event: string) =>
    invoices.flatMap(([, { lines }]) =>
      lines
        .filter(({ events }) => events.includes(event))
        .map(({ description, amount }) => [description, amount]),
    );
  const customer = await customerOf(accountId);
  const items = customer === undefined ? [] : (await stripe.invoiceItems.list({ customer, limit: 100 })).data;
  const waiting = items.filter(({ invoice }) => !invoices.some(([id]) => id === idOf(invoice)));
  const sorted = (lines: readonly unknown[]) => lines.map((line) => JSON.stringify(line)).sort();
  // Where nothing follows, nothing that was used waits for the next invoice.
  const waits = new Map<string, number>();
  for (const { amount, metadata } of waiting) {
    const event = metadata?.['tollgraph_overage'];
    if (event !== undefined) waits.set(event, (waits.get(event) ?? 0) + amount);
  }
  const lost = [...waits]
    .filter(([, sum]) => sum > 0)
    .map(([event, sum]) => `${event}: ${sum} is on no invoice`);
  const { data: notes } =
    customer === undefined ? { data: [] } : await stripe.creditNotes.list({ customer, limit: 100 });
  const corrected = audit.correctedOf(accountId);
  const wrong = corrected.flatMap(({ eventId, correction, total, owed }) => {
    const given = notes
      .filter(({ metadata }) => metadata?.['tollgraph_overage'] === eventId)
      .reduce((sum, { amount }) => sum + amount, owed ?? 0);
    // A credit note gives the tax back, too.
    return owed !== undefined && (total >= 0 ? given === 0 : given >= -total)
      ? []
      : [`${correction}: ${total}, given back ${given}`];
  });
  const bills = [
    ...audit.closedOf(accountId),
    ...corrected.flatMap((one) => (one.total > 0 ? [{ ...one, period: one.correction }] : [])),
  ];
  const other = bills.flatMap(({ eventId, period, lines }) => {
    const rated = lines
      .filter(({ amount }) => amount !== 0)
      .map(({ description, amount }) => [description, amount]);
    const billed = [
      ...named(eventId),
      ...waiting
        .filter(({ metadata }) => metadata?.['tollgraph_overage'] === eventId)
        .map(({ description, amount }) => [description, amount]),
    ];
    return JSON.stringify(sorted(rated)) === JSON.stringify(sorted(billed))
      ? []
      : [`${period}: rated ${sorted(rated).join()}, billed ${sorted(billed).join()}`];
  });
  return [...wrong, ...other, ...(audit.hasEnded(accountId) ? lost : [])];
}

const idOf = (given: string | { readonly id?: string } | null): string | undefined =>
  typeof given === 'string' ? given : given?.id;

async function customerOf(accountId: string): Promise<string | undefined> {
  const { commands } = shop.test.app.parts;
  const created = (await commands.load(`subscription-${accountId}`)).find(
    ({ type }) => type === 'CustomerCreated',
  );
  return (created?.data as { customer?: string } | undefined)?.customer;
}

interface Shown {
  readonly id: string;
  readonly paymentReference: string | null;
  readonly status: string;
  readonly due: Sum;
  readonly paid: Sum;
  readonly credited: Sum;
  readonly total: Sum;
}
interface Sum {
  readonly minorUnits: string;
}

/** All that an account is shown of its bills, as text. */
async function shownTo({ token }: Customer): Promise<string> {
  const money = '{ minorUnits currency }';
  const { data, errors } = await shop.test.raw(
    `{ account {
      invoices(first: 15) { nodes {
        id number paymentReference status issuedAt period { from to }
        subtotal ${money} discount ${money} tax ${money} total ${money} due ${money} paid ${money} credited ${money}
        lines { kind description quantity total ${money} period { from to } eventIds }
      } }
      credits { available balance blocked grants { id amount remaining } }
    } }`,
    {},
    token,
  );
  if (errors) throw new Error(JSON.stringify(errors));
  const { account } = data as {
    account: { invoices: { nodes: Shown[] }; credits: { balance: string } | null };
  };
  const documents = await Promise.all(
    // An account has a minute's sixty calls for itself.
    account.invoices.nodes.slice(0, DOCUMENTS).flatMap(({ id }) =>
      ['html', 'pdf'].map(async (form) => {
        const response = await fetch(`${shop.test.app.url}/v1/invoices/${id}.${form}?timeZone=Asia/Kolkata`, {
          headers: { authorization: `Bearer ${token}` },
        });
        expect(response.status).toBe(200);
        return Buffer.from(await response.arrayBuffer()).toString('base64');
      }),
    ),
  );
  return JSON.stringify({ account, documents });
}

/** What was given back of an invoice without a credit note. */
async function refundedBeside(stripe: Stripe, invoice: string): Promise<number> {
  const paid = await stripe.invoicePayments.list({ invoice });
  let sum = 0;
  for (const { payment } of paid.data) {
    const intent = idOf(payment.payment_intent ?? null);
    const { data } = await stripe.charges.list(intent === undefined ? {} : { payment_intent: intent });
    for (const charge of data) sum += charge.amount_refunded;
  }
  for (const { refunds } of (await stripe.creditNotes.list({ invoice })).data) {
    for (const { amount_refunded: amount } of refunds) sum -= amount;
  }
  return sum;
}

/** What Stripe says of each invoice is what the account is shown. */
async function compared(stripe: Stripe, shown: string): Promise<string[]> {
  const { account } = JSON.parse(shown) as { account: { invoices: { nodes: Shown[] } } };
  const problems = await Promise.all(
    account.invoices.nodes.map(
      async ({ id, paymentReference: number, status, due, paid, credited, total }) => {
        const stripes = await stripe.invoices.retrieve(id);
        const before = stripes.pre_payment_credit_notes_amount;
        const theirs = {
          number: stripes.number,
          status: stripes.status?.toUpperCase(),
          total: stripes.total,
          due: stripes.amount_due + before,
          paid: stripes.amount_paid,
          credited: stripes.post_payment_credit_notes_amount + before + (await refundedBeside(stripe, id)),
        };
        const amount = ({ minorUnits }: Sum): number => Number(minorUnits);
        const ours = {
          number,
          status,
          total: amount(total),
          due: amount(due),
          paid: amount(paid),
          credited: amount(credited),
        };
        return JSON.stringify(ours) === JSON.stringify(theirs)
          ? []
          : [`${id}: ${JSON.stringify(ours)}, at Stripe ${JSON.stringify(theirs)}`];
      },
    ),
  );
  return problems.flat();
}

it('adds up to the cent over whole histories, and says the same when all is read anew (law 7)', async () => {
  const stripe = new Stripe(shop.sandbox.apiKey, shop.sandbox.client);
  await fc.assert(
    fc.asyncProperty(history, async (given) => {
      const customers = await live(given);
      const all = await allEvents(shop.test.app.parts.store);
      const audit = new Audit(all, PROFILE);
      const before: string[] = [];
      for (const customer of customers) {
        const shown = await shownTo(customer);
        before.push(shown);
        const { account } = JSON.parse(shown) as { account: { credits: { balance: string } | null } };
        expect({
          events: audit.problemsOf(customer.accountId),
          unbilled: await unbilled(stripe, audit, customer.accountId),
          stripe: await compared(stripe, shown),
          credits: Number(account.credits?.balance ?? 0),
        }).toEqual({ events: [], unbilled: [], stripe: [], credits: audit.balanceOf(customer.accountId) });
      }
      await readAnew();
      for (const [place, customer] of customers.entries()) {
        expect((await shownTo(customer)) === before[place]).toBe(true);
      }
    }),
    { numRuns: HISTORIES, seed: SEED, endOnFailure: true, examples: FOUND.map((one) => [one]) },
  );
  await expectVariety();
}, 900_000);

/** Drops every read model and builds it from the first event. */
async function readAnew(): Promise<void> {
  const { projector } = shop.test.app.parts;
  for (const { model } of projector.states()) {
    const { differing } = await projector.rebuild(model);
    expect({ model, differing }).toEqual({ model, differing: [] });
  }
}

/** That there was something to add up: of each kind. */
async function expectVariety(): Promise<void> {
  const all = await allEvents(shop.test.app.parts.store);
  const types = new Set(all.map(({ type }) => type));
  for (const type of [
    'PlanChanged',
    'PeriodClosed',
    'CreditsDrawn',
    'InvoiceCredited',
    'UseReversed',
    'QuotaReset',
    'PriceAgreed',
    'SubscriptionPaused',
    'SubscriptionResumed',
    'DisputeWon',
    'CreditsWithdrawn',
    'CreditsReinstated',
  ]) {
    expect([type, types.has(type)]).toEqual([type, true]);
  }
  const invoices = all.flatMap((stored) => {
    const { type, data } = as<InvoiceEvent>(stored);
    return type === 'InvoiceFinalised' ? [data] : [];
  });
  const kinds = new Set(invoices.flatMap(({ lines }) => lines.map(({ kind }) => kind)));
  expect([...kinds].sort()).toEqual(['other', 'plan', 'proration', 'usage']);
  expect(invoices.some(({ discount }) => discount > 0)).toBe(true);
  expect(invoices.some(({ tax }) => tax > 0)).toBe(true);
  expect(
    invoices.some(({ lines }) => lines.some(({ description }) => description.startsWith('Correction'))),
  ).toBe(true);
}
