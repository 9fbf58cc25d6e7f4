import type { Decider } from '../eventsourcing/decider.js';
import { accept } from '../eventsourcing/decider.js';
import type { Disputed, DisputeEnd, DisputeEvent } from './events.js';

/** How a dispute stands at the payment service. A question of a bank takes no money, and may become one. */
export type DisputeStatus = 'question' | 'open' | 'won' | 'lost';

export interface RecordDispute {
  readonly type: 'RecordDispute';
  readonly status: DisputeStatus;
  readonly disputed: Disputed;
}

export interface DisputeState {
  readonly opened: Disputed | undefined;
  readonly ended: 'won' | 'lost' | undefined;
}

/** Records how a dispute stands, whatever was recorded before: what has told of it may come late and twice. */
export const disputeDecider: Decider<DisputeState, RecordDispute, DisputeEvent> = {
  initial: { opened: undefined, ended: undefined },

  evolve: (state, event) => {
    switch (event.type) {
      case 'DisputeOpened':
        return { ...state, opened: event.data };
      case 'DisputeWon':
        return { ...state, ended: 'won' };
      case 'DisputeLost':
        return { ...state, ended: 'lost' };
    }
  },

  decide: ({ opened, ended }, { status, disputed }) => {
    if (status === 'question' || ended !== undefined) return accept();
    const first: DisputeEvent[] = opened ? [] : [{ type: 'DisputeOpened', data: disputed }];
    if (status === 'open') return accept(...first);
    const { accountId, subject, amount, currency } = opened ?? disputed;
    const end: DisputeEnd = { accountId, subject, amount, currency };
    return accept(...first, { type: status === 'won' ? 'DisputeWon' : 'DisputeLost', data: end });
  },
};
