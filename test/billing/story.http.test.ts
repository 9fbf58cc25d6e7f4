import { InvoiceDocument, InvoicesDocument, StartCheckoutDocument } from '../generated/graphql.js';
import { allEvents } from '../crash/facts.js';
import { join } from '../support/members.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

let shop: Shop;
let user: Subscriber;
beforeAll(async () => {
  shop = await openShop('2027-01-17T12:00:00Z');
  user = await Subscriber.register(shop);
});
afterAll(() => shop.close());

// Each part goes on where the one before has ended: the story of one account.
describe('an account', () => {
  it('is told what to do instead of what cannot be done', async () => {
    for (const priceId of ['gold-month-usd', 'developer-month-eur']) {
      const { data } = await shop.test.query(StartCheckoutDocument, { input: { priceId } }, user.token);
      expect(data?.startCheckout).toMatchObject({
        code: 'PRICE_UNKNOWN',
        message: expect.stringContaining('developer-month-usd, developer-year-usd') as unknown,
      });
    }
    expect(await user.changeTo('team-month-usd')).toMatchObject({ code: 'NO_SUBSCRIPTION' });
    expect(await user.cancel()).toMatchObject({ code: 'NO_SUBSCRIPTION' });
    expect(await user.resume()).toMatchObject({ code: 'NO_SUBSCRIPTION' });
    expect(await user.news()).toEqual([]);
  });

  it('opens a checkout, which changes nothing until it is paid', async () => {
    const url = await user.checkout('developer-month-usd');
    expect(await user.now()).toEqual({ plan: 'free' });
    expect(await user.news()).toEqual([
      'CustomerRequested',
      'CheckoutRequested',
      'CustomerCreated',
      'CheckoutOpened',
    ]);
    // A card that is declined starts nothing.
    expect((await shop.pay(url, '4000 0000 0000 0002')).status).toBe(402);
    await shop.settled();
    expect(await user.now()).toEqual({ plan: 'free' });
    expect((await shop.pay(url)).status).toBe(303);
    await shop.settled();
  });

  it('tries the plan for 14 days, at its limits', async () => {
    expect((await user.news()).sort()).toEqual(['CheckoutEnded', 'TrialStarted']);
    expect(await user.now()).toEqual({
      plan: 'developer',
      status: 'TRIALING',
      pays: '2900 USD',
      until: '2027-01-31T12:00:00.000Z',
    });
    expect(await user.bills()).toEqual([['Free trial for 1 × Developer: 0.00 USD', 'total 0.00 USD']]);
    await shop.advance('2027-01-28T13:00:00Z');
    expect(await user.news()).toEqual(['TrialEnding']);
    await shop.advance('2027-01-31T13:30:00Z');
    expect(await user.news()).toEqual(['TrialConverted']);
    expect(await user.now()).toEqual({
      plan: 'developer',
      status: 'ACTIVE',
      pays: '2900 USD',
      until: '2027-02-28T12:00:00.000Z',
    });
    expect(await user.bills()).toEqual([['1 × Developer (at $29.00 / month): 29.00 USD', 'total 29.00 USD']]);
  });

  it('upgrades in mid-period, at the price that the preview has said', async () => {
    await shop.advance('2027-02-20T12:00:00Z');
    expect(await user.preview('team-month-usd')).toMatchObject({
      effectiveAt: '2027-02-20T12:00:00.000Z',
      due: { minorUnits: '4857', exponent: 2, currency: 'USD' },
    });
    expect(await user.changeTo('team-month-usd')).toMatchObject({
      __typename: 'SubscriptionPayload',
      subscription: { plan: { id: 'team' }, status: 'ACTIVE', pendingChange: null },
    });
    await shop.settled();
    expect(await user.news()).toEqual(['PlanChangeRequested', 'PlanChanged']);
    // 8 of 28 days are left.
    expect(await user.bills()).toEqual([
      [
        'Unused time on Developer after 20 Feb 2027: −8.29 USD',
        'Remaining time on Team after 20 Feb 2027: 56.86 USD',
        'total 48.57 USD',
      ],
    ]);
    expect(await user.changeTo('team-month-usd')).toMatchObject({ code: 'PLAN_UNCHANGED' });
  });

  it('renews on the last day of a shorter month', async () => {
    await shop.advance('2027-02-28T14:00:00Z');
    expect(await user.news()).toEqual(['PeriodRenewed']);
    expect(await user.bills()).toEqual([['1 × Team (at $199.00 / month): 199.00 USD', 'total 199.00 USD']]);
    expect(await user.now()).toEqual({
      plan: 'team',
      status: 'ACTIVE',
      pays: '19900 USD',
      until: '2027-03-31T12:00:00.000Z',
    });
  });

  it('is found by the ids of its invoices and its subscription, by whoever sees them in their places', async () => {
    const TOTAL = 'total { minorUnits }';
    const { data } = await shop.test.raw(
      `{ account { subscription { id } upcomingInvoice { id ${TOTAL} } invoices(first: 1) { nodes { id ${TOTAL} } } } }`,
      {},
      user.token,
    );
    const { subscription, upcomingInvoice, invoices } = data?.['account'] as {
      subscription: { id: string };
      upcomingInvoice: { id: string };
      invoices: { nodes: { id: string }[] };
    };
    const ids = [invoices.nodes[0]?.id, upcomingInvoice.id, subscription.id];
    // Those that Stripe has given are shown as they are.
    const kinds = [/^in_(?!next)/, /^in_next-/, /^sub_/];
    expect(ids).toEqual(kinds.map((kind) => expect.stringMatching(kind) as string));
    const found = [
      { __typename: 'Invoice', ...invoices.nodes[0] },
      { __typename: 'Invoice', ...upcomingInvoice },
      { __typename: 'PlanSubscription', ...subscription, plan: { id: 'team' } },
    ];
    const look = async (credential: string) => {
      const query = `query ($ids: [ID!]!) { nodes(ids: $ids) {
        __typename id ... on Invoice { ${TOTAL} } ... on PlanSubscription { plan { id } }
      } }`;
      return (await shop.test.raw(query, { ids }, credential)).data?.['nodes'];
    };
    const [payer, viewer, stranger] = [
      await shop.test.register(),
      await shop.test.register(),
      await Subscriber.register(shop),
    ];
    await join(shop.test, user, payer, 'billing');
    await join(shop.test, user, viewer, 'viewer');
    await shop.test.caughtUp();
    const { secret } = await shop.test.issueKey(user.token);
    for (const credential of [user.token, payer.token, secret]) expect(await look(credential)).toEqual(found);
    // As in their places: every member sees the plan that is paid for, and only who pays the invoices.
    expect(await look(viewer.token)).toEqual([null, null, found[2]]);
    expect(await look(stranger.token)).toEqual([null, null, null]);
    expect(await look((await shop.test.issueKey(stranger.token)).secret)).toEqual([null, null, null]);
  });

  it('keeps its plan while a payment is late, and is well again once it is paid', async () => {
    shop.sandbox.faults.declineCharges();
    await shop.advance('2027-03-31T14:00:00Z');
    expect(await user.news()).toEqual(['PeriodRenewed', 'PaymentOverdue']);
    expect(await user.now()).toEqual({
      plan: 'team',
      status: 'PAST_DUE',
      pays: '19900 USD',
      until: '2027-04-30T12:00:00.000Z',
      graceEndsAt: '2027-04-14T12:00:00.000Z',
    });
    expect(await user.changeTo('developer-month-usd')).toMatchObject({
      __typename: 'PaymentRequired',
      code: 'PAYMENT_OVERDUE',
    });
    await shop.advance('2027-04-05T00:00:00Z');
    expect(await user.news()).toEqual(['PaymentRecovered']);
    expect(await user.now()).toMatchObject({ plan: 'team', status: 'ACTIVE' });
    expect(await user.bills()).toEqual([['1 × Team (at $199.00 / month): 199.00 USD', 'total 199.00 USD']]);
  });

  it('downgrades when the period is over, and may think better of it until then', async () => {
    expect(await user.preview('developer-month-usd')).toMatchObject({
      effectiveAt: '2027-04-30T12:00:00.000Z',
      due: { minorUnits: '2900' },
      prorationAt: null,
    });
    expect(await user.changeTo('developer-month-usd')).toMatchObject({
      subscription: {
        plan: { id: 'team' },
        pendingChange: {
          plan: { id: 'developer' },
          effectiveAt: '2027-04-30T12:00:00.000Z',
          status: 'CONFIRMED',
        },
      },
    });
    expect(await user.changeTo('developer-month-usd')).toMatchObject({ code: 'CHANGE_SCHEDULED' });
    expect(await user.preview('team-month-usd')).toMatchObject({ due: { minorUnits: '0' } });
    expect(await user.changeTo('team-month-usd')).toMatchObject({
      subscription: { plan: { id: 'team' }, pendingChange: null },
    });
    expect(await user.changeTo('team-month-usd')).toMatchObject({ code: 'PLAN_UNCHANGED' });
    await user.changeTo('developer-month-usd');
    await shop.settled();
    expect(await user.news()).toEqual([
      'PlanChangeRequested',
      'PlanChangeScheduled',
      'PlanChangeRequested',
      'PlanChangeUnscheduled',
      'PlanChangeRequested',
      'PlanChangeScheduled',
    ]);
    await shop.advance('2027-04-30T11:00:00Z');
    expect(await user.now()).toMatchObject({ plan: 'team', next: 'developer, CONFIRMED' });
    await shop.advance('2027-04-30T14:00:00Z');
    expect(await user.now()).toEqual({
      plan: 'developer',
      status: 'ACTIVE',
      pays: '2900 USD',
      until: '2027-05-31T12:00:00.000Z',
    });
    // Whether the price or the period is seen first is chance.
    expect((await user.news()).filter((type) => type !== 'PeriodRenewed')).toEqual(['PlanChanged']);
    expect(await user.bills()).toEqual([['1 × Developer (at $29.00 / month): 29.00 USD', 'total 29.00 USD']]);
  });

  it('cancels, resumes, cancels again, and is on the free plan when the period is over', async () => {
    expect(await user.cancel()).toMatchObject({ subscription: { cancelsAt: '2027-05-31T12:00:00.000Z' } });
    expect(await user.cancel()).toMatchObject({ code: 'ALREADY_CANCELLED' });
    expect(await user.resume()).toMatchObject({ subscription: { cancelsAt: null } });
    await user.cancel();
    expect(await user.now()).toMatchObject({ plan: 'developer', cancelsAt: '2027-05-31T12:00:00.000Z' });
    await shop.advance('2027-05-31T14:00:00Z');
    expect(await user.now()).toEqual({ plan: 'free' });
    expect(await user.news()).toEqual([
      'CancellationRequested',
      'CancellationScheduled',
      'ResumptionRequested',
      'CancellationRevoked',
      'CancellationRequested',
      'CancellationScheduled',
      'PaidSubscriptionEnded',
    ]);
    expect(await user.bills()).toEqual([]);
  });

  it('reads its invoices, each line with the events that it comes from', async () => {
    const { data } = await shop.test.query(InvoicesDocument, { first: 4 }, user.token);
    const list = data?.account?.invoices;
    expect(list?.nodes.map(({ status, total }) => [status, total.minorUnits])).toEqual([
      ['PAID', '2900'],
      ['PAID', '19900'],
      ['PAID', '19900'],
      ['PAID', '4857'],
    ]);
    const [, , , upgrade] = list?.nodes ?? [];
    // Our number, in the order of all accounts; Stripe's counts for each customer.
    expect(list?.nodes.map(({ number }) => number)).toEqual([
      'TEST-SPECQL-2027-000006',
      'TEST-SPECQL-2027-000005',
      'TEST-SPECQL-2027-000004',
      'TEST-SPECQL-2027-000003',
    ]);
    expect(upgrade?.paymentReference).toMatch(/^[A-Z0-9]{3,12}-0003$/);
    expect(upgrade?.lines.map(({ kind, total }) => [kind, total.minorUnits])).toEqual([
      ['PRORATION', '-829'],
      ['PRORATION', '5686'],
    ]);
    const all = await allEvents(shop.test.app.parts.store);
    const cited = upgrade?.lines
      .flatMap(({ eventIds }) => eventIds)
      .map((id) => all.find((e) => e.id === id)?.type);
    expect(cited).toEqual(['TrialConverted', 'PlanChanged']);
    const next = { first: 3, after: list?.pageInfo.endCursor ?? null };
    const older = (await shop.test.query(InvoicesDocument, next, user.token)).data?.account?.invoices;
    expect(older?.nodes.map(({ total }) => total.minorUnits)).toEqual(['2900', '0']);
    expect(older?.pageInfo.hasNextPage).toBe(false);
    // Of another account there is nothing to see.
    const stranger = await shop.test.register();
    const id = upgrade?.id ?? '';
    const looked = async (token: string) =>
      (await shop.test.query(InvoiceDocument, { id }, token)).data?.invoice?.id ?? null;
    expect([await looked(user.token), await looked(stranger.token)]).toEqual([id, null]);
  });

  it('subscribes again, this time without a trial', async () => {
    expect((await shop.pay(await user.checkout('developer-year-usd'))).status).toBe(303);
    await shop.settled();
    // Whether the page or the subscription is seen first is chance.
    expect((await user.news()).sort()).toEqual([
      'CheckoutEnded',
      'CheckoutOpened',
      'CheckoutRequested',
      'SubscriptionStarted',
    ]);
    expect(await user.bills()).toEqual([
      ['1 × Developer (at $290.00 / year): 290.00 USD', 'total 290.00 USD'],
    ]);
    expect(await user.now()).toMatchObject({ plan: 'developer', until: '2028-05-31T14:00:00.000Z' });
  });

  it('has had the one trial that its card gives: another account with it pays from the first day', async () => {
    const other = await Subscriber.register(shop);
    await other.subscribe('developer-month-usd');
    expect(await other.now()).toEqual({ plan: 'free' });
    const news = (await other.news()).filter((type) => !type.startsWith('Checkout'));
    expect(news.slice(-2)).toEqual(['TrialStarted', 'PaidSubscriptionEnded']);
    expect(await other.bills()).toEqual([['Free trial for 1 × Developer: 0.00 USD', 'total 0.00 USD']]);
    const mails = (await allEvents(shop.test.app.parts.store)).map(
      ({ data }) => (data as { kind?: string }).kind,
    );
    expect(mails).toContain('trial-refused');
    await other.subscribe('developer-month-usd');
    expect(await other.now()).toMatchObject({ plan: 'developer', status: 'ACTIVE' });
    expect(await other.bills()).toEqual([
      ['1 × Developer (at $29.00 / month): 29.00 USD', 'total 29.00 USD'],
    ]);
    // With a card of its own a third one has its trial, and one that nobody has finished changes nothing.
    const third = await Subscriber.register(shop);
    await third.checkout('team-month-usd');
    await shop.advance('2027-06-01T16:00:00Z');
    expect(await third.news()).toEqual([
      'CustomerRequested',
      'CheckoutRequested',
      'CustomerCreated',
      'CheckoutOpened',
      'CheckoutEnded',
    ]);
    await third.subscribe('developer-month-usd', '5555 5555 5555 4444');
    expect(await third.now()).toMatchObject({ plan: 'developer', status: 'TRIALING' });
  });
});
