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
      if (received) return accept();
      const event: StripeEventEvent = { type: 'StripeEventReceived', data: command.received };
      if (command.received.connectedAccount === null) return accept(event);
      // What happens in an account that is connected to ours is none of our business: our key does not find it.
      return accept<StripeEventEvent>(event, {
        type: 'StripeEventHandled',
        data: { effect: 'none', accountId: null },
      });
    }
    if (!received) return refuse('NOT_FOUND', 'There is no such event of Stripe.');
    if (handled) return accept();
    const { effect, accountId } = command;
    return accept({ type: 'StripeEventHandled', data: { effect, accountId } });
  },
};
