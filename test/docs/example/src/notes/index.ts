import type { Capability } from '../../../../../src/capability.js';
import type { Audited } from '../../../../../src/eventsourcing/audited.js';
import { NoteQueries } from '../../projections/notes/queries.js';
import type { NoteEvent } from './events.js';
import { AccountNotesResolver, NotesResolver } from './resolvers.js';

const audited: Audited<NoteEvent> = {
  NoteWritten: ({ accountId }) => ({ account: accountId }),
  NoteErased: ({ accountId }) => ({ account: accountId }),
};

export const notes: Capability = {
  streams: ['note'],
  audited,
  graphql: {
    resolvers: [NotesResolver, AccountNotesResolver],
    create: ({ sender, sql, models }) => ({
      resolvers: [
        new NotesResolver(sender),
        new AccountNotesResolver(new NoteQueries(sql, models.access('notes'))),
      ],
    }),
  },
};
