import type Stripe from 'stripe';
import { PaymentRefused } from '../../billing/payments.js';
import { roundedRatio } from '../../money/money.js';
import { OWED } from '../../overage/events.js';
import type { LinesToInvoice, OverageInvoices } from '../../overage/invoices.js';
import { asked } from './errors.js';
import { idOf } from './ids.js';
import { withAllLines } from './lines.js';

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
  const itemsOf = async (
    { customer }: LinesToInvoice,
    events: readonly string[],
  ): Promise<Stripe.InvoiceItem[]> => {
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

  /** What no credit note could give back waits for the customer's next invoice. */
  const addOwed = async (to: LinesToInvoice, owed: number): Promise<void> => {
    const { customer, currency, eventId } = to;
    if ((await itemsOf(to, [eventId])).length > 0) return;
    await asked(() =>
      stripe.invoiceItems.create(
        {
          customer,
          currency,
          amount: -owed,
          description: describe(to),
          discountable: false,
          metadata: { [OVERAGE]: eventId, [OVERAGE_LINE]: OWED, [OVERAGE_QUANTITY]: '1' },
        },
        { idempotencyKey: `tollgraph:overage:${eventId}:owed` },
      ),
    );
  };

  /** What a credit note gives back of an invoice, with its tax. @returns it, and what of `wanted` it gives back */
  const creditNoteOf = async (
    to: LinesToInvoice,
    invoice: Stripe.Invoice,
    events: readonly string[],
    wanted: number,
  ): Promise<{ readonly id: string; readonly amount: number } | undefined> => {
    const { eventId } = to;
    const gross = wanted + taxOn(wanted, invoice, events);
    const netOf = (amount: number): number =>
      amount >= gross ? wanted : roundedRatio(BigInt(amount) * BigInt(wanted), BigInt(gross));
    const { data: notes } = await asked(() => stripe.creditNotes.list({ invoice: invoice.id, limit: PAGE }));
    const issued = notes.filter(({ status }) => status === 'issued');
    const before = issued.find(({ metadata }) => metadata?.[OVERAGE] === eventId);
    if (before) return { id: before.id, amount: netOf(before.amount) };
    const isPaid = invoice.status === 'paid';
    const left = isPaid
      ? invoice.amount_paid - invoice.post_payment_credit_notes_amount
      : invoice.amount_remaining;
    const amount = Math.min(gross, left);
    if (amount <= 0) return undefined;
    try {
      const note = await asked(() =>
        stripe.creditNotes.create(
          {
            invoice: invoice.id,
            amount,
            memo: describe(to),
            ...(isPaid && { refund_amount: amount }),
            metadata: { [OVERAGE]: eventId },
          },
          { idempotencyKey: `tollgraph:overage:${eventId}:credit:${invoice.id}` },
        ),
      );
      return { id: note.id, amount: netOf(amount) };
    } catch (error) {
      // It is disputed, say, or was paid back otherwise: then another invoice may take it, or the next one.
      if (!(error instanceof PaymentRefused)) throw error;
      return undefined;
    }
  };

  return {
    giveBack: async (to, events) => {
      let owed = -to.lines.reduce((sum, { amount }) => sum + amount, 0);
      const creditNotes: string[] = [];
      const billedBy = (await itemsOf(to, events)).flatMap((item) => idOf(item.invoice) ?? []);
      const invoices: Stripe.Invoice[] = [];
      for (const id of new Set(billedBy)) {
        invoices.push(await withAllLines(stripe, await asked(() => stripe.invoices.retrieve(id))));
      }
      if (invoices.some(({ status }) => status === 'draft')) return undefined;
      for (const invoice of invoices) {
        if (owed === 0) break;
        if (!['open', 'paid', 'uncollectible'].includes(invoice.status ?? '')) continue;
        const note = await creditNoteOf(to, invoice, events, owed);
        if (!note) continue;
        creditNotes.push(note.id);
        owed -= note.amount;
      }
      if (owed > 0) await addOwed(to, owed);
      return { creditNotes, owed };
    },

    add: async (asGiven) => {
      // It may have ended a moment ago: what is put on it then stands on no invoice.
      const { status, default_payment_method: method } = await asked(() =>
        stripe.subscriptions.retrieve(asGiven.subscription),
      );
      const to = { ...asGiven, ended: asGiven.ended || status === 'canceled' };
      const card = idOf(method);
      // What was sent may have been answered to nobody, and keys are forgotten after a day.
      const there = await itemsOf(to, [to.eventId]);
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
              ? {
                  pending_invoice_items_behavior: 'include' as const,
                  // The customer may have none of its own.
                  ...(card !== undefined && { default_payment_method: card }),
                }
              : { subscription: to.subscription }),
          },
          { idempotencyKey: `tollgraph:overage:${to.eventId}:invoice` },
        ),
      );
      return made.id;
    },
  };
}

/** Tax that was added to lines of overage, in proportion. */
function taxOn(amount: number, { lines }: Stripe.Invoice, events: readonly string[]): number {
  const billed = lines.data.filter(({ metadata }) => events.includes(metadata[OVERAGE] ?? ''));
  const net = sumOf(billed);
  const added = billed.flatMap(({ taxes }) =>
    (taxes ?? []).filter(({ tax_behavior: behavior }) => behavior === 'exclusive'),
  );
  return net > 0 ? roundedRatio(BigInt(amount) * BigInt(sumOf(added)), BigInt(net)) : 0;
}

const sumOf = (parts: readonly { readonly amount: number }[]): number =>
  parts.reduce((sum, { amount }) => sum + amount, 0);

/** `Correction of use from 2027-01-31 to 2027-02-28`, of several periods from the first to the last. */
const describe = ({ lines }: LinesToInvoice): string => {
  const from = lines.map((line) => line.from.slice(0, 10)).sort()[0];
  const to = lines
    .map((line) => line.to.slice(0, 10))
    .sort()
    .at(-1);
  return `Correction of use from ${from} to ${to}`;
};

const seconds = (at: string): number => Math.floor(Date.parse(at) / 1000);
