import type Stripe from 'stripe';
import { createHash } from 'node:crypto';
import type { Coupon } from '../../billing/decideCoupon.js';
import type { Offer } from '../../billing/decide.js';
import type { CatalogueEntry, Shelf } from '../../billing/payments.js';
import { PaymentRefused } from '../../billing/payments.js';
import { canonicalJson } from '../../canonicalJson.js';
import { moneyText } from '../../money/money.js';
import { asked } from './errors.js';
import type { StripePrices } from './prices.js';
import type { KnownCoupon } from './snapshots.js';

/** Our code, in the metadata of a coupon at Stripe. */
const COUPON = 'tollgraph_coupon';

const PAGE = 100;
/** So many of Stripe's coupons are looked at. */
const MOST = 1_000;

/**
 * The coupons of a profile at Stripe: made when they are first needed, and never edited, which Stripe does not allow.
 * The id holds a hash of the terms: where the profile changes them there is a new coupon under the same code, and
 * whoever has redeemed the old one keeps it.
 */
export class StripeCoupons {
  readonly #made = new Set<string>();
  readonly #known = new Map<string, KnownCoupon>();

  constructor(
    private readonly stripe: Stripe,
    private readonly profile: string,
    private readonly prices: StripePrices,
  ) {}

  /** What a coupon is that was learned before, by its id at Stripe. */
  readonly seen = (id: string): KnownCoupon | undefined => this.#known.get(id);

  /** Learns what coupons are, which are told by their ids alone. One that was deleted stays unknown. */
  async learn(ids: readonly (string | undefined)[]): Promise<void> {
    for (const id of new Set(ids)) {
      if (id === undefined || this.#known.has(id)) continue;
      const coupon = await this.#find(id);
      if (coupon) this.#known.set(id, knownOf(coupon));
    }
  }

  /** The id of a coupon at Stripe, where it is made if there is none. @throws PaymentsUnavailable */
  async idOf(coupon: Coupon, offers: readonly Offer[]): Promise<string> {
    const id = this.#id(coupon);
    if (this.#made.has(id)) return id;
    if (!(await this.#find(id))) await this.#create(id, coupon, offers);
    this.#made.add(id);
    return id;
  }

  /** What there is of the coupons at Stripe, and what Stripe still has of what is offered no more. */
  async catalogue({ coupons }: Shelf): Promise<CatalogueEntry[]> {
    const listed = await asked(() =>
      this.stripe.coupons.list({ limit: PAGE }).autoPagingToArray({ limit: MOST }),
    );
    const ours = listed.filter(({ id, valid }) => valid && id.startsWith(this.#prefix()));
    const entries = coupons.map((coupon): CatalogueEntry => {
      const id = this.#id(coupon);
      const entry = { kind: 'coupon', id: coupon.id, detail: textOf(coupon) } as const;
      if (listed.some((one) => one.id === id)) return { ...entry, existing: id, state: 'current' };
      const other = ours.find(({ metadata }) => metadata?.[COUPON] === coupon.id);
      if (!other) return { ...entry, existing: null, state: 'missing' };
      return { ...entry, existing: other.id, state: 'outdated' };
    });
    const current = new Set(coupons.map((coupon) => this.#id(coupon)));
    const codes = new Set(coupons.map(({ id }) => id));
    for (const { id, metadata, name } of ours) {
      const code = metadata?.[COUPON] ?? '';
      if (current.has(id) || codes.has(code)) continue;
      entries.push({ kind: 'coupon', id: code, existing: id, state: 'retired', detail: name ?? '' });
    }
    return entries;
  }

  async #find(id: string): Promise<Stripe.Coupon | undefined> {
    try {
      return await asked(() => this.stripe.coupons.retrieve(id));
    } catch (error) {
      if (error instanceof PaymentRefused && error.code === 'resource_missing') return undefined;
      throw error;
    }
  }

  async #create(id: string, coupon: Coupon, offers: readonly Offer[]): Promise<void> {
    const { percentOff, amountOff, currency, duration, months, redeemBy, maxRedemptions, plans } = coupon;
    const products = plans && (await this.prices.productsOf(plans, offers));
    await asked(() =>
      this.stripe.coupons.create(
        {
          id,
          name: coupon.name,
          duration,
          metadata: { [COUPON]: coupon.id },
          ...(percentOff !== undefined && { percent_off: percentOff }),
          ...(amountOff !== undefined && currency !== undefined && { amount_off: amountOff, currency }),
          ...(months !== undefined && { duration_in_months: months }),
          ...(redeemBy !== undefined && { redeem_by: Math.floor(Date.parse(redeemBy) / 1000) }),
          ...(maxRedemptions !== undefined && { max_redemptions: maxRedemptions }),
          ...(products && { applies_to: { products } }),
        },
        { idempotencyKey: `tollgraph:coupon:${id}` },
      ),
    );
  }

  #prefix(): string {
    return `tollgraph-${this.profile}-`;
  }

  #id(coupon: Coupon): string {
    const { name: _, ...terms } = coupon;
    const hash = createHash('sha256').update(canonicalJson(terms)).digest('hex').slice(0, 12);
    return `${this.#prefix()}${coupon.id}-${hash}`;
  }
}

const knownOf = (coupon: Stripe.Coupon): KnownCoupon => ({
  coupon: coupon.metadata?.[COUPON] ?? null,
  name: coupon.name ?? 'Discount',
  percentOff: coupon.percent_off,
  amountOff: coupon.amount_off,
  currency: coupon.currency,
});

/** For people: `20 % off for 3 months, until 2027-06-30T00:00:00Z, 100 times, for developer`. */
function textOf({ percentOff, amountOff = 0, currency = '', duration, months, ...rest }: Coupon): string {
  const { redeemBy, maxRedemptions, plans } = rest;
  const off = percentOff === undefined ? moneyText({ amount: amountOff, currency }) : `${percentOff} %`;
  const time = { once: 'once', forever: 'for ever', repeating: `for ${String(months)} months` }[duration];
  return [
    `${off} off ${time}`,
    ...(redeemBy === undefined ? [] : [`until ${redeemBy}`]),
    ...(maxRedemptions === undefined ? [] : [`${maxRedemptions} times`]),
    ...(plans ? [`for ${plans.join(' and ')}`] : []),
  ].join(', ');
}
