import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { PaymentUsed } from './events.js';

interface UsePayment {
  readonly purpose: 'analysis';
  readonly content: string;
  /** How many things the payment pays for. */
  readonly quantity: number;
}

export interface PaymentUses {
  /** Of all that it was used for. */
  readonly contents: ReadonlySet<string>;
}

/** A payment is used for as many things as it pays for; the same again is the same use. */
export const paymentDecider: Decider<PaymentUses, UsePayment, PaymentUsed> = {
  initial: { contents: new Set() },
  evolve: ({ contents }, { data }) => ({ contents: new Set([...contents, data.content]) }),
  decide: ({ contents }, { purpose, content, quantity }) => {
    if (contents.has(content)) return accept();
    if (contents.size >= quantity) {
      return refuse('PAYMENT_USED', 'This payment was used for something else.');
    }
    return accept({ type: 'PaymentUsed', data: { purpose, content } });
  },
};
