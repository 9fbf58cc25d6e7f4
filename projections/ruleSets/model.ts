import type { RuleSetEvent } from '../../src/analysis/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';

/** The rule sets of accounts with all their versions, the deleted ones not. */
export const ruleSets: ReadModel = {
  name: 'ruleSets',
  version: 1,
  tables: ['rule_sets', 'rule_set_versions'],
  handles: new Set<RuleSetEvent['type']>(['RuleSetCreated', 'RuleSetUpdated', 'RuleSetDeleted']),
  create: (t) => `
    CREATE TABLE ${t('rule_sets')} (
      id         text PRIMARY KEY,
      account_id text NOT NULL,
      -- The newest.
      version    int NOT NULL,
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL
    );
    CREATE TABLE ${t('rule_set_versions')} (
      id      text NOT NULL,
      version int NOT NULL,
      -- Sealed for the set: its name and rules.
      content text NOT NULL,
      PRIMARY KEY (id, version)
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('rule_sets')} (account_id, created_at, id)`],
  fold: (events, t) =>
    events.flatMap((stored) => {
      const { type, data } = as<RuleSetEvent>(stored);
      const { streamId: id } = stored;
      const { at } = stored.metadata;
      const version = (number: number, content: string) => ({
        text: `INSERT INTO ${t('rule_set_versions')} VALUES ($1, $2, $3)`,
        params: [id, number, content],
      });
      switch (type) {
        case 'RuleSetCreated':
          return [
            {
              text: `INSERT INTO ${t('rule_sets')} VALUES ($1, $2, 1, $3, $3)`,
              params: [id, data.accountId, at],
            },
            version(1, data.content),
          ];
        case 'RuleSetUpdated':
          return [
            {
              text: `UPDATE ${t('rule_sets')} SET version = $2, updated_at = $3 WHERE id = $1`,
              params: [id, data.version, at],
            },
            version(data.version, data.content),
          ];
        case 'RuleSetDeleted':
          return [
            { text: `DELETE FROM ${t('rule_sets')} WHERE id = $1`, params: [id] },
            { text: `DELETE FROM ${t('rule_set_versions')} WHERE id = $1`, params: [id] },
          ];
      }
    }),
};
