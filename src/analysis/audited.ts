import type { Audited } from '../eventsourcing/audited.js';
import type { AnalysisEvent } from './events.js';

/** What the audit log keeps: who has asked for an analysis, and who has deleted it. */
export const audited: Pick<Audited<AnalysisEvent>, 'AnalysisRequested' | 'AnalysisDeleted'> = {
  AnalysisRequested: ({ accountId }, id) => ({ account: accountId, subject: `analysis:${id}` }),
  AnalysisDeleted: ({ accountId, by }, id) => ({ account: accountId, actor: by, subject: `analysis:${id}` }),
};
