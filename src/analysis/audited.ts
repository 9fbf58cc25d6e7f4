import type { Audited } from '../eventsourcing/audited.js';
import type { AnalysisEvent, RuleSetEvent } from './events.js';

/** What the audit log keeps: who has asked for an analysis, who has deleted it, and who has changed rules. */
export const audited: Pick<Audited<AnalysisEvent>, 'AnalysisRequested' | 'AnalysisDeleted'> &
  Audited<RuleSetEvent> = {
  AnalysisRequested: ({ accountId }, id) => ({ account: accountId, subject: `analysis:${id}` }),
  AnalysisDeleted: ({ accountId, by }, id) => ({ account: accountId, actor: by, subject: `analysis:${id}` }),
  RuleSetCreated: ({ accountId, by }, id) => ({ account: accountId, actor: by, subject: `rule-set:${id}` }),
  RuleSetUpdated: ({ accountId, by }, id) => ({ account: accountId, actor: by, subject: `rule-set:${id}` }),
  RuleSetDeleted: ({ accountId, by }, id) => ({ account: accountId, actor: by, subject: `rule-set:${id}` }),
};
