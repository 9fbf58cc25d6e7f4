import type Stripe from 'stripe';
import type { DisputePayments } from '../../disputes/desk.js';
import type { DisputeStatus } from '../../disputes/decide.js';
import type { DisputeSubject } from '../../disputes/events.js';
import { PURCHASE } from './credits.js';
import { asked } from './errors.js';
import { idOf } from './ids.js';
import { refundedOf, stripeRefunds } from './refunds.js';
import { isElsewhere, PURPOSE } from './single.js';

/** Statuses of a dispute. Those that nobody knows yet are taken for inquiries, which take no money. */
const STATUSES: Readonly<Record<string, DisputeStatus>> = {
  warning_closed: 'inquiry_closed',
  prevented: 'inquiry_closed',
  needs_response: 'open',
  under_review: 'open',
  won: 'won',
  lost: 'lost',
};

/** Disputes as Stripe has them. A dispute names its charge alone: whose it was, and what for, is asked of others. */
export const stripeDisputes = (stripe: Stripe, installation: string): DisputePayments => ({
  dispute: async (id) => {
    const {
      status,
      amount,
      currency,
      reason,
      evidence_details: evidence,
      ...found
    } = await asked(() => stripe.disputes.retrieve(id));
    const charge = idOf(found.charge) ?? '';
    const disputed = await asked(() => stripe.charges.retrieve(charge));
    const { customer, payment_intent: intent } = disputed;
    // Banks take back the whole amount also where a part was refunded before: it comes back in the end.
    const unrefunded = Math.max(0, disputed.amount - (await refundedOf(stripe, disputed)));
    const payment = idOf(intent);
    const invoice = await stripeRefunds(stripe).invoiceOfCharge(charge);
    const { metadata = {} } =
      payment === undefined ? {} : await asked(() => stripe.paymentIntents.retrieve(payment));
    return {
      status: STATUSES[status] ?? 'inquiry',
      subject: invoice === undefined ? subjectOf(metadata) : 'invoice',
      amount,
      ...(unrefunded < amount && { unrefunded }),
      currency,
      reason,
      respondBy: evidence.due_by === null ? null : new Date(evidence.due_by * 1000).toISOString(),
      charge,
      payment: payment ?? null,
      invoice: invoice ?? null,
      customer: idOf(customer) ?? null,
      elsewhere: isElsewhere(metadata, installation),
    };
  },
});

function subjectOf(metadata: Stripe.Metadata): DisputeSubject {
  if (metadata[PURCHASE] !== undefined) return 'credits';
  return metadata[PURPOSE] === 'analysis' ? 'analysis' : 'other';
}
