import { as } from '../../../../../src/eventsourcing/event.js';
import type { ReadModel } from '../../../../../src/following/readModel.js';
import type { NoteEvent } from '../../src/notes/events.js';

/** The notes of accounts that were not erased. */
export const notes: ReadModel = {
  name: 'notes',
  version: 1,
  tables: ['notes'],
  handles: new Set<NoteEvent['type']>(['NoteWritten', 'NoteErased']),
  create: (t) => `
    CREATE TABLE ${t('notes')} (
      id         text PRIMARY KEY,
      account_id text NOT NULL,
      text       text NOT NULL,
      written_at timestamptz NOT NULL
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('notes')} (account_id, written_at)`],
  fold: (events, t) =>
    events.map((stored) => {
      const { type, data } = as<NoteEvent>(stored);
      if (type === 'NoteErased') {
        return { text: `DELETE FROM ${t('notes')} WHERE id = $1`, params: [stored.streamId] };
      }
      return {
        text: `INSERT INTO ${t('notes')} VALUES ($1, $2, $3, $4)`,
        params: [stored.streamId, data.accountId, data.text, stored.metadata.at],
      };
    }),
};
