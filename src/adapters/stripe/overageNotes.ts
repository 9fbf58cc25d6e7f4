import type Stripe from 'stripe';
import { PaymentRefused } from '../../billing/payments.js';
import { roundedRatio, sumOf } from '../../money/money.js';
import { OWED } from '../../overage/events.js';
import type { LinesToInvoice, OverageInvoices } from '../../overage/invoices.js';
import { partsOf } from '../../money/parts.js';
import { asked } from './errors.js';
import { idOf } from './ids.js';
import { withAllLines } from './lines.js';
import { itemsOf, lineOf, OVERAGE, OVERAGE_LINE, OVERAGE_QUANTITY } from './overageItems.js';

const PAGE = 100;

/** What is given back: minor units before tax, and what a credit note comes to with it. */
interface Given {
  readonly net: number;
  readonly gross: number;
}

/** Gives back what was billed too high, by credit notes on the invoices that have billed it. */
export function stripeGiveBack(stripe: Stripe): OverageInvoices['giveBack'] {
  /** What no credit note could give back waits for the customer's next invoice. */
  const addOwed = async (to: LinesToInvoice, owed: number): Promise<void> => {
    const { customer, currency, eventId } = to;
    const sent = new Set((await itemsOf(stripe, customer, [eventId])).map(lineOf));
    for (const { id, amount, part } of partsOf({ id: OWED, amount: -owed })) {
      if (sent.has(id)) continue;
      await asked(() =>
        stripe.invoiceItems.create(
          {
            customer,
            currency,
            amount,
            description: describe(to),
            discountable: false,
            metadata: { [OVERAGE]: eventId, [OVERAGE_LINE]: id, [OVERAGE_QUANTITY]: '1' },
          },
          { idempotencyKey: `tollgraph:overage:${eventId}:owed${part === 1 ? '' : `:${part}`}` },
        ),
      );
    }
  };

  /**
   * A part of the lines that have billed it, with the tax that Stripe computes of that.
   * @returns undefined where Stripe does not say so
   */
  const linesOf = async (
    invoice: Stripe.Invoice,
    events: readonly string[],
    wanted: number,
  ): Promise<(Given & { readonly lines: Stripe.CreditNoteCreateParams.Line[] }) | undefined> => {
    const lines: Stripe.CreditNoteCreateParams.Line[] = [];
    let net = 0;
    for (const { id, amount } of billedBy(invoice, events)) {
      const part = Math.min(amount, wanted - net);
      if (part <= 0) continue;
      lines.push({ type: 'invoice_line_item', invoice_line_item: id, amount: part });
      net += part;
    }
    if (lines.length === 0) return undefined;
    try {
      const preview = await asked(() => stripe.creditNotes.preview({ invoice: invoice.id, lines }));
      return netOf(preview) === net ? { net, gross: preview.total, lines } : undefined;
    } catch (error) {
      if (!(error instanceof PaymentRefused)) throw error;
      return undefined;
    }
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
    // Where Stripe does not say what of it is tax, it is in proportion.
    const given = (note: Stripe.CreditNote): number => {
      const { amount } = note;
      const share = amount >= gross ? wanted : roundedRatio(BigInt(amount) * BigInt(wanted), BigInt(gross));
      return Math.min(wanted, netOf(note) ?? share);
    };
    const { data: notes } = await asked(() => stripe.creditNotes.list({ invoice: invoice.id, limit: PAGE }));
    const issued = notes.filter(({ status }) => status === 'issued');
    const before = issued.find(({ metadata }) => metadata?.[OVERAGE] === eventId);
    if (before) return { id: before.id, amount: given(before) };
    const isPaid = invoice.status === 'paid';
    const left = isPaid
      ? invoice.amount_paid - invoice.post_payment_credit_notes_amount
      : invoice.amount_remaining;
    if (left <= 0) return undefined;
    const reported = await linesOf(invoice, events, wanted);
    const fits = reported !== undefined && reported.gross <= left;
    const amount = fits ? reported.gross : Math.min(gross, left);
    try {
      const note = await asked(() =>
        stripe.creditNotes.create(
          {
            invoice: invoice.id,
            ...(fits ? { lines: reported.lines } : { amount }),
            memo: describe(to),
            ...(isPaid && { refund_amount: amount }),
            metadata: { [OVERAGE]: eventId },
          },
          { idempotencyKey: `tollgraph:overage:${eventId}:credit:${invoice.id}` },
        ),
      );
      return { id: note.id, amount: fits ? reported.net : given(note) };
    } catch (error) {
      // It is disputed, say, or was paid back otherwise: then another invoice may take it, or the next one.
      if (!(error instanceof PaymentRefused)) throw error;
      return undefined;
    }
  };

  return async (to, events) => {
    let owed = -sumOf(to.lines);
    const creditNotes: string[] = [];
    const billed = (await itemsOf(stripe, to.customer, events)).flatMap((item) => idOf(item.invoice) ?? []);
    const invoices: Stripe.Invoice[] = [];
    for (const id of new Set(billed)) {
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
  };
}

const billedBy = ({ lines }: Stripe.Invoice, events: readonly string[]): Stripe.InvoiceLineItem[] =>
  lines.data.filter(({ metadata }) => events.includes(metadata[OVERAGE] ?? ''));

/** A credit note less the tax that was added, as Stripe reports it; undefined where it does not. */
function netOf({ total, total_taxes: taxes }: Stripe.CreditNote): number | undefined {
  if (!taxes || taxes.length === 0) return undefined;
  return total - sumOf(taxes.filter(({ tax_behavior: behavior }) => behavior === 'exclusive'));
}

/** Tax that was added to lines of overage, in proportion. */
function taxOn(amount: number, invoice: Stripe.Invoice, events: readonly string[]): number {
  const billed = billedBy(invoice, events);
  const net = sumOf(billed);
  const added = billed.flatMap(({ taxes }) =>
    (taxes ?? []).filter(({ tax_behavior: behavior }) => behavior === 'exclusive'),
  );
  return net > 0 ? roundedRatio(BigInt(amount) * BigInt(sumOf(added)), BigInt(net)) : 0;
}

/** `Correction of use from 2027-01-31 to 2027-02-28`, of several periods from the first to the last. */
const describe = ({ lines }: LinesToInvoice): string => {
  const from = lines.map((line) => line.from.slice(0, 10)).sort()[0];
  const to = lines
    .map((line) => line.to.slice(0, 10))
    .sort()
    .at(-1);
  return `Correction of use from ${from} to ${to}`;
};
