import type { RatedLine } from './events.js';

/** Lines that stand on the next invoice of a subscription. */
export interface LinesToInvoice {
  readonly accountId: string;
  readonly customer: string;
  readonly subscription: string;
  /** Whether the subscription has ended: then an invoice is made for them alone. */
  readonly ended: boolean;
  /** Whether an invoice follows each month; otherwise one is made for them alone. */
  readonly monthly: boolean;
  readonly currency: string;
  /** Id of the event that they come from. */
  readonly eventId: string;
  readonly lines: readonly RatedLine[];
}

/**
 * The port by which overage is invoiced. Sent again with the same event it adds nothing, however old it is.
 * @throws PaymentRefused, PaymentsUnavailable
 */
export interface OverageInvoices {
  /** @returns the invoice; null where the lines wait for the next one */
  add(lines: LinesToInvoice): Promise<string | null>;
  /**
   * Gives back what lines come to that are negative together, by credit notes on the invoices that have billed it. What
   * those cannot take counts on the next invoice of the customer.
   * @param events of the lines that were billed too high
   * @returns undefined while an invoice that has them is not issued yet
   */
  giveBack(
    lines: LinesToInvoice,
    events: readonly string[],
  ): Promise<{ readonly creditNotes: readonly string[]; readonly owed: number } | undefined>;
}
