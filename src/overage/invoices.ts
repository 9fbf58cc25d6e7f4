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
}
