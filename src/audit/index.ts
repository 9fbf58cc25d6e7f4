import type { Capability } from '../capability.js';
import { inReach } from '../graphql/kit/access.js';
import { auditRoutes } from './export.js';
import { auditEntryOf } from './types.js';
import { AccountAuditResolver, AUDIT_ACCESS, OperatorAuditResolver, pageOfLog } from './resolvers.js';

/** Streams of its own it has none: it shows what others tell of their events. */
export const audit: Capability = {
  streams: [],
  graphql: {
    resolvers: [OperatorAuditResolver, AccountAuditResolver],
    create: ({ queries, cursors, standingIn }) => {
      const log = pageOfLog(queries.audit, cursors);
      return {
        resolvers: [new OperatorAuditResolver(log), new AccountAuditResolver(log)],
        nodes: {
          AuditEntry: async (ids, context) => {
            const rows = await queries.audit.byIds(ids);
            const seen = await inReach(
              rows,
              async ({ account_id: id }) => (id === null ? undefined : standingIn(context, id)),
              AUDIT_ACCESS,
            );
            return seen.map(auditEntryOf);
          },
        },
      };
    },
  },
  routes: ({ queries, log }) => auditRoutes(queries.audit, log),
};
