import type { InvoiceLine, Price, TaxRate } from '../objects.js';
import { formatted } from '../rules/money.js';
import { amountOf } from '../rules/pricing.js';
import type { Period, Seconds } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { sandboxId } from '../unit.js';

export const priceAmount = (price: Price, quantity: number): number =>
  amountOf({ ...price, ...(price.$.tiers && { tiers: price.$.tiers }) }, quantity);

export interface LineInput {
  readonly amount: number;
  readonly currency: string;
  readonly description: string;
  readonly period: Period;
  readonly quantity: number;
  readonly price?: Price | undefined;
  readonly pricing?: InvoiceLine['pricing'];
  readonly discountable?: boolean;
  readonly discounts?: readonly string[];
  readonly subscription?: string | null;
  readonly item?: string | undefined;
  readonly invoiceItem?: string | undefined;
  readonly proration?: boolean;
  readonly metered?: Period;
  readonly taxRates?: readonly TaxRate[];
  readonly metadata?: Record<string, string>;
  /** What a credit gives back: invoice and lines that billed it. */
  readonly credited?: { readonly invoice: string; readonly invoice_line_items: string[] } | undefined;
}

export function makeLine(invoice: string, input: LineInput): InvoiceLine {
  const { price, proration = false, subscription = null } = input;
  const details = {
    invoice_item: input.invoiceItem ?? null,
    proration,
    proration_details: proration ? { credited_items: input.credited ?? null } : null,
    subscription,
  };
  return {
    id: sandboxId('il'),
    object: 'line_item',
    amount: input.amount,
    currency: input.currency,
    description: input.description,
    discount_amounts: [],
    discountable: input.discountable ?? !proration,
    discounts: [...(input.discounts ?? [])],
    invoice,
    livemode: false,
    metadata: input.metadata ?? {},
    parent:
      input.item === undefined
        ? { invoice_item_details: details, subscription_item_details: null, type: 'invoice_item_details' }
        : {
            invoice_item_details: null,
            subscription_item_details: { ...details, subscription_item: input.item },
            type: 'subscription_item_details',
          },
    period: { start: input.period.start, end: input.period.end },
    pretax_credit_amounts: [],
    pricing: input.pricing ?? (price ? pricingOf(price) : null),
    quantity: input.quantity,
    quantity_decimal: `${input.quantity}`,
    subscription,
    subtotal: input.amount,
    taxes: [],
    $: {
      taxRates: [...(input.taxRates ?? [])],
      ...(input.item !== undefined && { item: input.item }),
      ...(input.metered && { metered: { from: input.metered.start, to: input.metered.end } }),
      ...(input.invoiceItem !== undefined && { invoiceItem: input.invoiceItem }),
    },
  };
}

export const pricingOf = (price: Price): InvoiceLine['pricing'] => ({
  type: 'price_details',
  price_details: { price: price.id, product: price.product },
  unit_amount_decimal: price.unit_amount_decimal,
});

/** `1 × Gold (at $20.00 / month)`; the sign is U+00D7. */
export function describeItem(unit: Unit, price: Price, quantity: number): string {
  const name = nameOf(unit, price);
  const { recurring, unit_amount: amount, currency } = price;
  if (price.billing_scheme === 'tiered') return `${quantity} × ${name} (${price.tiers_mode ?? ''} tiers)`;
  const each =
    amount === null ? `${price.unit_amount_decimal ?? '0'} ${currency}` : formatted(amount, currency);
  if (!recurring) return `${quantity} × ${name}`;
  const { interval, interval_count: n } = recurring;
  return `${quantity} × ${name} (at ${each} / ${n === 1 ? interval : `every ${n} ${interval}s`})`;
}

export const nameOf = (unit: Unit, price: Price): string =>
  unit.find('product', price.product)?.name ?? 'Product';

/** `Unused time on 2 × Gold after 01 Sep 2020` */
export function describeProration(
  unit: Unit,
  unused: boolean,
  price: Price,
  quantity: number,
  at: Seconds,
): string {
  const many = quantity === 1 ? '' : `${quantity} × `;
  return `${unused ? 'Unused' : 'Remaining'} time on ${many}${nameOf(unit, price)} after ${dayOf(at)}`;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function dayOf(at: Seconds): string {
  const date = new Date(at * 1000);
  return `${`${date.getUTCDate()}`.padStart(2, '0')} ${MONTHS[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()}`;
}
