import type { Decider } from '../eventsourcing/decider.js';
import { accept } from '../eventsourcing/decider.js';
import type { Disputed, DisputeEnd, DisputeEvent } from './events.js';

/** How a dispute stands at the payment service. An inquiry of a bank takes no money, and may become one. */
export type DisputeStatus = 'inquiry' | 'inquiry_closed' | 'open' | 'won' | 'lost';

export interface RecordDispute {
  readonly type: 'RecordDispute';
  readonly status: DisputeStatus;
  readonly disputed: Disputed;
}

export interface DisputeState {
  readonly inquiry: 'open' | 'closed' | undefined;
  readonly opened: Disputed | undefined;
  readonly ended: 'won' | 'lost' | undefined;
}

/** Records how a dispute stands, whatever was recorded before: what has told of it may come late and twice. */
export const disputeDecider: Decider<DisputeState, RecordDispute, DisputeEvent> = {
  initial: { inquiry: undefined, opened: undefined, ended: undefined },

  evolve: (state, event) => {
    switch (event.type) {
      case 'InquiryOpened':
        return { ...state, inquiry: 'open' };
      case 'InquiryClosed':
        return { ...state, inquiry: 'closed' };
      case 'DisputeOpened':
        return { ...state, opened: event.data };
      case 'DisputeWon':
        return { ...state, ended: 'won' };
      case 'DisputeLost':
        return { ...state, ended: 'lost' };
    }
  },

  decide: ({ inquiry, opened, ended }, { status, disputed }) => {
    if (ended !== undefined) return accept();
    if (status === 'inquiry' || status === 'inquiry_closed') {
      if (opened || inquiry === 'closed') return accept();
      const asked: DisputeEvent[] = inquiry ? [] : [{ type: 'InquiryOpened', data: disputed }];
      if (status === 'inquiry') return accept(...asked);
      return accept(...asked, { type: 'InquiryClosed', data: endOf(disputed) });
    }
    const first: DisputeEvent[] = opened ? [] : [{ type: 'DisputeOpened', data: disputed }];
    if (status === 'open') return accept(...first);
    const type = status === 'won' ? 'DisputeWon' : 'DisputeLost';
    return accept(...first, { type, data: endOf(opened ?? disputed) });
  },
};

const endOf = ({ accountId, subject, amount, unrefunded, currency }: Disputed): DisputeEnd => ({
  accountId,
  subject,
  amount,
  ...(unrefunded !== undefined && { unrefunded }),
  currency,
});
