import type { Audited } from '../eventsourcing/audited.js';
import type { ParkedUse, ParkedUseEvent, QuotaEvent, UseReversal } from './events.js';

/** As it is cited (decision 9). */
const subjectOf = ({ event, index }: ParkedUse): string => `use:${event}#${index}`;

/** What the audit log keeps: what operators have decided of uses, and of quotas. */
export const audited: Audited<ParkedUseEvent | QuotaEvent | UseReversal> = {
  QuotaReset: ({ window, period, resetBy, reason }, id) => ({
    account: id,
    actor: resetBy,
    subject: `quota:${window}:${period}`,
    reason,
  }),
  ParkedUseCorrected: (use) => ({ account: use.account, subject: subjectOf(use) }),
  ParkedUseLeftOut: (use) => ({ account: use.account, subject: subjectOf(use) }),
  UseReversed: ({ account, use: { id, reason } }) => ({
    account,
    subject: `use:${id}`,
    ...(reason !== undefined && { reason }),
  }),
};
