import type { Capability } from '../capability.js';
import { auditRoutes } from './export.js';
import { AccountAuditResolver, OperatorAuditResolver, pageOfLog } from './resolvers.js';

/** Streams of its own it has none: it shows what others tell of their events. */
export const audit: Capability = {
  streams: [],
  graphql: {
    resolvers: [OperatorAuditResolver, AccountAuditResolver],
    create: ({ queries, cursors }) => {
      const log = pageOfLog(queries.audit, cursors);
      return { resolvers: [new OperatorAuditResolver(log), new AccountAuditResolver(log)] };
    },
  },
  routes: ({ queries, log }) => auditRoutes(queries.audit, log),
};
