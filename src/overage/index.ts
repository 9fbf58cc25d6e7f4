import type { Capability } from '../capability.js';
import type { Audited } from '../eventsourcing/audited.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { PublicEventsOf } from '../eventsourcing/publicEvents.js';
import { Outage } from '../outage.js';
import type { Profile } from '../plans/profile.js';
import { shownId } from '../graphql/kit/ids.js';
import type { OverageEvent } from './events.js';
import { OperatorOverageCorrectionsResolver } from './correctionResolvers.js';
import { AccountOverageResolver, OverageResolver, PlanOverageResolver } from './resolvers.js';

/** How long a setting waits for the ledger, in milliseconds. */
const LEDGER_WAIT_MS = 10_000;

type Told = Extract<OverageEvent, { type: 'SpendCapReached' }>;

const audited: Audited<Extract<OverageEvent, { type: 'OverageAllowed' | 'OverageStopped' }>> = {
  OverageAllowed: ({ by }, id) => ({ account: id, actor: by }),
  OverageStopped: ({ by }, id) => ({ account: id, actor: by }),
};

/** The cap as it was reached last. */
function reachedState(history: readonly StoredEvent[]): object {
  const last = history.findLast(({ type }) => type === 'SpendCapReached');
  if (!last) return {};
  const { period, cap, spent } = as<Told>(last).data;
  const accountId = shownId('Account', last.streamId);
  return { accountId, period, amount: cap.amount, currency: cap.currency, spent };
}

const publicEvents: PublicEventsOf<Told> = {
  SpendCapReached: {
    type: 'overage.cap_reached',
    description: 'Use above what the plan includes has come to the spend cap of the account.',
    account: ({ streamId }) => streamId,
    state: reachedState,
  },
};

export const overage: Capability = {
  streams: ['overage'],
  audited,
  publicEvents,
  graphql: {
    resolvers: [
      OverageResolver,
      PlanOverageResolver,
      AccountOverageResolver,
      OperatorOverageCorrectionsResolver,
    ],
    create: ({ sender, memory: { plans }, overage: parts, models, store, counted, queries, cursors }) => {
      const { statements, credits, now } = parts;
      const caughtUp = async (): Promise<void> => {
        if (await models.reached('usage', await store.head(), LEDGER_WAIT_MS)) return;
        throw new Outage('the ledger has not seen all uses yet');
      };
      const profile = (): Profile => plans.profile;
      const options = { sender, statements, credits: credits.peek, profile, now, caughtUp, counted };
      return {
        resolvers: [
          new OverageResolver(options),
          new PlanOverageResolver(profile),
          new AccountOverageResolver(options),
          new OperatorOverageCorrectionsResolver(queries.overage, cursors),
        ],
      };
    },
  },
};
