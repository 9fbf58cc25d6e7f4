import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { PaymentUsed } from './events.js';

interface UsePayment {
  readonly purpose: 'analysis';
  readonly content: string;
}

/** A payment is used once; the same again is the same use. */
export const paymentDecider: Decider<{ content: string | undefined }, UsePayment, PaymentUsed> = {
  initial: { content: undefined },
  evolve: (_state, { data }) => ({ content: data.content }),
  decide: (state, { purpose, content }) => {
    if (state.content === content) return accept();
    if (state.content !== undefined)
      return refuse('PAYMENT_USED', 'This payment was used for something else.');
    return accept({ type: 'PaymentUsed', data: { purpose, content } });
  },
};
