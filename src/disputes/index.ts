import type { Capability } from '../capability.js';
import type { Audited } from '../eventsourcing/audited.js';
import type { DisputeEvent } from './events.js';
import { OperatorDisputesResolver } from './resolvers.js';

const audited: Audited<DisputeEvent> = {
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
