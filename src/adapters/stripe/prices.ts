import type Stripe from 'stripe';
import type { Offer, PriceList } from '../../billing/decide.js';
import type { CatalogueEntry } from '../../billing/payments.js';
import { PaymentRefused } from '../../billing/payments.js';
import { moneyText } from '../../money/money.js';
import { asked } from './errors.js';
import type { KnownPrice } from './snapshots.js';

/** What the metadata of our prices at Stripe say. */
const PLAN = 'tollgraph_plan';
const PRICE = 'tollgraph_price';
/** Marks a price that was agreed with one account. */
const AGREED = 'tollgraph_agreed';

const PAGE = 100;
/** Prices of one product that are looked at. */
const MOST = 1_000;

/** The prices of a profile at Stripe: made when they are first needed, and never edited. */
export class StripePrices {
  readonly #ids = new Map<string, string>();
  readonly #known = new Map<string, KnownPrice>();

  /** What the configuration names: a price at Stripe never changes what it costs. */
  readonly #existing = new Map<string, Stripe.Price>();

  /**
   * @param existing prices that are there already, by `<plan>-<interval>`: the first in a currency is sold, and those
   * who pay another one keep it
   */
  constructor(
    private readonly stripe: Stripe,
    private readonly profile: string,
    private readonly existing: ReadonlyMap<string, readonly string[]>,
  ) {}

  /** What a price at Stripe is to us. */
  readonly lookUp = (price: Stripe.Price): KnownPrice | undefined => {
    const known = this.#tell(price);
    if (known) this.#known.set(price.id, known);
    return known;
  };

  /** The same of a price that was seen before, by its id at Stripe. */
  readonly seen = (id: string): KnownPrice | undefined => this.#known.get(id);

  /** Learns what prices are, which are told by their ids alone. */
  async learn(ids: readonly (string | undefined)[]): Promise<void> {
    for (const id of new Set(ids)) {
      if (id === undefined || this.#known.has(id)) continue;
      this.lookUp(await asked(() => this.stripe.prices.retrieve(id)));
    }
  }

  /** The id of an offer's price. @throws PaymentsUnavailable */
  async idOf(offer: Offer): Promise<string> {
    const named = await this.#sold(offer);
    if (named !== undefined) return named;
    const key = `${offer.id}:${offer.amount}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    return this.make(offer);
  }

  /** Makes an offer's price where there is none, whatever was known of it. @returns its id @throws PaymentsUnavailable */
  async make(offer: Offer): Promise<string> {
    const named = await this.#sold(offer);
    if (named !== undefined) return named;
    const all = await this.#underName(offer.id);
    const id = all.find((price) => isPriceOf(price, offer))?.id ?? (await this.#create(offer, all[0]?.id));
    this.#ids.set(`${offer.id}:${offer.amount}`, id);
    this.#known.set(id, { plan: offer.plan, price: offer.id });
    return id;
  }

  /** What there is of the offers at Stripe, and what Stripe still has of what is offered no more. */
  async catalogue({ offers, plans: all }: PriceList): Promise<CatalogueEntry[]> {
    const entries: CatalogueEntry[] = [];
    const plans = [
      ...new Set(offers.filter((offer) => this.#idsOf(offer).length === 0).map(({ plan }) => plan)),
    ];
    // A plan without a price of its own may have agreed ones.
    const products = await this.#productsOf(all);
    for (const plan of plans) {
      const existing = products.has(plan) ? this.#productId(plan) : null;
      const state = existing === null ? 'missing' : 'current';
      entries.push({ kind: 'product', id: plan, existing, state, detail: '' });
    }
    for (const offer of offers) entries.push(await this.#entryOf(offer));
    const offered = new Set(offers.map(({ id }) => id));
    for (const plan of products) {
      const product = this.#productId(plan);
      const listed = await asked(() =>
        this.stripe.prices.list({ product, active: true, limit: PAGE }).autoPagingToArray({ limit: MOST }),
      );
      for (const price of listed) {
        const id = price.metadata[PRICE];
        if (id === undefined || offered.has(id)) continue;
        const detail = textOf(price);
        const state = price.metadata[AGREED] === undefined ? 'retired' : 'agreed';
        entries.push({ kind: 'price', id, existing: price.id, state, detail });
      }
    }
    return entries;
  }

  async #entryOf(offer: Offer): Promise<CatalogueEntry> {
    const { id } = offer;
    const entry = { kind: 'price', id, detail: textOf(offerPrice(offer)) } as const;
    const named = await this.#named(offer);
    if (named) {
      if (isPriceOf(named, offer)) return { ...entry, existing: named.id, state: 'current' };
      return { ...entry, existing: named.id, state: 'wrong', detail: mismatchOf(named, offer) };
    }
    const all = await this.#underName(id);
    const current = all.find((price) => isPriceOf(price, offer));
    if (current) return { ...entry, existing: current.id, state: 'current' };
    const [other] = all;
    if (!other) return { ...entry, existing: null, state: 'missing' };
    const detail = `${entry.detail}, so far ${textOf(other)}`;
    return { ...entry, existing: other.id, state: 'outdated', detail };
  }

  /** Active prices that go by the name of ours. */
  async #underName(id: string): Promise<Stripe.Price[]> {
    const { data } = await asked(() =>
      this.stripe.prices.list({ lookup_keys: [this.#lookupKey(id)], active: true }),
    );
    return data;
  }

  /** The prices that the configuration names for an offer, of whatever currency. */
  #idsOf({ plan, interval, agreed }: Offer): readonly string[] {
    return (agreed ? undefined : this.existing.get(`${plan}-${interval}`)) ?? [];
  }

  /** The first of them in the currency of the offer; the first of all where none is. */
  async #named(offer: Offer): Promise<Stripe.Price | undefined> {
    const named: Stripe.Price[] = [];
    for (const id of this.#idsOf(offer)) {
      const price = this.#existing.get(id) ?? (await asked(() => this.stripe.prices.retrieve(id)));
      this.#existing.set(id, price);
      if (price.currency === offer.currency) return price;
      named.push(price);
    }
    return named[0];
  }

  /** Its id. @throws PaymentRefused where it costs something else than the offer */
  async #sold(offer: Offer): Promise<string | undefined> {
    const named = await this.#named(offer);
    if (named && !isPriceOf(named, offer)) {
      throw new PaymentRefused('price_differs', mismatchOf(named, offer), false);
    }
    return named?.id;
  }

  /** @param former the price that has had the name, and keeps its subscribers */
  async #create({ id, plan, amount, currency, interval, agreed }: Offer, former = 'none'): Promise<string> {
    const product = await this.#product(plan);
    const price = await asked(() =>
      this.stripe.prices.create(
        {
          product,
          currency,
          unit_amount: amount,
          recurring: { interval },
          lookup_key: this.#lookupKey(id),
          transfer_lookup_key: true,
          metadata: { [PLAN]: plan, [PRICE]: id, ...(agreed && { [AGREED]: 'true' }) },
        },
        { idempotencyKey: `tollgraph:price:${this.profile}:${id}:${amount}:${former}` },
      ),
    );
    return price.id;
  }

  /** The products of plans, as far as their prices have some: what a discount on them applies to. */
  async productsOf(plans: readonly string[], offers: readonly Offer[]): Promise<string[]> {
    const products = new Set<string>();
    for (const offer of offers.filter(({ plan }) => plans.includes(plan))) {
      const named = await this.#named(offer);
      if (!named) products.add(await this.#product(offer.plan));
      else {
        const { product } = named;
        products.add(typeof product === 'string' ? product : product.id);
      }
    }
    return [...products].sort();
  }

  async #product(plan: string): Promise<string> {
    const id = this.#productId(plan);
    if ((await this.#productsOf([plan])).has(plan)) return id;
    const name = plan.charAt(0).toUpperCase() + plan.slice(1);
    await asked(() =>
      this.stripe.products.create(
        { id, name, metadata: { [PLAN]: plan } },
        { idempotencyKey: `tollgraph:product:${id}` },
      ),
    );
    return id;
  }

  /** Those of the plans that have a product. */
  async #productsOf(plans: readonly string[]): Promise<ReadonlySet<string>> {
    if (plans.length === 0) return new Set();
    const ids = plans.map((plan) => this.#productId(plan));
    const { data } = await asked(() => this.stripe.products.list({ ids, limit: PAGE }));
    return new Set(plans.filter((plan) => data.some(({ id }) => id === this.#productId(plan))));
  }

  #productId(plan: string): string {
    return `tollgraph-${this.profile}-${plan}`;
  }

  #tell(price: Stripe.Price): KnownPrice | undefined {
    const { [PLAN]: plan, [PRICE]: ours } = price.metadata;
    if (plan !== undefined && ours !== undefined) return { plan, price: ours };
    for (const [name, ids] of this.existing) {
      if (!ids.includes(price.id)) continue;
      const place = name.lastIndexOf('-');
      return { plan: name.slice(0, place), price: `${name}-${price.currency}` };
    }
    return undefined;
  }

  #lookupKey(id: string): string {
    return `${this.profile}:${id}`;
  }
}

type Amount = Pick<Stripe.Price, 'unit_amount' | 'currency'> & {
  readonly recurring: { readonly interval: string } | null;
};

const offerPrice = ({ amount, currency, interval }: Offer): Amount => ({
  unit_amount: amount,
  currency,
  recurring: { interval },
});

const isPriceOf = (price: Amount, offer: Offer): boolean => textOf(price) === textOf(offerPrice(offer));

const mismatchOf = (price: Stripe.Price, offer: Offer): string =>
  `${price.id} is ${textOf(price)}, and the profile says ${textOf(offerPrice(offer))}`;

/** For people, and for comparing: `29.00 USD a month`. */
const textOf = ({ unit_amount: amount, currency, recurring }: Amount): string =>
  `${moneyText({ amount: amount ?? 0, currency })}${recurring ? ` a ${recurring.interval}` : ' once'}`;
