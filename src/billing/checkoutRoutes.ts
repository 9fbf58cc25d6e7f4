import type { InvoiceQueries } from '../../projections/invoices/queries.js';
import { ApiError } from '../graphql/kit/errors.js';
import { Outage } from '../outage.js';
import { parameter } from '../rest/commandRoute.js';
import type { Reply, Route } from '../rest/route.js';
import { anonymous } from '../rest/route.js';
import type { CheckoutResult, Outcome } from './checkoutPage.js';
import { BACK, checkoutHtml, resultOf, UNAVAILABLE, UNKNOWN } from './checkoutPage.js';
import type { Party } from './invoiceDocument.js';
import { invoiceHtml } from './invoiceDocument.js';
import type { PaidPage, Payments } from './payments.js';
import type { BillingState } from './state.js';

/** Where customers come back to from Stripe's pages. */
export const CHECKOUT_RESULT = '/checkout/result';
const INVOICE = '/checkout/invoice';

const SESSION = /^cs_\w{1,200}$/;
/** A page that waits looks again every few seconds. */
const PER_MINUTE = 60;
/** So long whoever comes back from a page sees the invoice without signing in, in milliseconds. */
const INVOICE_MS = 86_400_000;

export interface CheckoutRouteOptions {
  readonly product: () => string;
  /** Undefined where nobody takes payments. */
  readonly payments: Pick<Payments, 'paidPage'> | undefined;
  readonly billingOf: (accountId: string) => Promise<Pick<BillingState, 'paid' | 'over' | 'refused'>>;
  /** The name of the credits that a purchase has brought; undefined before that. */
  readonly granted: (accountId: string, purchase: string) => Promise<string | undefined>;
  readonly planName: (plan: string) => string;
  readonly invoices: Pick<InvoiceQueries, 'find' | 'lines'>;
  readonly seller: () => Party;
  readonly buyerOf: (accountId: string) => Promise<Party>;
  /** By which is billed, in milliseconds. */
  readonly now: () => number;
}

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'private, no-store',
  'x-content-type-options': 'nosniff',
  // The address is a secret of whoever has paid.
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

/** What a customer sees who comes back from paying: whoever has the address of the page may, and nobody is signed in. */
export function checkoutRoutes(options: CheckoutRouteOptions): readonly Route[] {
  const { payments, billingOf, granted, planName, invoices, product, now } = options;

  const outcomeOf = async ({ what }: PaidPage): Promise<Outcome | undefined> => {
    if (what.kind === 'analysis') return { kind: 'done', name: 'one analysis' };
    if (what.kind === 'credits') {
      const name = await granted(what.accountId, what.purchase);
      return name === undefined ? { kind: 'waiting' } : { kind: 'done', name };
    }
    const { paid, over, refused } = await billingOf(what.accountId);
    if (paid && paid.subscription === what.subscription) {
      const trialEndsAt = paid.converted ? undefined : paid.trialEndsAt;
      return { kind: 'done', name: planName(paid.plan), trialEndsAt };
    }
    if (what.subscription === null) return { kind: 'waiting' };
    if (refused.has(what.subscription)) return { kind: 'refused' };
    return over.has(what.subscription) ? { kind: 'ended' } : { kind: 'waiting' };
  };

  /** The invoice of what was paid, as long as it may be seen without signing in. */
  const invoiceOf = async ({ what, invoice, createdAt }: PaidPage) => {
    if (invoice === null || what.kind === 'analysis') return undefined;
    if (now() - Date.parse(createdAt) > INVOICE_MS) return undefined;
    const row = await invoices.find(invoice);
    return row?.account_id === what.accountId ? row : undefined;
  };

  const result = async (session: string): Promise<readonly [number, CheckoutResult]> => {
    if (!SESSION.test(session) || !payments) return [404, UNKNOWN];
    try {
      const page = await payments.paidPage(session);
      if (!page) return [404, UNKNOWN];
      const outcome = page.status === 'complete' && page.paid ? await outcomeOf(page) : undefined;
      const invoice = await invoiceOf(page);
      return [200, resultOf(page, outcome, invoice && `${INVOICE}?checkout=${session}`)];
    } catch (error) {
      if (!(error instanceof Outage)) throw error;
      return [503, UNAVAILABLE];
    }
  };

  const html = (status: number, shown: CheckoutResult): Reply => ({
    status,
    headers: HEADERS,
    body: checkoutHtml(product(), shown),
  });

  return [
    anonymous(
      'GET',
      CHECKOUT_RESULT,
      { summary: 'The page that a customer comes back to from paying.', perMinute: PER_MINUTE },
      async (call) => {
        const session = parameter(call, 'checkout');
        if (session !== undefined) return html(...(await result(session)));
        return html(200, BACK);
      },
    ),
    anonymous(
      'GET',
      INVOICE,
      {
        summary: 'The invoice of what was just paid, for a day, for whoever has the address of the page.',
        perMinute: PER_MINUTE,
      },
      async (call) => {
        const session = parameter(call, 'checkout') ?? '';
        const page = SESSION.test(session) ? await payments?.paidPage(session) : undefined;
        const invoice = page && (await invoiceOf(page));
        if (!invoice) throw new ApiError('NOT_FOUND');
        const lines = await invoices.lines(invoice.id);
        const buyer = await options.buyerOf(invoice.account_id);
        const document = { invoice, lines, seller: options.seller(), buyer, timeZone: 'UTC' };
        return { headers: HEADERS, body: invoiceHtml(document) };
      },
    ),
  ];
}
