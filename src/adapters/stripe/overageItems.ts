import type Stripe from 'stripe';
import { asked } from './errors.js';

/** Of an invoice item: the event that its line comes from, the line, and how much of it. */
export const OVERAGE = 'tollgraph_overage';
export const OVERAGE_LINE = 'tollgraph_line';
export const OVERAGE_QUANTITY = 'tollgraph_quantity';

const PAGE = 100;

/** All invoice items of a customer for lines of some events, on an invoice or not. */
export async function itemsOf(
  stripe: Stripe,
  customer: string,
  events: readonly string[],
): Promise<Stripe.InvoiceItem[]> {
  const found: Stripe.InvoiceItem[] = [];
  for (let after: string | undefined; ; after = found.at(-1)?.id) {
    const { data, has_more: more } = await asked(() =>
      stripe.invoiceItems.list({
        customer,
        limit: PAGE,
        ...(after !== undefined && { starting_after: after }),
      }),
    );
    found.push(...data);
    if (!more || data.length === 0) break;
  }
  return found.filter(({ metadata }) => events.includes(metadata?.[OVERAGE] ?? ''));
}

export const lineOf = ({ metadata }: Stripe.InvoiceItem): string | undefined => metadata?.[OVERAGE_LINE];
