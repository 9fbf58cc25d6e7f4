import fc from 'fast-check';
import Stripe from 'stripe';
import { subscriptionStream } from '../../src/plans/events.js';
import type { BillingEvent } from '../../src/billing/events.js';
import { as } from '../../src/eventsourcing/event.js';
import { ApiError } from '../../src/sandbox/errors.js';
import type { Shop } from './shop.js';

/** What an account, its back end, an operator or somebody at Stripe's dashboard does. */
export type Action =
  | { readonly does: 'subscribe' | 'change'; readonly price: string }
  | { readonly does: 'cancel' | 'cancel now' | 'pause' | 'resume' | 'reset' }
  /** An operator agrees a price, and the account pays it from then on. */
  | { readonly does: 'agree'; readonly plan: 'starter' | 'pro'; readonly amount: number }
  | { readonly does: 'withdraw' }
  | { readonly does: 'allow'; readonly allowed: boolean }
  | { readonly does: 'use'; readonly quantity: number; readonly hoursAgo: number }
  | { readonly does: 'take back' | 'refund credits'; readonly which: number }
  | { readonly does: 'grant'; readonly amount: number; readonly days: number | null }
  | { readonly does: 'buy'; readonly pack: string }
  | { readonly does: 'coupon'; readonly coupon: 'tenth' | 'third' | 'seven' }
  | { readonly does: 'tax'; readonly included: boolean }
  | { readonly does: 'balance' | 'item'; readonly amount: number }
  | { readonly does: 'credit note' | 'refund'; readonly which: number; readonly amount: number }
  | { readonly does: 'decline'; readonly times: number }
  | { readonly does: 'pause there' | 'resume there' | 'cancel there' | 'void' }
  /** The customer asks the bank to take a payment back, and the bank decides, now or later. */
  | { readonly does: 'dispute'; readonly which: number }
  | { readonly does: 'decide'; readonly outcome: 'won' | 'lost' };

/** What somebody does at Stripe, and not here. */
type ActionAtStripe = Extract<
  Action,
  {
    does:
      | 'balance'
      | 'cancel there'
      | 'coupon'
      | 'credit note'
      | 'decline'
      | 'dispute'
      | 'item'
      | 'pause there'
      | 'refund'
      | 'resume there'
      | 'tax'
      | 'void';
  }
>;

const PRICES = ['starter-month-usd', 'pro-month-usd'] as const;
const price = fc.constantFrom(...PRICES);
const which = fc.nat({ max: 9 });

const always = <D extends Action['does']>(does: D) => fc.constant(does);

/** Use is frequent, since it is what most money comes from; all else happens in most histories. */
export const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.record({
      does: always('use'),
      quantity: fc.integer({ min: 1, max: 700 }),
      hoursAgo: fc.constantFrom(0, 0, 1, 30, 150),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: always('change'), price }) },
  { weight: 2, arbitrary: fc.record({ does: always('take back'), which }) },
  { weight: 1, arbitrary: fc.record({ does: always('subscribe'), price }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('cancel', 'cancel now', 'reset') }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('pause', 'pause there') }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('resume', 'resume', 'resume there') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: always('agree'),
      plan: fc.constantFrom('starter', 'pro'),
      amount: fc.integer({ min: 1_500, max: 12_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: always('withdraw') }) },
  { weight: 1, arbitrary: fc.record({ does: always('allow'), allowed: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: always('grant'),
      amount: fc.integer({ min: 1, max: 90 }),
      days: fc.constantFrom(null, 5, 20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: always('buy'), pack: fc.constantFrom('fifty', 'forty') }) },
  { weight: 1, arbitrary: fc.record({ does: always('refund credits'), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: always('coupon'), coupon: fc.constantFrom('tenth', 'third', 'seven') }),
  },
  { weight: 1, arbitrary: fc.record({ does: always('tax'), included: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constantFrom('balance', 'item'),
      amount: fc.integer({ min: -900, max: 900 }).filter((amount) => amount !== 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom('credit note', 'refund'),
      which,
      amount: fc.integer({ min: 1, max: 700 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: always('decline'), times: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('cancel there', 'void') }) },
  { weight: 1, arbitrary: fc.record({ does: always('dispute'), which }) },
  { weight: 1, arbitrary: fc.record({ does: always('decide'), outcome: fc.constantFrom('won', 'lost') }) },
);

/** Each gives one trial, whichever account it pays for. */
const CARDS = ['4242 4242 4242 4242', '5555 5555 5555 4444', '3782 822463 10005'] as const;

/** An account whose story is generated. What is refused is refused: it is a history all the same. */
export class Customer {
  readonly #uses: string[] = [];
  #calls = 0;
  /** Prices that were agreed with it, oldest first. */
  readonly agreed: string[] = [];
  /** Of the payment that was disputed last. */
  #disputed: string | undefined;

  private constructor(
    private readonly shop: Shop,
    private readonly stripe: Stripe,
    readonly token: string,
    readonly accountId: string,
    /** Of an operator. */
    private readonly backEnd: string,
    private readonly card: string,
  ) {}

  static async register(shop: Shop, backEnd: string, place: number): Promise<Customer> {
    const { token, accountId } = await shop.test.register();
    const stripe = new Stripe(shop.sandbox.apiKey, { ...shop.sandbox.client, maxNetworkRetries: 0 });
    return new Customer(shop, stripe, token, accountId, backEnd, CARDS[place % CARDS.length] as string);
  }

  /** @throws Error for what was neither done nor refused */
  async do(one: Action): Promise<void> {
    switch (one.does) {
      case 'subscribe':
        return this.#subscribe(one.price);
      case 'change':
        return void (await this.#change(one.price));
      case 'agree': {
        const { plan: planId, amount: minorUnits } = one;
        const terms = { planId, minorUnits, interval: 'MONTH', currency: 'USD', reason: 'contract' };
        const input = { accountId: this.accountId, ...terms };
        const answer = 'OperatorPricePayload { price { id } }';
        const made = await this.#ask('operatorAgreePrice', answer, input, this.backEnd);
        if (made === undefined) return;
        const { id } = (made as { price: { id: string } }).price;
        this.agreed.push(id);
        if (!(await this.#change(id))) await this.#subscribe(id);
        return;
      }
      case 'withdraw': {
        const priceId = this.agreed.at(-1);
        if (priceId === undefined) return;
        const input = { accountId: this.accountId, priceId, reason: 'over' };
        const answer = 'OperatorPricePayload { position }';
        return void (await this.#ask('operatorWithdrawPrice', answer, input, this.backEnd));
      }
      case 'cancel':
        return void (await this.#ask('cancelSubscription', 'SubscriptionPayload { position }', {}));
      case 'cancel now':
        return void (await this.#ask('cancelSubscription', 'SubscriptionPayload { position }', {
          when: 'NOW',
        }));
      case 'pause':
        return void (await this.#ask('pauseSubscription', 'SubscriptionPayload { position }', {}));
      case 'resume':
        return void (await this.#ask('resumeSubscription', 'SubscriptionPayload { position }', {}));
      case 'allow':
        return void (await this.#ask('setOverage', 'SetOveragePayload { position }', {
          allowed: one.allowed,
        }));
      case 'use':
        return this.#use(one.quantity, one.hoursAgo);
      case 'take back': {
        const useId = this.#uses[one.which % Math.max(1, this.#uses.length)];
        if (useId === undefined) return;
        const input = { useId, accountId: this.accountId, reason: 'counted twice' };
        return void (await this.#ask('correctUsage', 'CorrectUsagePayload { useId }', input, this.backEnd));
      }
      case 'reset': {
        const input = { accountId: this.accountId, window: 'BILLING_PERIOD', reason: 'a gift' };
        const answer = 'OperatorResetQuotaPayload { accountId }';
        return void (await this.#ask('operatorResetQuota', answer, input, this.backEnd));
      }
      case 'grant': {
        const expires = one.days === null ? {} : { expiresAt: this.#midnightIn(one.days) };
        const input = { accountId: this.accountId, amount: one.amount, reason: 'welcome', ...expires };
        const answer = 'OperatorCreditsPayload { grant { id } }';
        return void (await this.#ask('operatorGrantCredits', answer, input, this.backEnd));
      }
      case 'buy': {
        const url = await this.#ask('buyCredits', 'BuyCreditsPayload { url }', { packId: one.pack });
        if (url !== undefined) await this.#pay((url as { url: string }).url);
        return;
      }
      case 'refund credits': {
        const grants = await this.#grants();
        const grantId = grants[one.which % Math.max(1, grants.length)];
        if (grantId === undefined) return;
        const input = { accountId: this.accountId, grantId, reason: 'asked for' };
        const answer = 'OperatorCreditsPayload { grant { id } }';
        return void (await this.#ask('operatorRefundCredits', answer, input, this.backEnd));
      }
      case 'decide':
        return this.#atBank(async (payment) => this.shop.sandbox.dispute(payment, one.outcome));
      case 'balance':
      case 'cancel there':
      case 'coupon':
      case 'credit note':
      case 'decline':
      case 'dispute':
      case 'item':
      case 'pause there':
      case 'refund':
      case 'resume there':
      case 'tax':
      case 'void':
        return this.#atStripe(one);
    }
  }

  /** @returns whether it was done */
  async #change(priceId: string): Promise<boolean> {
    return (await this.#ask('changePlan', 'SubscriptionPayload { position }', { priceId })) !== undefined;
  }

  async #subscribe(priceId: string): Promise<void> {
    const page = await this.#ask('startCheckout', 'StartCheckoutPayload { url }', { priceId });
    if (page !== undefined) await this.#pay((page as { url: string }).url);
  }

  /** What is closed, or was disputed already, stays as it is. */
  async #atBank(what: (payment: string) => Promise<void>): Promise<void> {
    if (this.#disputed === undefined) return;
    try {
      await what(this.#disputed);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** What somebody does at Stripe's dashboard, as far as Stripe lets them. */
  async #atStripe(one: ActionAtStripe) {
    const { customer, subscription } = await this.#known();
    if (customer === undefined) return;
    const { stripe } = this;
    try {
      switch (one.does) {
        case 'coupon':
          if (subscription !== undefined)
            await stripe.subscriptions.update(subscription, { discounts: [{ coupon: one.coupon }] });
          return;
        case 'tax':
          if (subscription !== undefined)
            await stripe.subscriptions.update(subscription, {
              default_tax_rates: [await taxRate(stripe, one.included)],
            });
          return;
        case 'balance':
          await stripe.customers.createBalanceTransaction(customer, { amount: one.amount, currency: 'usd' });
          return;
        case 'item':
          await stripe.invoiceItems.create({
            customer,
            amount: one.amount,
            currency: 'usd',
            description: 'As agreed on the telephone',
          });
          return;
        case 'credit note': {
          const { data } = await stripe.invoices.list({ customer, limit: 100 });
          const noted = data.filter(
            ({ status, total }) => ['open', 'paid'].includes(status ?? '') && total > 0,
          );
          const invoice = noted[one.which % Math.max(1, noted.length)];
          if (!invoice) return;
          const back =
            invoice.status !== 'paid'
              ? {}
              : invoice.amount_paid >= one.amount
                ? { refund_amount: one.amount }
                : { credit_amount: one.amount };
          await stripe.creditNotes.create({ invoice: invoice.id, amount: one.amount, ...back });
          return;
        }
        case 'refund': {
          const { data } = await stripe.charges.list({ customer, limit: 100 });
          const paid = data.filter(({ status }) => status === 'succeeded');
          const charge = paid[one.which % Math.max(1, paid.length)];
          if (charge) await stripe.refunds.create({ charge: charge.id, amount: one.amount });
          return;
        }
        case 'dispute': {
          const { data } = await stripe.charges.list({ customer, limit: 100 });
          const paid = data.filter(({ status }) => status === 'succeeded');
          const charge = paid[one.which % Math.max(1, paid.length)];
          if (!charge) return;
          this.#disputed = charge.payment_intent as string;
          return await this.#atBank((payment) => this.shop.sandbox.dispute(payment));
        }
        case 'pause there':
          if (subscription !== undefined) await stripe.subscriptions.pause(subscription);
          return;
        case 'resume there':
          if (subscription !== undefined) await stripe.subscriptions.resume(subscription);
          return;
        case 'cancel there':
          if (subscription !== undefined) await stripe.subscriptions.cancel(subscription);
          return;
        case 'decline':
          this.shop.sandbox.faults.declineCharges('generic_decline', one.times, customer);
          return;
        case 'void': {
          const { data } = await stripe.invoices.list({ customer, status: 'open', limit: 1 });
          const [open] = data;
          if (open) await stripe.invoices.voidInvoice(open.id);
        }
      }
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error;
    }
  }

  /** Its name at Stripe; undefined before it has one. */
  async customer(): Promise<string | undefined> {
    return (await this.#known()).customer;
  }

  async #use(quantity: number, hoursAgo: number): Promise<void> {
    const useId = `${this.accountId}-${++this.#calls}`;
    const at = new Date(this.shop.sandbox.now() - hoursAgo * 3_600_000).toISOString();
    const use = { useId, accountId: this.accountId, meter: 'calls', quantity, at };
    await this.#ask(
      'recordUsage',
      'RecordUsagePayload { results { status } }',
      { uses: [use] },
      this.backEnd,
    );
    this.#uses.push(useId);
  }

  async #pay(url: string): Promise<void> {
    const { status } = await this.shop.pay(url, this.card);
    if (status !== 303 && status !== 402) throw new Error(`the page answered ${status}`);
  }

  async #grants(): Promise<string[]> {
    const { data } = await this.shop.test.raw('{ account { credits { grants { id } } } }', {}, this.token);
    const { account } = data as { account: { credits: { grants: { id: string }[] } | null } };
    return account.credits?.grants.map(({ id }) => id) ?? [];
  }

  async #known(): Promise<{ customer: string | undefined; subscription: string | undefined }> {
    let [customer, subscription]: (string | undefined)[] = [];
    for (const stored of await this.shop.test.app.parts.commands.load(subscriptionStream(this.accountId))) {
      const { type, data } = as<BillingEvent>(stored);
      if (type === 'CustomerCreated') customer = data.customer;
      if (type === 'TrialStarted' || type === 'SubscriptionStarted') subscription = data.subscription;
      if (type === 'PaidSubscriptionEnded') subscription = undefined;
    }
    return { customer, subscription };
  }

  #midnightIn(days: number): string {
    const day = 86_400_000;
    return new Date((Math.floor(this.shop.sandbox.now() / day) + days) * day).toISOString();
  }

  /** @returns the payload; undefined where it was refused */
  async #ask(mutation: string, payload: string, input: object, credential = this.token): Promise<unknown> {
    const own = `${mutation[0]?.toUpperCase() ?? ''}${mutation.slice(1)}Input`;
    const type = mutation === 'operatorRefundCredits' ? 'OperatorCreditsInput' : own;
    const query = `mutation ($input: ${type}!) {
      ${mutation}(input: $input) { __typename ... on ${payload} ... on Refusal { code message } }
    }`;
    const { data, errors } = await this.shop.test.raw(query, { input }, credential);
    const answer = data?.[mutation] as { __typename: string; code?: string } | null | undefined;
    if (errors || !answer) throw new Error(`${mutation}: ${JSON.stringify(errors ?? data)}`);
    return answer.code === undefined ? answer : undefined;
  }
}

/** What Stripe has to know before anybody can use it: coupons, under their names, and taxes. */
export async function openDesk(shop: Shop): Promise<void> {
  const stripe = new Stripe(shop.sandbox.apiKey, shop.sandbox.client);
  await stripe.coupons.create({ id: 'tenth', percent_off: 10, duration: 'forever' });
  await stripe.coupons.create({
    id: 'third',
    percent_off: 33.3,
    duration: 'repeating',
    duration_in_months: 2,
  });
  await stripe.coupons.create({ id: 'seven', amount_off: 777, currency: 'usd', duration: 'once' });
  await stripe.taxRates.create({ display_name: 'VAT', inclusive: false, percentage: 19 });
  await stripe.taxRates.create({ display_name: 'GST', inclusive: true, percentage: 7.7 });
}

async function taxRate(stripe: Stripe, included: boolean): Promise<string> {
  const { data } = await stripe.taxRates.list({ limit: 10 });
  const found = data.find(({ inclusive }) => inclusive === included);
  if (!found) throw new Error('there are no taxes');
  return found.id;
}
