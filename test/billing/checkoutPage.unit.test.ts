import type { CheckoutRouteOptions } from '../../src/billing/checkoutRoutes.js';
import { checkoutRoutes } from '../../src/billing/checkoutRoutes.js';
import type { PaidPage } from '../../src/billing/payments.js';
import { PaymentsUnavailable } from '../../src/billing/payments.js';
import { INITIAL } from '../../src/billing/state.js';
import type { RouteCall } from '../../src/rest/route.js';

const SUBSCRIPTION = { kind: 'subscription', accountId: 'a', subscription: 'sub_1' } as const;
const PAGE: PaidPage = {
  status: 'complete',
  url: null,
  paid: true,
  failed: false,
  what: SUBSCRIPTION,
  total: { amount: 2900, currency: 'usd' },
  invoice: 'in_1',
  createdAt: '2027-02-01T12:00:00.000Z',
};
const NOW = Date.parse('2027-02-01T12:05:00Z');
const PAID = { subscription: 'sub_1', plan: 'pro', converted: true };

interface World {
  readonly page?: Partial<PaidPage> | 'none' | 'down';
  readonly billing?: object;
  readonly granted?: string;
  readonly now?: number;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly invoiceOf?: string;
}

/** What is answered at an address, and how the page looks to whoever reads its text alone. */
async function visit(path: string, { page = {}, query, ...world }: World) {
  const options: CheckoutRouteOptions = {
    product: () => 'Shop & <b>Co</b>',
    payments: {
      paidPage: async () => {
        if (page === 'down') throw new PaymentsUnavailable('no answer');
        return page === 'none' ? undefined : { ...PAGE, ...page };
      },
    },
    billingOf: async () => ({ ...INITIAL, ...world.billing }),
    granted: async () => world.granted,
    planName: (plan) => plan.toUpperCase(),
    invoices: {
      find: async (id) => ({ id, account_id: world.invoiceOf ?? 'a' }) as never,
      lines: async () => [],
    },
    seller: () => [],
    buyerOf: async () => [],
    now: () => world.now ?? NOW,
  };
  const route = checkoutRoutes(options).find((one) => one.path === path);
  const call = { query: query ?? { checkout: 'cs_1' } } as unknown as RouteCall;
  const { status, body, headers } = (await route?.handle(call)) ?? { status: 0, body: '' };
  const text = body as string;
  return {
    status,
    title: /<h1>(.*)<\/h1>/.exec(text)?.[1],
    again: /http-equiv="refresh" content="(\d+)"/.exec(text)?.[1],
    links: [...text.matchAll(/<a href="([^"]*)">/g)].map(([, href]) => href),
    text,
    headers,
  };
}
const result = (world: World) => visit('/checkout/result', world);

it('says what to do where the card has had its trial elsewhere', async () => {
  const refused = { over: new Set(['sub_1']), refused: new Set(['sub_1']) };
  const { text } = await result({ page: { invoice: null }, billing: refused });
  expect(text).toContain('start again where you came from: the plan is charged at once then.');
});

describe('the page after paying says', () => {
  it.each<[string, World, { title: string; again?: string; links?: string[]; status?: number }]>([
    ['paid', { billing: { paid: PAID } }, { title: 'Paid', links: ['/checkout/invoice?checkout=cs_1'] }],
    [
      'a trial',
      { billing: { paid: { ...PAID, converted: false, trialEndsAt: '2027-02-15T12:00:00.000Z' } } },
      { title: 'Your trial has begun', links: ['/checkout/invoice?checkout=cs_1'] },
    ],
    ['in a moment', { page: { invoice: null } }, { title: 'The payment is being confirmed', again: '3' }],
    [
      'an older subscription is not this one',
      { page: { invoice: null }, billing: { paid: { ...PAID, subscription: 'sub_0' } } },
      { title: 'The payment is being confirmed', again: '3' },
    ],
    [
      'ended at once',
      { page: { invoice: null }, billing: { over: new Set(['sub_1']), refused: new Set(['sub_1']) } },
      { title: 'The subscription has not begun' },
    ],
    [
      'cancelled months later',
      { page: { invoice: null }, billing: { over: new Set(['sub_1']) } },
      { title: 'This subscription has ended' },
    ],
    [
      'a bank takes days',
      { page: { paid: false, invoice: null } },
      { title: 'The payment is being confirmed', again: '30' },
    ],
    ['refused by the bank', { page: { paid: false, failed: true } }, { title: 'The payment has failed' }],
    [
      'not paid yet',
      { page: { status: 'open', paid: false, url: 'https://pay.example/1', invoice: null } },
      { title: 'Not paid yet', links: ['https://pay.example/1'] },
    ],
    ['too late', { page: { status: 'expired', paid: false, invoice: null } }, { title: 'Not paid in time' }],
    [
      'credits that are there',
      {
        page: { what: { kind: 'credits', accountId: 'a', purchase: 'p' }, invoice: null },
        granted: '50 credits',
      },
      { title: 'Paid' },
    ],
    [
      'credits that are not there yet',
      { page: { what: { kind: 'credits', accountId: 'a', purchase: 'p' }, invoice: null } },
      { title: 'The payment is being confirmed', again: '3' },
    ],
    ['an analysis', { page: { what: { kind: 'analysis' }, invoice: null } }, { title: 'Paid' }],
    ['somebody else’s page', { page: 'none' }, { title: 'No such payment', status: 404 }],
    ['no page', { query: { checkout: '../x' } }, { title: 'No such payment', status: 404 }],
    ['nobody knows', { page: 'down' }, { title: 'One moment', again: '6', status: 503 }],
    ['gone back', { query: {} }, { title: 'You are back' }],
  ])('%s', async (_, world, { title, again, links = [], status = 200 }) => {
    const shown = await result(world);
    expect(shown).toMatchObject({ status, title, links });
    expect(shown.again).toBe(again);
  });

  it('nothing that could run, and nothing that others may keep', async () => {
    const { text, headers } = await result({ billing: { paid: PAID } });
    expect(text).not.toMatch(/<script|<b>|onload/);
    expect(text).toContain('Shop &amp; &lt;b&gt;Co&lt;/b&gt;');
    expect(headers).toMatchObject({
      'cache-control': 'private, no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("default-src 'none'") as string,
    });
  });

  it('no invoice of another account, and none a day later', async () => {
    expect((await result({ billing: { paid: PAID }, invoiceOf: 'b' })).links).toEqual([]);
    expect((await result({ billing: { paid: PAID }, now: NOW + 86_400_000 })).links).toEqual([]);
    await expect(visit('/checkout/invoice', { invoiceOf: 'b' })).rejects.toThrow();
    await expect(visit('/checkout/invoice', { now: NOW + 86_400_000 })).rejects.toThrow();
    await expect(visit('/checkout/invoice', { page: 'none' })).rejects.toThrow();
    await expect(visit('/checkout/invoice', { query: {} })).rejects.toThrow();
  });
});
