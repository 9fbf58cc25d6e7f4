import type { Capability } from '../capability.js';
import type { Audited } from '../eventsourcing/audited.js';
import type { CreditEvent } from './events.js';
import { AccountCreditsResolver, CreditsResolver } from './resolvers.js';

type Kept = Extract<
  CreditEvent,
  {
    type:
      | 'CreditsGranted'
      | 'CreditsVoided'
      | 'CreditRefundRequested'
      | 'CreditsRefunded'
      | 'CreditRefundReversed'
      | 'CreditsWithdrawn'
      | 'CreditsReinstated'
      | 'CreditPurchaseRequested'
      | 'CreditTopUpSet';
  }
>;

const audited: Audited<Kept> = {
  CreditsGranted: ({ by }, id) => ({ account: id, actor: by }),
  CreditsVoided: ({ by }, id) => ({ account: id, actor: by }),
  CreditRefundRequested: ({ by }, id) => ({ account: id, actor: by }),
  CreditsRefunded: (_data, id) => ({ account: id }),
  CreditRefundReversed: (_data, id) => ({ account: id }),
  CreditsWithdrawn: (_data, id) => ({ account: id }),
  CreditsReinstated: (_data, id) => ({ account: id }),
  CreditPurchaseRequested: ({ by }, id) => ({ account: id, actor: by }),
  CreditTopUpSet: ({ by }, id) => ({ account: id, actor: by }),
};

export const credits: Capability = {
  streams: ['credits'],
  audited,
  graphql: {
    resolvers: [CreditsResolver, AccountCreditsResolver],
    create: ({
      sender,
      commands,
      operatorAction: action,
      positions,
      memory: { plans },
      overage,
      billing,
      standingIn,
      counted,
    }) => {
      const options = {
        desk: overage.credits,
        sender,
        commands,
        action,
        positions,
        profile: () => plans.profile,
        standingIn,
        sells: billing !== undefined,
        counted,
      };
      const accounts = new AccountCreditsResolver(options);
      return {
        resolvers: [new CreditsResolver(options), accounts],
        nodes: { CreditGrant: (ids, context) => accounts.find(ids, context) },
      };
    },
  },
};
