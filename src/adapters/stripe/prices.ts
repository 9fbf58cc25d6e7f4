import type Stripe from 'stripe';
import type { Offer } from '../../billing/decide.js';
import { asked } from './errors.js';
import type { KnownPrice } from './snapshots.js';

/** What the metadata of our prices at Stripe say. */
const PLAN = 'tollgraph_plan';
const PRICE = 'tollgraph_price';

/** The prices of a profile at Stripe: made when they are first needed, and never edited. */
export class StripePrices {
  readonly #ids = new Map<string, string>();
  readonly #known = new Map<string, KnownPrice>();

  /** @param existing prices that are there already, by `<plan>-<interval>` */
  constructor(
    private readonly stripe: Stripe,
    private readonly profile: string,
    private readonly existing: ReadonlyMap<string, string>,
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
    const existing = this.existing.get(`${offer.plan}-${offer.interval}`);
    if (existing !== undefined) return existing;
    const key = `${offer.id}:${offer.amount}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = (await this.#find(offer)) ?? (await this.#create(offer));
    this.#ids.set(key, id);
    this.#known.set(id, { plan: offer.plan, price: offer.id });
    return id;
  }

  async #find({ id, amount, currency, interval }: Offer): Promise<string | undefined> {
    const { data } = await asked(() =>
      this.stripe.prices.list({ lookup_keys: [this.#lookupKey(id)], active: true }),
    );
    return data.find(
      (price) =>
        price.unit_amount === amount && price.currency === currency && price.recurring?.interval === interval,
    )?.id;
  }

  async #create({ id, plan, amount, currency, interval }: Offer): Promise<string> {
    const product = await this.#product(plan);
    const price = await asked(() =>
      this.stripe.prices.create(
        {
          product,
          currency,
          unit_amount: amount,
          recurring: { interval },
          lookup_key: this.#lookupKey(id),
          // An earlier price keeps its subscribers, and loses its name.
          transfer_lookup_key: true,
          metadata: { [PLAN]: plan, [PRICE]: id },
        },
        { idempotencyKey: `tollgraph:price:${this.profile}:${id}:${amount}` },
      ),
    );
    return price.id;
  }

  async #product(plan: string): Promise<string> {
    const id = `tollgraph-${this.profile}-${plan}`;
    const { data } = await asked(() => this.stripe.products.list({ ids: [id] }));
    if (data.length > 0) return id;
    const name = plan.charAt(0).toUpperCase() + plan.slice(1);
    await asked(() =>
      this.stripe.products.create(
        { id, name, metadata: { [PLAN]: plan } },
        { idempotencyKey: `tollgraph:product:${id}` },
      ),
    );
    return id;
  }

  #tell(price: Stripe.Price): KnownPrice | undefined {
    const { [PLAN]: plan, [PRICE]: ours } = price.metadata;
    if (plan !== undefined && ours !== undefined) return { plan, price: ours };
    for (const [name, id] of this.existing) {
      if (id !== price.id) continue;
      const place = name.lastIndexOf('-');
      return { plan: name.slice(0, place), price: `${name}-${price.currency}` };
    }
    return undefined;
  }

  #lookupKey(id: string): string {
    return `${this.profile}:${id}`;
  }
}
