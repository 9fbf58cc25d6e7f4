import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { TrialCardUsed } from './events.js';

/** Nobody is answered with it: the subscription is ended. */
const CARD_USED = 'TRIAL_USED';

/** A card gives one account a trial; the same account again is the same trial. */
export const trialCardDecider: Decider<
  { accountId: string | undefined },
  { readonly accountId: string },
  TrialCardUsed
> = {
  initial: { accountId: undefined },
  evolve: (_state, { data }) => ({ accountId: data.accountId }),
  decide: (state, { accountId }) => {
    if (state.accountId === accountId) return accept();
    if (state.accountId !== undefined) return refuse(CARD_USED, 'This card has had its trial.');
    return accept({ type: 'TrialCardUsed', data: { accountId } });
  },
};
