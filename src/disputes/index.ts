import type { Capability } from '../capability.js';
import type { Audited } from '../eventsourcing/audited.js';
import type { DisputeEvent } from './events.js';
import { OperatorDisputesResolver } from './resolvers.js';

const audited: Audited<DisputeEvent> = {
  InquiryOpened: ({ accountId }) => ({ account: accountId }),
  InquiryClosed: ({ accountId }) => ({ account: accountId }),
  DisputeOpened: ({ accountId }) => ({ account: accountId }),
  DisputeWon: ({ accountId }) => ({ account: accountId }),
  DisputeLost: ({ accountId }) => ({ account: accountId }),
};

export const disputes: Capability = {
  streams: ['dispute'],
  audited,
  graphql: {
    resolvers: [OperatorDisputesResolver],
    create: ({ queries, cursors, stored }) => ({
      resolvers: [new OperatorDisputesResolver(queries.disputes, cursors, stored)],
    }),
  },
};
