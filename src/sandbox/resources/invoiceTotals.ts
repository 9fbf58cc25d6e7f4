import type { Invoice, InvoiceLine } from '../objects.js';
import type { ChargedLine, Reduction } from '../rules/totals.js';
import { settled, totalsOf } from '../rules/totals.js';
import type { Unit } from '../unit.js';

/** Computes what follows from an invoice's lines, its discounts and its taxes, while it is a draft. */
export function recompute(unit: Unit, invoice: Invoice): void {
  const lines = invoice.lines.data;
  const totals = totalsOf(
    lines.map((line) => charged(invoice, line)),
    invoice.discounts.flatMap((id) => reductionOf(unit, id, invoice.currency)),
  );
  lines.forEach((line, index) => {
    const of = totals.lines[index];
    line.discount_amounts = [...(of?.discounts ?? [])];
    line.taxes = (of?.taxes ?? []).map(({ rate, amount, taxable }) => taxShown(rate, amount, taxable));
  });
  const { subtotal, total, tax, inclusiveTax } = totals;
  const customer = unit.get('customer', invoice.customer);
  const { amountDue } = settled(total, customer.balance, invoice.currency);
  Object.assign(invoice, {
    subtotal,
    subtotal_excluding_tax: subtotal - inclusiveTax,
    total,
    total_excluding_tax: total - tax - inclusiveTax,
    total_discount_amounts: gathered(totals.lines.flatMap(({ discounts }) => discounts)),
    total_taxes: gatherTaxes(lines),
    starting_balance: customer.balance,
    amount_due: amountDue,
    amount_remaining: amountDue,
  });
}

/** What a line costs after its discounts: what a later change gives back. */
export const netOf = (line: InvoiceLine): number =>
  line.amount - line.discount_amounts.reduce((sum, { amount }) => sum + amount, 0);

function charged(invoice: Invoice, line: InvoiceLine): ChargedLine {
  const rates = line.$.taxRates.length > 0 ? line.$.taxRates : invoice.default_tax_rates;
  return {
    amount: line.amount,
    discountable: line.discountable,
    product: line.pricing?.price_details.product,
    taxes: rates.map(({ id, percentage, inclusive }) => ({ id, percentage, inclusive })),
  };
}

/** What a discount takes off; nothing where it is over. */
export function reductionOf(unit: Unit, id: string, currency: string): Reduction[] {
  const discount = unit.find('discount', id);
  if (!discount || (discount.end !== null && discount.end <= unit.now)) return [];
  const coupon = unit.find('coupon', discount.source.coupon);
  if (!coupon || (coupon.amount_off !== null && coupon.currency !== currency)) return [];
  const { percent_off, amount_off } = coupon;
  return [{ id, percent_off, amount_off, products: coupon.$.products }];
}

const taxShown = (rate: { id: string; inclusive: boolean }, amount: number, taxable: number) => ({
  amount,
  tax_behavior: rate.inclusive ? 'inclusive' : 'exclusive',
  tax_rate_details: { tax_rate: rate.id },
  taxability_reason: 'standard_rated',
  taxable_amount: taxable,
  type: 'tax_rate_details',
});

function gathered(amounts: readonly { discount: string; amount: number }[]) {
  const sums = new Map<string, number>();
  for (const { discount, amount } of amounts) sums.set(discount, (sums.get(discount) ?? 0) + amount);
  return [...sums].map(([discount, amount]) => ({ amount, discount }));
}

function gatherTaxes(lines: readonly InvoiceLine[]): Record<string, unknown>[] {
  const sums = new Map<string, ReturnType<typeof taxShown>>();
  for (const tax of lines.flatMap(({ taxes }) => taxes as ReturnType<typeof taxShown>[])) {
    const id = tax.tax_rate_details.tax_rate;
    const sum = sums.get(id);
    if (sum) {
      sum.amount += tax.amount;
      sum.taxable_amount += tax.taxable_amount;
    } else sums.set(id, { ...tax });
  }
  return [...sums.values()];
}
