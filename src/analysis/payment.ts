import { z } from 'zod';
import type { Logger } from '../logger.js';
import type { Dialect, Route } from '../rest/route.js';
import { anonymous } from '../rest/route.js';
import type { AnalysisDesk } from './desk.js';
import { answering, Invalid, Refused } from './fastApi.js';
import type { AnalysisPayment } from './stored.js';

const Asked = z.object({ amount: z.int().optional(), currency: z.string().optional() });
const Intent = z.object({ client_secret: z.string(), payment_intent_id: z.string(), amount: z.int() });

/** `/create-payment-intent`: few a minute of one address, so that nobody tries stolen cards here. */
export const paymentRoute = (
  { paymentRequired, payment, settings: { price } }: AnalysisDesk,
  dialect: Dialect,
  log: Logger,
): Route =>
  anonymous(
    'POST',
    '/create-payment-intent',
    { spec: { summary: 'Begins a payment for one analysis.', body: Asked, answer: Intent }, dialect },
    answering(log, async ({ body }) => {
      if (!paymentRequired) throw new Refused(400, 'Payment is not required in this mode');
      if (!payment) throw new Refused(503, 'Payment service not configured');
      if (typeof body !== 'object' || body === null || Array.isArray(body)) {
        throw new Invalid(['body'], 'Input should be a valid dictionary', 'dict_type');
      }
      const { amount = price.amount, currency = price.currency } = body as Record<string, unknown>;
      // The price is the service's, and not the caller's.
      if (amount !== price.amount || currency !== price.currency) {
        throw new Refused(400, `An analysis costs ${price.amount} ${price.currency}, in the smallest unit`);
      }
      const { id, clientSecret } = await payment.create();
      return { body: { client_secret: clientSecret, payment_intent_id: id, amount: price.amount } };
    }),
  );

/** The id of a payment as a field has it; undefined for what is none. */
export const intentIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

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
