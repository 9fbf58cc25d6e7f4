import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import { STALE } from '../eventsourcing/retryStale.js';
import type { PaymentEvent } from './events.js';

export type PaymentCommand =
  | {
      readonly type: 'UsePayment';
      readonly purpose: 'analysis';
      readonly content: string;
      /** How many things the payment pays for. */
      readonly quantity: number;
    }
  | {
      /** As it stands at Stripe. */
      readonly type: 'RecordPayment';
      readonly purpose: 'analysis';
      readonly amount: number;
      readonly currency: string;
      /** All that was given back, in minor units. */
      readonly refunded: number;
      /** How many events the stream had before Stripe was asked. */
      readonly asOf: number;
    };

export interface PaymentUses {
  /** How many events the stream has. */
  readonly events: number;
  /** Of all that it was used for. */
  readonly contents: ReadonlySet<string>;
  readonly received: boolean;
  /** All that was given back, in minor units. */
  readonly refunded: number;
}

/** A payment is used for as many things as it pays for; the same again is the same use. */
export const paymentDecider: Decider<PaymentUses, PaymentCommand, PaymentEvent> = {
  initial: { events: 0, contents: new Set(), received: false, refunded: 0 },

  evolve: (before, { type, data }) => {
    const state = { ...before, events: before.events + 1 };
    switch (type) {
      case 'PaymentUsed':
        return { ...state, contents: new Set([...state.contents, data.content]) };
      case 'PaymentReceived':
        return { ...state, received: true };
      case 'PaymentRefunded':
        return { ...state, refunded: data.refunded };
    }
  },

  decide: (state, command) => {
    if (command.type === 'RecordPayment') {
      const { purpose, amount, currency, refunded, asOf } = command;
      if (state.events !== asOf) return refuse(STALE, 'Stripe has to be asked again.');
      const received: PaymentEvent = { type: 'PaymentReceived', data: { purpose, amount, currency } };
      const back = refunded - state.refunded;
      const given: PaymentEvent = { type: 'PaymentRefunded', data: { amount: back, refunded, currency } };
      return accept<PaymentEvent>(...(state.received ? [] : [received]), ...(back === 0 ? [] : [given]));
    }
    const { purpose, content, quantity } = command;
    if (state.contents.has(content)) return accept();
    if (state.contents.size >= quantity) {
      return refuse('PAYMENT_USED', 'This payment was used for something else.');
    }
    return accept({ type: 'PaymentUsed', data: { purpose, content } });
  },
};
