import type Stripe from 'stripe';
import { PaymentRefused } from '../../billing/payments.js';
import { MAX_CHARGE, sumOf } from '../../money/money.js';
import type { LinesToInvoice, OverageInvoices } from '../../overage/invoices.js';
import { billsOf } from '../../overage/bills.js';
import { asked } from './errors.js';
import { idOf } from './ids.js';
import { itemsOf, lineOf, OVERAGE, OVERAGE_LINE, OVERAGE_QUANTITY } from './overageItems.js';
import { stripeGiveBack } from './overageNotes.js';

const PAGE = 100;

type Bill = ReturnType<typeof billsOf>[number];

/** What is known at Stripe of the subscription that lines are for. */
interface Known extends LinesToInvoice {
  /** Whether it is over at Stripe, and not only paused. */
  readonly over: boolean;
  readonly card: string | undefined;
  /** How its invoices are taxed: one that is made for it alone does not have that by itself. */
  readonly taxes: Pick<Stripe.InvoiceCreateParams, 'automatic_tax' | 'default_tax_rates'>;
}

/**
 * Puts overage on invoices of Stripe, as invoice items at the amounts that were rated here: Stripe's own metered
 * prices know neither credits nor allowances, close with the item that is replaced, and take nothing back.
 */
export function stripeOverage(stripe: Stripe): OverageInvoices {
  const known = async (to: LinesToInvoice): Promise<Known> => {
    // It may have ended a moment ago: what is put on it then stands on no invoice.
    const found = await asked(() => stripe.subscriptions.retrieve(to.subscription));
    const over = found.status === 'canceled';
    const card = idOf(found.default_payment_method);
    return { ...to, ended: to.ended || over, over, card, taxes: taxesOf(found) };
  };

  const draftsOf = async ({ customer, subscription }: LinesToInvoice): Promise<Stripe.Invoice[]> => {
    const list = { customer, subscription, status: 'draft', limit: PAGE } as const;
    return (await asked(() => stripe.invoices.list(list))).data;
  };

  /**
   * The items of a bill that stand on an invoice, or will. Those of a subscription that is over stand on none: they
   * wait for a renewal, or on a draft that Stripe no longer issues. They are taken away, to be put on another one.
   */
  const itemsThere = async (to: Known, drafts: readonly Stripe.Invoice[]): Promise<Stripe.InvoiceItem[]> => {
    const there = await itemsOf(stripe, to.customer, [to.eventId]);
    if (!to.over) return there;
    const left = new Set(drafts.filter((draft) => !draft.auto_advance).map(({ id }) => id));
    const kept: Stripe.InvoiceItem[] = [];
    for (const item of there) {
      const invoice = idOf(item.invoice);
      const waits = invoice === undefined && item.parent?.subscription_details != null;
      if (!waits && !(invoice !== undefined && left.has(invoice))) kept.push(item);
      else await asked(() => stripe.invoiceItems.del(item.id));
    }
    return kept;
  };

  /** @param next the invoice that it was for has been finalised meanwhile */
  const addItem = (to: Known, part: Bill[number], invoice: string | undefined, next = false) => {
    const { customer, currency, subscription, ended, over, eventId } = to;
    const { id, amount, description, from, quantity, place, part: n, parts } = part;
    const into = invoice !== undefined ? { invoice } : ended ? {} : { subscription };
    const again = `${over ? ':over' : ''}${next ? ':next' : ''}`;
    return asked(() =>
      stripe.invoiceItems.create(
        {
          customer,
          currency,
          amount,
          description: parts === 1 ? description : `${description} (part ${n} of ${parts})`,
          // Coupons are for what a plan costs.
          discountable: false,
          period: { start: seconds(from), end: seconds(part.to) },
          metadata: {
            [OVERAGE]: eventId,
            [OVERAGE_LINE]: id,
            // The first part has all that was used.
            [OVERAGE_QUANTITY]: n === 1 ? String(quantity) : '0',
          },
          ...into,
        },
        // Whichever invoice it is for: of two processes that both add it, one is refused and looks again.
        { idempotencyKey: `tollgraph:overage:${eventId}:${place}${again}` },
      ),
    );
  };

  /** Adds what is not there yet. @returns the invoice that it stands on, and whether some of it stands on none */
  const addItems = async (
    to: Known,
    bill: Bill,
    there: readonly Stripe.InvoiceItem[],
    draft: string | undefined,
  ): Promise<{ readonly invoice: string | undefined; readonly waits: boolean }> => {
    let invoice: string | undefined;
    let waits = false;
    const stands = (on: string | undefined): void => {
      if (on === undefined) waits = true;
      else invoice ??= on;
    };
    for (const part of bill) {
      // What was sent may have been answered to nobody, and keys are forgotten after a day.
      const sent = there.find((item) => lineOf(item) === part.id);
      if (sent) {
        stands(idOf(sent.invoice));
        continue;
      }
      try {
        await addItem(to, part, draft);
        stands(draft);
      } catch (error) {
        // It was finalised a moment ago: the line waits for the next one.
        if (draft === undefined || !(error instanceof PaymentRefused)) throw error;
        await addItem(to, part, undefined, true);
        stands(undefined);
      }
    }
    return { invoice, waits };
  };

  /** An invoice of what waits. @param n of several for one event */
  const issue = async (to: Known, n: number): Promise<string> => {
    const { customer, currency, subscription, ended, over, card, taxes, eventId } = to;
    const which = `${n === 0 ? '' : `:${n}`}${over ? ':over' : ''}`;
    const made = await asked(() =>
      stripe.invoices.create(
        {
          customer,
          currency,
          auto_advance: true,
          pending_invoice_items_behavior: 'include',
          ...taxes,
          // The customer may have no card of its own.
          ...(!ended ? { subscription } : card !== undefined && { default_payment_method: card }),
        },
        { idempotencyKey: `tollgraph:overage:${eventId}:invoice${which}` },
      ),
    );
    return made.id;
  };

  return {
    giveBack: stripeGiveBack(stripe),

    add: async (asGiven) => {
      const to = await known(asGiven);
      const drafts = await draftsOf(to);
      const there = await itemsThere(to, drafts);
      const bills = billsOf(to.lines);
      const renewal = drafts.find(
        ({ billing_reason: reason, auto_advance: goesOn }) => reason === 'subscription_cycle' && goesOn,
      );
      // With tax, the whole can be charged at once.
      const fits = bills.length === 1 && (renewal?.total ?? 0) + 2 * sumOf(to.lines) <= MAX_CHARGE;
      const draft = fits ? renewal?.id : undefined;
      let first: string | undefined;
      for (const [n, bill] of bills.entries()) {
        const { invoice, waits } = await addItems(to, bill, there, draft);
        // An invoice follows each month; where nothing can be charged, it counts on the next one that there is.
        const alone = waits && (to.ended || !to.monthly || !fits) && sumOf(bill) > 0;
        const on = alone ? await issue(to, n) : waits ? undefined : invoice;
        first ??= on;
      }
      return first ?? null;
    },
  };
}

const taxesOf = ({
  automatic_tax: automatic,
  default_tax_rates: rates,
}: Stripe.Subscription): Known['taxes'] => {
  if (automatic.enabled) return { automatic_tax: { enabled: true } };
  return rates && rates.length > 0 ? { default_tax_rates: rates.map(({ id }) => id) } : {};
};

const seconds = (at: string): number => Math.floor(Date.parse(at) / 1000);
