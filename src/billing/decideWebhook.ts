import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { StripeEventEvent, WebhookEffect } from './events.js';

type Received = Extract<StripeEventEvent, { type: 'StripeEventReceived' }>['data'];

export type StripeEventCommand =
  | { readonly type: 'ReceiveStripeEvent'; readonly received: Received }
  | {
      readonly type: 'HandleStripeEvent';
      readonly effect: WebhookEffect;
      readonly accountId: string | null;
    };

export interface StripeEventState {
  readonly received: boolean;
  readonly handled: boolean;
}

/** Of an event that nothing was done about yet: its stream has the one event that it came as. */
export const WAITING = { state: { received: true, handled: false }, revision: 0 } as const;

export const stripeEventDecider: Decider<StripeEventState, StripeEventCommand, StripeEventEvent> = {
  initial: { received: false, handled: false },
  evolve: (state, { type }) =>
    type === 'StripeEventReceived' ? { ...state, received: true } : { ...state, handled: true },
  decide: ({ received, handled }, command) => {
    if (command.type === 'ReceiveStripeEvent') {
      return received ? accept() : accept({ type: 'StripeEventReceived', data: command.received });
    }
    if (!received) return refuse('NOT_FOUND', 'There is no such event of Stripe.');
    if (handled) return accept();
    const { effect, accountId } = command;
    return accept({ type: 'StripeEventHandled', data: { effect, accountId } });
  },
};
