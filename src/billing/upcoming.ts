import type { RatedLine } from '../overage/events.js';
import type { InvoiceLine } from './events.js';
import type { Preview } from './payments.js';

/** A line of overage as an invoice has it. */
const lineOf = ({ id, description, meter, quantity, amount, from, to, events }: RatedLine): InvoiceLine => ({
  id,
  kind: 'usage',
  description,
  quantity,
  meter,
  amount,
  periodStart: from,
  periodEnd: to,
  price: null,
  events,
});

/**
 * The next invoice with what was used so far, which the payment service is told when the period is over. Tax on it is
 * known then, too.
 */
export function withUse(preview: Preview, used: readonly RatedLine[]): Preview {
  const lines = used.map(lineOf);
  const sum = lines.reduce((total, { amount }) => total + amount, 0);
  const due = preview.due + sum;
  return {
    ...preview,
    lines: [...preview.lines, ...lines],
    subtotal: preview.subtotal + sum,
    total: preview.total + sum,
    due: Math.max(0, due),
  };
}

/** The invoice of a subscription that is about to end: what was used, and nothing else. */
export function useAlone(used: readonly RatedLine[], currency: string): Preview | undefined {
  const [first] = used;
  if (!first) return undefined;
  const nothing = { lines: [], subtotal: 0, tax: 0, taxIncluded: 0, total: 0, due: 0 };
  return withUse({ currency, ...nothing, periodStart: first.from, periodEnd: first.to }, used);
}
