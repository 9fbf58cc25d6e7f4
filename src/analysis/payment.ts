import { z } from 'zod';
import type { Logger } from '../logger.js';
import type { Dialect, Route } from '../rest/route.js';
import { anonymous } from '../rest/route.js';
import type { AnalysisDesk } from './desk.js';
import type { PaidByCredits } from './events.js';
import { answering, Invalid, Refused } from './fastApi.js';
import { MAX_FILES } from './settings.js';
import type { AnalysisPayment } from './stored.js';

const Asked = z.object({ amount: z.int().optional(), currency: z.string().optional() });
const Intent = z.object({ client_secret: z.string(), payment_intent_id: z.string(), amount: z.int() });
const FilesAsked = z.object({ files: z.int().min(1).max(MAX_FILES).optional() }).optional();
const Checkout = z.object({
  checkout_id: z.string(),
  url: z.string().nullable(),
  files: z.int(),
  amount: z.int(),
});
const CheckoutState = z.object({
  status: z.enum(['open', 'complete', 'expired']),
  payment_intent_id: z.string().nullable(),
  files: z.int(),
});

/** Looks of pages that wait, a minute from one address. */
const LOOKS_PER_MINUTE = 120;

/** Ways to pay for analyses: few a minute of one address, so that nobody tries stolen cards here. */
export const paymentRoutes = (
  { paymentRequired, payment, settings, publicUrl }: AnalysisDesk,
  dialect: Dialect,
  log: Logger,
): Route[] => {
  const { price, branding } = settings;
  const taken = (): AnalysisPayment => {
    if (!paymentRequired) throw new Refused(400, 'Payment is not required in this mode');
    if (!payment) throw new Refused(503, 'Payment service not configured');
    return payment;
  };
  return [
    anonymous(
      'POST',
      '/create-payment-intent',
      { spec: { summary: 'Begins a payment for one analysis.', body: Asked, answer: Intent }, dialect },
      answering(log, async ({ body }) => {
        const paying = taken();
        if (typeof body !== 'object' || body === null || Array.isArray(body)) {
          throw new Invalid(['body'], 'Input should be a valid dictionary', 'dict_type');
        }
        const { amount = price.amount, currency = price.currency } = body as Record<string, unknown>;
        // The price is the service's, and not the caller's.
        if (amount !== price.amount || currency !== price.currency) {
          throw new Refused(400, `An analysis costs ${price.amount} ${price.currency}, in the smallest unit`);
        }
        const { id, clientSecret } = await paying.create();
        return { body: { client_secret: clientSecret, payment_intent_id: id, amount: price.amount } };
      }),
    ),
    anonymous(
      'POST',
      '/create-checkout',
      {
        spec: {
          summary: 'Opens a page on which the analyses of one or several files are paid with a card.',
          body: FilesAsked,
          answer: Checkout,
        },
        dialect,
      },
      answering(log, async ({ body }) => {
        const paying = taken();
        const files = filesIn(body);
        const { id, url } = await paying.openPage({
          quantity: files,
          name: `${branding.title}: analysis of a file`,
          paidUrl: `${publicUrl}/demo/paid.html?checkout_id={CHECKOUT_SESSION_ID}`,
          unpaidUrl: `${publicUrl}/demo/unpaid.html`,
        });
        return { body: { checkout_id: id, url, files, amount: price.amount * files } };
      }),
    ),
    anonymous(
      'GET',
      '/checkout',
      {
        perMinute: LOOKS_PER_MINUTE,
        spec: {
          summary: 'Whether a page was paid, and the payment that `/analyze` takes.',
          query: { checkout_id: 'As `/create-checkout` has answered.' },
          answer: CheckoutState,
        },
        dialect,
      },
      answering(log, async ({ query }) => {
        const id = query['checkout_id'];
        const found = typeof id === 'string' ? await taken().page(id) : undefined;
        if (!found) throw new Refused(404, 'There is no such checkout');
        const { status, intent, quantity } = found;
        return { body: { status, payment_intent_id: intent, files: quantity } };
      }),
    ),
  ];
};

/** How many files are to be paid for: one, unless the body says otherwise. @throws Invalid */
function filesIn(body: unknown): number {
  const { success, data } = FilesAsked.safeParse(body);
  if (success) return data?.files ?? 1;
  throw new Invalid(['body', 'files'], `Input should be a whole number from 1 to ${MAX_FILES}`, 'int_type');
}

/** The id of a payment as a field has it; undefined for what is none. */
export const intentIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** The credits with which an account pays for one more analysis, beside `others`; undefined where it has too few. */
export async function creditsOf(
  { credits }: Pick<AnalysisDesk, 'credits'>,
  accountId: string | undefined,
  others = 0,
): Promise<PaidByCredits | undefined> {
  const asked = creditsFor({ credits }, accountId);
  return asked && (await credits?.covers(asked.accountId, asked.amount * (others + 1))) ? asked : undefined;
}

/** What one analysis of an account costs in credits; undefined where they pay for none. */
export const creditsFor = (
  { credits }: Pick<AnalysisDesk, 'credits'>,
  accountId: string | undefined,
): PaidByCredits | undefined =>
  credits && accountId !== undefined ? { accountId, amount: credits.price } : undefined;

/**
 * No payment service is configured, so there is no intent that could have been paid: nothing is read for one that
 * stands in the form.
 */
export function refusePayment(intent: unknown): never {
  if (intent === undefined || intent === '') {
    throw new Refused(402, 'Payment required. Please provide payment_intent_id.');
  }
  throw new Refused(402, 'Payment verification failed');
}

/** @throws Refused, and Outage where nobody knows */
export async function checkPaid(payment: AnalysisPayment, intent: string | undefined): Promise<void> {
  if (intent === undefined) throw new Refused(402, 'Payment required. Please provide payment_intent_id.');
  const status = await payment.statusOf(intent);
  if (status === undefined) throw new Refused(402, 'Payment verification failed');
  if (status !== 'paid') throw new Refused(402, `Payment not completed. Status: ${status}`);
}
