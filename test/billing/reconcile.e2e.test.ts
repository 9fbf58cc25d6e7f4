import Stripe from 'stripe';
import { askProcess, Refused } from '../../src/cli/client.js';
import type { CliCommand, CliContext } from '../../src/cli/command.js';
import { reconcile } from '../../src/cli/commands/reconcile.js';
import { stripeSync } from '../../src/cli/commands/stripeSync.js';
import { shownId } from '../../src/graphql/kit/ids.js';
import { PricesDocument, SubscriptionDocument } from '../generated/graphql.js';
import type { Shop } from './shop.js';
import { openShop } from './shop.js';
import { Subscriber } from './subscriber.js';

let shop: Shop;
let stripe: Stripe;
let user: Subscriber;
beforeAll(async () => {
  shop = await openShop('2027-01-17T12:00:00Z');
  stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client });
  user = await Subscriber.register(shop);
});
afterAll(() => shop.close());

/** Runs a command as the command line does. @returns what it prints, and why it ends with 1 */
async function run(
  command: CliCommand,
  values: Record<string, string | boolean> = {},
): Promise<{ text: string; refused?: string }> {
  const printed: string[] = [];
  const { dataDir } = shop.test.place;
  const context: CliContext = {
    env: {},
    root: '',
    ask: async <R>(name: string, args: object) =>
      (await askProcess(dataDir, { command: name, args }, () => undefined)) as R,
    print: (text) => printed.push(text),
  };
  const text = (): string => printed.join('\n');
  try {
    await command.run({ positionals: [], values }, context);
    return { text: text() };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { text: text(), refused: error.message };
  }
}

const pricesOf = async (plan: string): Promise<Stripe.Price[]> =>
  (await stripe.prices.list({ product: `tollgraph-specql-${plan}`, limit: 100 })).data;

describe('stripe:sync', () => {
  it('says what it will make, makes it, and then makes nothing', async () => {
    const before = await run(stripeSync);
    expect(before.text).toMatch(/^product +developer +– +to be made$/m);
    expect(before.text).toMatch(/^price +team-year-usd +– +to be made +1990\.00 USD a year$/m);
    expect(before.text).toContain('9 to be made in test mode: --yes makes them.');
    expect((await stripe.products.list()).data).toEqual([]);
    expect((await run(stripeSync, { yes: true })).text).toContain('9 made in test mode.');
    const made = await pricesOf('team');
    expect(made.map(({ unit_amount: amount }) => amount).sort()).toEqual([19_900, 199_000]);
    expect((await run(stripeSync, { yes: true })).text).toContain('Nothing is to be made.');
    expect(await pricesOf('team')).toEqual(made);
  });

  it('makes a new price where the amount is another one, and leaves the old one to those who pay it', async () => {
    // So it was once: 180 dollars, and a price by the week.
    const old = await stripe.prices.create({
      product: 'tollgraph-specql-team',
      currency: 'usd',
      unit_amount: 18_000,
      recurring: { interval: 'month' },
      lookup_key: 'specql:team-month-usd',
      transfer_lookup_key: true,
      metadata: { tollgraph_plan: 'team', tollgraph_price: 'team-month-usd' },
    });
    await stripe.prices.create({
      product: 'tollgraph-specql-team',
      currency: 'usd',
      unit_amount: 5_000,
      recurring: { interval: 'week' },
      metadata: { tollgraph_plan: 'team', tollgraph_price: 'team-week-usd' },
    });
    const { text } = await run(stripeSync);
    expect(text).toMatch(
      new RegExp(
        `^price +team-month-usd +${old.id} +a new price, the old one stays +199\\.00 USD a month, so far 180\\.00 USD a month$`,
        'm',
      ),
    );
    expect(text).toMatch(/^price +team-week-usd +\S+ +not sold any more, stays +50\.00 USD a week$/m);
    await run(stripeSync, { yes: true });
    expect((await run(stripeSync)).text).toContain('Nothing is to be made.');
    const { lookup_key: _, ...kept } = await stripe.prices.retrieve(old.id);
    expect(kept).toMatchObject({ unit_amount: 18_000, active: true });
    const [named] = (await stripe.prices.list({ lookup_keys: ['specql:team-month-usd'] })).data;
    expect(named?.unit_amount).toBe(19_900);
  });
});

describe('reconcile', () => {
  it('finds nothing where every webhook has come', async () => {
    await user.subscribe('developer-month-usd');
    await shop.advance('2027-01-29T00:00:00Z');
    expect(await run(reconcile)).toEqual({ text: '1 account was compared: nothing differs.' });
  });

  it('lists what nobody has heard of, changes nothing, and repairs it when it is told to', async () => {
    shop.sandbox.faults.disturbDeliveries('dropped', 1_000);
    await shop.advance('2027-02-28T14:00:00Z');
    shop.sandbox.faults.clear();
    const events = await shop.test.events();
    const { text, refused } = await run(reconcile);
    const account = shownId('Account', user.accountId);
    for (const what of [
      'TrialConverted +developer-month-usd until 2027-03-31T12:00:00.000Z',
      'InvoiceFinalised +\\S+: 29.00 USD',
      'InvoicePaid +\\S+: 29.00 USD',
    ]) {
      expect(text).toMatch(new RegExp(`^${account} +${what}`, 'm'));
    }
    expect(refused).toMatch(/^1 account was compared; 3 differences are left\. --repair records/);
    expect(await shop.test.events()).toBe(events);
    expect(await user.now()).toMatchObject({ status: 'TRIALING' });

    const repaired = await run(reconcile, { repair: true, account });
    expect(repaired.text).toContain('all that differed is repaired.');
    await shop.settled();
    expect(await user.now()).toMatchObject({ status: 'ACTIVE', until: '2027-03-31T12:00:00.000Z' });
    // That of March is a draft for three days, since nobody has answered.
    expect((await user.bills()).slice(1)).toEqual([
      ['1 × Developer (at $29.00 / month): 29.00 USD', 'total 29.00 USD'],
    ]);
    expect(await run(reconcile)).toEqual({ text: '1 account was compared: nothing differs.' });
  });

  it('ends the second subscription of an account that pays twice', async () => {
    shop.sandbox.faults.disturbDeliveries('dropped', 1_000);
    const [first] = (await stripe.subscriptions.list()).data;
    const { price } = first?.items.data[0] ?? {};
    await stripe.subscriptions.create({
      customer: first?.customer as string,
      items: [{ price: price?.id ?? '' }],
      default_payment_method: first?.default_payment_method as string,
    });
    await shop.settled();
    shop.sandbox.faults.clear();
    const { text } = await run(reconcile, { repair: true });
    expect(text).toMatch(/pays more than once +sub_\S+, sub_\S+/);
    expect(text).toContain('all that differed is repaired.');
    expect((await stripe.subscriptions.list()).data.map(({ id }) => id)).toEqual([first?.id]);
  });
});

it('shows a price that is sold at another amount by now under an id of its own', async () => {
  const old = (await pricesOf('team')).find(({ unit_amount: amount }) => amount === 18_000);
  const [paid] = (await stripe.subscriptions.list()).data;
  await stripe.subscriptions.update(paid?.id ?? '', {
    items: [{ id: paid?.items.data[0]?.id ?? '', price: old?.id ?? '' }],
    proration_behavior: 'none',
  });
  await shop.settled();
  const amounts = async (): Promise<Record<string, string>> => {
    const { data } = await shop.test.query(SubscriptionDocument, {}, user.token);
    const { data: sold } = await shop.test.query(PricesDocument, {}, user.token);
    const all = [data?.account?.subscription?.price, ...(sold?.prices ?? [])];
    // As a cache keeps them that goes by their ids.
    return Object.fromEntries(all.flatMap((one) => (one ? [[one.id, String(one.amount.minorUnits)]] : [])));
  };
  expect(await amounts()).toMatchObject({
    'team-month-usd': '19900',
    'team-month-usd-18000': '18000',
  });
  // By that id a change that is to come is taken back.
  await user.changeTo('developer-month-usd');
  expect(await user.now()).toMatchObject({ plan: 'team', next: 'developer, CONFIRMED' });
  await user.changeTo('team-month-usd-18000');
  expect(await user.now()).toEqual({
    plan: 'team',
    status: 'ACTIVE',
    pays: '18000 USD',
    until: '2027-03-31T12:00:00.000Z',
  });
  expect(await user.changeTo('team-month-usd')).toMatchObject({
    code: 'PLAN_UNCHANGED',
    message: 'The account has this plan already, and keeps the price that it was sold at.',
  });
});
