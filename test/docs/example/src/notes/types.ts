import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { InvalidInput, NotFound } from '../../../../../src/graphql/kit/refusals.js';

@ObjectType({ description: 'A note of an account.' })
export class Note {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => String, { description: 'Its text.' })
  text!: string;
}

@InputType({ description: 'Input for `writeNote`.' })
export class WriteNoteInput {
  @Field(() => String, { description: '1 to 500 characters.' })
  text!: string;

  @Field(() => String, { nullable: true, description: 'Idempotency key. A retry returns the first result.' })
  commandId?: string | null;
}

@ObjectType({ description: 'The new note.' })
export class WriteNotePayload {
  @Field(() => Note, { description: 'The note.' })
  note!: Note;

  @Field(() => String, { description: 'The position of this change in the event log.' })
  position!: string;
}

export const WriteNoteResult = createUnionType({
  name: 'WriteNoteResult',
  description: 'The new note, or why there is none.',
  types: () => [WriteNotePayload, NotFound, InvalidInput] as const,
});
