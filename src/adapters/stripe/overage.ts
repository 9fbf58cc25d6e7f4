import type Stripe from 'stripe';
import { PaymentRefused } from '../../billing/payments.js';
import type { LinesToInvoice, OverageInvoices } from '../../overage/invoices.js';
import { asked } from './errors.js';

/** Of an invoice item: the event that its line comes from, the line, and how much of it. */
export const OVERAGE = 'tollgraph_overage';
export const OVERAGE_LINE = 'tollgraph_line';
export const OVERAGE_QUANTITY = 'tollgraph_quantity';

const PAGE = 100;

/**
 * Puts overage on invoices of Stripe, as invoice items at the amounts that were rated here: Stripe's own metered
 * prices know neither credits nor allowances, close with the item that is replaced, and take nothing back.
 */
export function stripeOverage(stripe: Stripe): OverageInvoices {
  const itemsOf = async ({ customer, eventId }: LinesToInvoice): Promise<Stripe.InvoiceItem[]> => {
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
    return found.filter(({ metadata }) => metadata?.[OVERAGE] === eventId);
  };

  /** The renewal's invoice, while it is a draft. */
  const draftOf = async ({ customer, subscription }: LinesToInvoice): Promise<string | undefined> => {
    const { data } = await asked(() =>
      stripe.invoices.list({ customer, subscription, status: 'draft', limit: PAGE }),
    );
    return data.find(({ billing_reason: reason }) => reason === 'subscription_cycle')?.id;
  };

  /** @param late the invoice that it was for has been finalised meanwhile */
  const addItem = (to: LinesToInvoice, place: number, invoice: string | undefined, late = false) => {
    const { customer, currency, subscription, ended, eventId, lines } = to;
    const line = lines[place] as LinesToInvoice['lines'][number];
    const into = invoice !== undefined ? { invoice } : ended ? {} : { subscription };
    return asked(() =>
      stripe.invoiceItems.create(
        {
          customer,
          currency,
          amount: line.amount,
          description: line.description,
          // Coupons are for what a plan costs.
          discountable: false,
          period: { start: seconds(line.from), end: seconds(line.to) },
          metadata: {
            [OVERAGE]: eventId,
            [OVERAGE_LINE]: line.id,
            [OVERAGE_QUANTITY]: String(line.quantity),
          },
          ...into,
        },
        // Whichever invoice it is for: of two processes that both add it, one is refused and looks again.
        { idempotencyKey: `tollgraph:overage:${eventId}:${place}${late ? ':next' : ''}` },
      ),
    );
  };

  return {
    add: async (to) => {
      // What was sent may have been answered to nobody, and keys are forgotten after a day.
      const there = await itemsOf(to);
      const sent = new Set(there.map(({ metadata }) => metadata?.[OVERAGE_LINE]));
      const draft = await draftOf(to);
      let invoice = there.flatMap((item) => idOf(item.invoice) ?? []).at(0) ?? draft;
      for (const [place, { id }] of to.lines.entries()) {
        if (sent.has(id)) continue;
        try {
          await addItem(to, place, draft);
        } catch (error) {
          // It was finalised a moment ago: the line waits for the next one.
          if (draft === undefined || !(error instanceof PaymentRefused)) throw error;
          await addItem(to, place, undefined, true);
          invoice = undefined;
        }
      }
      if (invoice !== undefined || (to.monthly && !to.ended)) return invoice ?? null;
      const total = to.lines.reduce((sum, { amount }) => sum + amount, 0);
      // Nothing can be charged: it counts on the next invoice that there is.
      if (total <= 0) return null;
      const made = await asked(() =>
        stripe.invoices.create(
          {
            customer: to.customer,
            currency: to.currency,
            auto_advance: true,
            ...(to.ended
              ? { pending_invoice_items_behavior: 'include' as const }
              : { subscription: to.subscription }),
          },
          { idempotencyKey: `tollgraph:overage:${to.eventId}:invoice` },
        ),
      );
      return made.id;
    },
  };
}

const seconds = (at: string): number => Math.floor(Date.parse(at) / 1000);

const idOf = (given: string | { readonly id?: string } | null): string | undefined =>
  typeof given === 'string' ? given : given?.id;
