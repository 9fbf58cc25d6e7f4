import type Stripe from 'stripe';
import { asked } from './errors.js';

const PAGE = 100;
/** More than any invoice of ours has. */
const MAX_LINES = 1_000;

/** An invoice with all its lines: it comes with the first ones alone. */
export async function withAllLines(
  stripe: Pick<Stripe, 'invoices'>,
  invoice: Stripe.Invoice,
): Promise<Stripe.Invoice> {
  if (!invoice.lines.has_more) return invoice;
  const data = await asked(() =>
    stripe.invoices.listLineItems(invoice.id, { limit: PAGE }).autoPagingToArray({ limit: MAX_LINES }),
  );
  return { ...invoice, lines: { ...invoice.lines, data, has_more: false } };
}
