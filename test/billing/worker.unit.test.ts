import type { StripeEventRow } from '../../projections/stripeEvents/queries.js';
import type { StripeEventEvent } from '../../src/billing/events.js';
import { stripeEventDecider } from '../../src/billing/decideWebhook.js';
import { PaymentRefused } from '../../src/billing/payments.js';
import type { BillingWorkerOptions } from '../../src/billing/worker.js';
import { BillingWorker } from '../../src/billing/worker.js';
import { given } from '../eventsourcing/given.js';

type Handled = Extract<StripeEventEvent, { type: 'StripeEventHandled' }>['data'];

const AT = new Date('2027-01-17T12:00:00Z');

function row(id: string, type: string, over: Partial<StripeEventRow> = {}): StripeEventRow {
  const [about = ''] = type.split('.');
  const at = { created_at: AT, received_at: AT, handled_at: null };
  const object = { object_type: about, object_id: `${about}_1`, customer: 'cus_ann' };
  return {
    ...at,
    ...object,
    id,
    type,
    livemode: false,
    backfilled: false,
    effect: null,
    position: 1,
    account_id: null,
    ...over,
  };
}

const gone = (id: string): PaymentRefused => new PaymentRefused('resource_missing', `No such ${id}`, false);

/** A worker that counts what it asks of Stripe. Only ports are stood in for, and those of the work list. */
function worker(waiting: StripeEventRow[], failing: readonly string[] = []) {
  const settled: string[] = [];
  const invoices: string[] = [];
  const handled = new Map<string, Handled>();
  const errors: unknown[] = [];
  /** Of the list of events, how often it was asked for and whether it answers. */
  const asked = { lists: 0, works: true };
  const apart: string[] = [];
  /** What the lists of what waits were asked for. */
  const lists: unknown[][] = [];
  const options = {
    events: {
      pending: (...about: [after: number, limit: number]) => {
        lists.push(about);
        const [after, limit] = about;
        return Promise.resolve(
          waiting.filter(({ id, position }) => !handled.has(id) && position > after).slice(0, limit),
        );
      },
    },
    accountOf: (customer: string) =>
      Promise.resolve(customer === 'cus_stranger' ? undefined : `account of ${customer}`),
    subscriptions: {
      pending: () => Promise.resolve([]),
      due: () => Promise.resolve([]),
    },
    payments: {
      live: false,
      refund: (id: string) =>
        Promise.resolve({
          amount: 500,
          currency: 'usd',
          charge: id === 're_foreign' ? 'ch_foreign' : 'ch_ann',
          customer: id === 're_foreign' ? undefined : 'cus_ann',
          failed: true,
          reason: 'unknown',
        }),
      invoiceOfCharge: () => Promise.resolve('invoice_of_charge'),
      undelivered: () => {
        asked.lists++;
        return asked.works ? Promise.resolve([]) : Promise.reject(new Error('no answer'));
      },
    },
    billing: {
      settle: (account: string) => {
        settled.push(account);
        return Promise.resolve();
      },
      recordInvoice: (_account: string, invoice: string) => {
        invoices.push(invoice);
        if (invoice === 'in_gone') return Promise.reject(gone(invoice));
        return failing.includes(invoice) ? Promise.reject(new Error(invoice)) : Promise.resolve();
      },
    },
    onRefund: (account: string, charge: string) => {
      apart.push(`${charge} of ${account}`);
      return Promise.resolve();
    },
    onRefundFailed: (id: string, { accountId }: { accountId: string | null }) => {
      apart.push(`${id} has failed for ${accountId}`);
      return Promise.resolve();
    },
    onDispute: (id: string) => {
      if (id === 'dp_gone') return Promise.reject(gone(id));
      apart.push(id);
      const payers: Readonly<Record<string, string | null>> = {
        dp_of_ann: 'account of cus_ann',
        dp_of_nobody: null,
      };
      return Promise.resolve(payers[id]);
    },
    recorder: {
      record: (about: object) => {
        apart.push(JSON.stringify(about));
        return Promise.resolve(!JSON.stringify(about).includes('foreign'));
      },
    },
    commands: {
      handle: (_decider: unknown, stream: string, { effect, accountId }: Handled) => {
        handled.set(stream.replace('stripe_event-', ''), { effect, accountId });
        return Promise.resolve();
      },
    },
    billingClock: () => AT.getTime(),
    clock: () => AT.getTime(),
    onError: (error: unknown) => errors.push(error),
  } as unknown as BillingWorkerOptions;
  return { worker: new BillingWorker(options), settled, invoices, handled, errors, asked, apart, lists };
}

const RENEWAL = [
  'invoice.upcoming',
  'customer.subscription.updated',
  'invoice.created',
  'invoice.finalized',
  'payment_intent.created',
  'charge.succeeded',
  'payment_intent.succeeded',
  'invoice_payment.paid',
  'invoice.paid',
  'invoice.payment_succeeded',
  'invoice.updated',
  'customer.subscription.updated',
];

it('asks Stripe once for the twelve webhooks of a renewal, and once for its invoice', async () => {
  const { worker: one, settled, invoices, handled } = worker(RENEWAL.map((type, n) => row(`evt_${n}`, type)));
  expect(await one.work()).toBe(false);
  expect(settled).toEqual(['account of cus_ann']);
  expect(invoices).toEqual(['invoice_1']);
  expect([...handled.values()].map(({ effect }) => effect).sort()).toEqual([
    ...Array<string>(9).fill('applied'),
    ...Array<string>(3).fill('none'),
  ]);
});

it('does so for each customer, and for nobody where it is not asked to', async () => {
  const {
    worker: one,
    settled,
    handled,
  } = worker([
    row('evt_a', 'invoice.paid'),
    row('evt_b', 'invoice.paid', { customer: 'cus_bob' }),
    row('evt_c', 'customer.subscription.updated', { customer: 'cus_bob' }),
    row('evt_d', 'invoice.paid', { customer: 'cus_bob', livemode: true }),
    row('evt_e', 'invoice.paid', { customer: 'cus_stranger' }),
    row('evt_f', 'invoice.paid', { customer: null }),
  ]);
  await one.work();
  expect(settled).toEqual(['account of cus_ann', 'account of cus_bob']);
  expect(Object.fromEntries([...handled].map(([id, { effect }]) => [id, effect]))).toEqual({
    evt_a: 'applied',
    evt_b: 'applied',
    evt_c: 'applied',
    evt_d: 'other_mode',
    evt_e: 'unknown_customer',
    evt_f: 'none',
  });
});

it('follows what names no customer by itself, in its own mode', async () => {
  const nobody = { customer: null };
  const {
    worker: one,
    apart,
    handled,
  } = worker([
    row('evt_a', 'charge.dispute.created', { ...nobody, object_id: 'dp_of_ann' }),
    row('evt_b', 'charge.dispute.closed', { ...nobody, object_id: 'dp_of_nobody' }),
    row('evt_c', 'payment_intent.succeeded', { ...nobody, object_id: 'pi_1' }),
    row('evt_d', 'charge.refunded', { ...nobody, object_id: 'ch_1' }),
    row('evt_e', 'payment_intent.succeeded', { ...nobody, object_id: 'pi_foreign' }),
    row('evt_h', 'charge.dispute.created', { ...nobody, object_id: 'dp_foreign' }),
    row('evt_f', 'charge.dispute.created', { ...nobody, object_id: 'dp_live', livemode: true }),
    row('evt_g', 'payment_intent.succeeded'),
  ]);
  expect(await one.work()).toBe(false);
  expect(apart.sort()).toEqual([
    'dp_foreign',
    'dp_of_ann',
    'dp_of_nobody',
    '{"charge":"ch_1"}',
    '{"intent":"pi_1"}',
    '{"intent":"pi_foreign"}',
  ]);
  expect(Object.fromEntries(handled)).toEqual({
    evt_a: { effect: 'applied', accountId: 'account of cus_ann' },
    evt_b: { effect: 'applied', accountId: null },
    evt_c: { effect: 'applied', accountId: null },
    evt_d: { effect: 'applied', accountId: null },
    evt_e: { effect: 'none', accountId: null },
    evt_f: { effect: 'other_mode', accountId: null },
    evt_g: { effect: 'none', accountId: null },
    evt_h: { effect: 'none', accountId: null },
  });
});

it('leaves the event of an invoice that fails for later, and no other', async () => {
  const events = [
    row('evt_a', 'invoice.paid', { object_id: 'in_bad' }),
    row('evt_b', 'invoice.paid', { object_id: 'in_good' }),
    row('evt_c', 'customer.subscription.updated'),
  ];
  const { worker: one, handled, errors } = worker(events, ['in_bad']);
  expect(await one.work()).toBe(true);
  expect([...handled.keys()].sort()).toEqual(['evt_b', 'evt_c']);
  expect(errors).toEqual([new Error('in_bad')]);
});

it('is done with what Stripe has no more', async () => {
  const {
    worker: one,
    handled,
    errors,
  } = worker([
    row('evt_a', 'invoice.created', { object_id: 'in_gone' }),
    row('evt_b', 'invoice.updated', { object_id: 'in_gone' }),
    row('evt_c', 'charge.dispute.created', { customer: null, object_id: 'dp_gone' }),
    row('evt_d', 'invoice.paid', { object_id: 'in_good' }),
  ]);
  expect([await one.work(), errors]).toEqual([false, []]);
  const nothing = { effect: 'none', accountId: null };
  expect(Object.fromEntries(handled)).toEqual({
    evt_a: nothing,
    evt_b: nothing,
    evt_c: nothing,
    evt_d: { effect: 'applied', accountId: 'account of cus_ann' },
  });
});

it('does nothing about what happens in an account that is connected to ours', () => {
  const received = {
    eventType: 'charge.dispute.created',
    createdAt: AT.toISOString(),
    livemode: false,
    apiVersion: null,
    object: { type: 'dispute', id: 'dp_1' },
    customer: null,
    body: { hash: '', bytes: 1, subject: 'stripe:nobody' },
    backfilled: false,
  };
  const receive = (connectedAccount: string | null) =>
    given(stripeEventDecider).when({
      type: 'ReceiveStripeEvent',
      received: { ...received, connectedAccount },
    });
  const stored = (connectedAccount: string | null): StripeEventEvent => ({
    type: 'StripeEventReceived',
    data: { ...received, connectedAccount },
  });
  receive(null).then(stored(null));
  receive('acct_other').then(stored('acct_other'), {
    type: 'StripeEventHandled',
    data: { effect: 'none', accountId: null },
  });
});

it('works on what has come although the list of events does not answer, and asks for that once a minute', async () => {
  const { worker: one, settled, errors, asked } = worker([row('evt_a', 'invoice.paid')]);
  asked.works = false;
  const stop = new AbortController();
  const running = one.run(stop.signal);
  for (let turns = 0; settled.length === 0 && turns < 1_000; turns++) await new Promise(setImmediate);
  stop.abort();
  await running;
  expect(settled).toEqual(['account of cus_ann']);
  expect(errors).toEqual([new Error('no answer')]);
  const now = performance.now();
  await one.backfillInTime(now);
  expect(asked.lists).toBe(1);
  await one.backfillInTime(now + 60_000);
  expect(asked.lists).toBe(2);
  // Once it answers, after ten minutes.
  asked.works = true;
  await one.backfillInTime(now + 130_000);
  await one.backfillInTime(now + 700_000);
  expect(asked.lists).toBe(3);
  await one.backfillInTime(now + 740_000);
  expect(asked.lists).toBe(4);
});

it('follows a refund of a charge once, whatever tells of it, and tells of one that has failed', async () => {
  const refund = { object_type: 'refund', object_id: 're_ann' };
  const named = worker([
    row('evt_a', 'charge.refunded', { object_id: 'ch_ann' }),
    row('evt_b', 'refund.failed', refund),
    row('evt_c', 'charge.refund.updated', refund),
  ]);
  expect(await named.worker.work()).toBe(false);
  expect(named.apart.filter((one) => one.startsWith('ch_'))).toEqual(['ch_ann of account of cus_ann']);
  expect(named.apart).toContain('re_ann has failed for account of cus_ann');
  expect(named.invoices).toEqual(['invoice_of_charge']);
  // Those of older versions name no customer.
  const unnamed = worker([
    row('evt_a', 'refund.failed', { ...refund, customer: null }),
    row('evt_b', 'refund.failed', { ...refund, object_id: 're_foreign', customer: null }),
  ]);
  await unnamed.worker.work();
  expect(unnamed.apart.sort()).toEqual([
    'ch_ann of account of cus_ann',
    're_ann has failed for account of cus_ann',
    '{"charge":"ch_foreign"}',
  ]);
  expect(Object.fromEntries(unnamed.handled)).toEqual({
    evt_a: { effect: 'applied', accountId: 'account of cus_ann' },
    evt_b: { effect: 'none', accountId: null },
  });
});

it('goes on behind what it has looked at, however many have come and whatever has failed', async () => {
  const rows = Array.from({ length: 120 }, (_, n) =>
    row(`evt_${n}`, n === 3 ? 'invoice.paid' : 'customer.updated', { position: n + 1, object_id: 'in_bad' }),
  );
  const { worker: one, handled, lists } = worker(rows, ['in_bad']);
  expect(await one.work()).toBe(true);
  expect(handled.size).toBe(119);
  expect(lists).toEqual([
    [0, 50],
    [50, 50],
    [100, 50],
    [120, 50],
  ]);
});
