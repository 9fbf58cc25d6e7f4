import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { NoteQueries } from '../../projections/notes/queries.js';
import { Account } from '../../../../../src/accounts/types.js';
import { derivedId } from '../../../../../src/eventsourcing/ids.js';
import { Sized } from '../../../../../src/graphql/cost/directives.js';
import { Access, BUILDERS, MEMBERS } from '../../../../../src/graphql/kit/access.js';
import type { CommandSender } from '../../../../../src/graphql/kit/command.js';
import { Command } from '../../../../../src/graphql/kit/command.js';
import type { RequestContext } from '../../../../../src/graphql/kit/context.js';
import { accountOf, actorOf } from '../../../../../src/graphql/kit/context.js';
import { notDone } from '../../../../../src/graphql/kit/refusals.js';
import { noteDecider } from './decide.js';
import { noteStream } from './events.js';
import { Note, WriteNoteInput, WriteNotePayload, WriteNoteResult } from './types.js';

const MAX_NOTES = 100;

@Resolver()
export class NotesResolver {
  constructor(private readonly sender: CommandSender) {}

  @Command(() => WriteNoteResult, {
    access: { scope: 'write', roles: BUILDERS },
    description: 'Writes a note for the account.',
  })
  async writeNote(
    @Ctx() context: RequestContext,
    @Arg('input', () => WriteNoteInput, { description: 'The note.' }) input: WriteNoteInput,
  ): Promise<typeof WriteNoteResult> {
    const { text, commandId } = input;
    // The same command sent again meets the note that it has written.
    const id = derivedId('note', actorOf(context), commandId ?? context.correlationId);
    const sent = await this.sender.send(context, input, {
      decider: noteDecider,
      stream: noteStream(id),
      command: { type: 'WriteNote', accountId: accountOf(context), text },
      request: `write-note:${text}`,
    });
    if (sent.kind === 'refused') return notDone(sent.refusal);
    const note = Object.assign(new Note(), { id, text });
    return Object.assign(new WriteNotePayload(), { note, position: sent.position });
  }
}

@Resolver(() => Account)
export class AccountNotesResolver {
  constructor(private readonly queries: NoteQueries) {}

  @Access({ scope: 'read', roles: MEMBERS })
  @Sized({ assumedSize: MAX_NOTES })
  @FieldResolver(() => [Note], { nullable: true, description: 'The newest notes of the account.' })
  async notes(@Root() { id }: Account): Promise<Note[]> {
    const rows = await this.queries.newest(id, MAX_NOTES);
    return rows.map((row) => Object.assign(new Note(), row));
  }
}
