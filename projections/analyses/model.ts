import type { AnalysisEvent } from '../../src/analysis/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';

/** Analyses that were asked for, the deleted ones not. */
export const analyses: ReadModel = {
  name: 'analyses',
  version: 2,
  tables: ['analyses'],
  handles: new Set<AnalysisEvent['type']>([
    'AnalysisRequested',
    'AnalysisFileReceived',
    'AnalysisCompleted',
    'AnalysisFailed',
    'AnalysisRefunded',
    'AnalysisDeleted',
  ]),
  create: (t) => `
    CREATE TABLE ${t('analyses')} (
      id           text PRIMARY KEY,
      -- Null for whoever has no account.
      account_id   text,
      -- awaiting_file, queued, completed, failed; deleted where what was paid is still to go back.
      status       text NOT NULL,
      requested_at timestamptz NOT NULL,
      received_at  timestamptz,
      ended_at     timestamptz,
      file_hash    text,
      file_bytes   bigint,
      counts       jsonb,
      has_result   bool NOT NULL,
      failure      text,
      -- due or done; null where nothing goes back.
      refund       text,
      -- The account's rules for it; null for the service's own, and the version null until they were used.
      rule_set_id   text,
      rules_version int
    );`,
  indexes: (t) => [
    `CREATE INDEX ON ${t('analyses')} (account_id, requested_at, id)`,
    `CREATE INDEX ON ${t('analyses')} (received_at, id) WHERE status = 'queued' OR refund = 'due'`,
  ],
  fold: (events, t) =>
    events.map((stored) => {
      const { type, data } = as<AnalysisEvent>(stored);
      const { streamId: id } = stored;
      const { at } = stored.metadata;
      switch (type) {
        case 'AnalysisRequested':
          return {
            text: `INSERT INTO ${t('analyses')}
                     (id, account_id, status, requested_at, has_result, rule_set_id, rules_version)
                   VALUES ($1, $2, 'awaiting_file', $3, false, $4, $5)`,
            params: [id, data.accountId, at, data.ruleSet?.id ?? null, data.ruleSet?.version ?? null],
          };
        case 'AnalysisFileReceived':
          return {
            text: `UPDATE ${t('analyses')}
                      SET status = 'queued', received_at = $2, file_hash = $3, file_bytes = $4
                    WHERE id = $1`,
            params: [id, at, data.file.hash, data.file.bytes],
          };
        case 'AnalysisCompleted':
          return {
            text: `UPDATE ${t('analyses')}
                      SET status = 'completed', ended_at = $2, counts = $3, has_result = $4,
                          rules_version = COALESCE($5, rules_version)
                    WHERE id = $1`,
            params: [id, at, JSON.stringify(data.counts), data.result !== null, data.rulesVersion],
          };
        case 'AnalysisFailed':
          return {
            text: `UPDATE ${t('analyses')}
                      SET status = CASE status WHEN 'deleted' THEN status ELSE 'failed' END,
                          ended_at = $2, failure = $3, refund = $4
                    WHERE id = $1`,
            params: [id, at, data.reason, data.refund ? 'due' : null],
          };
        case 'AnalysisRefunded':
          return { text: `UPDATE ${t('analyses')} SET refund = 'done' WHERE id = $1`, params: [id] };
        case 'AnalysisDeleted':
          return { text: `UPDATE ${t('analyses')} SET status = 'deleted' WHERE id = $1`, params: [id] };
      }
    }),
};
