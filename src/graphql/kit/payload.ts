import 'reflect-metadata';
import { Field, ObjectType } from 'type-graphql';

/** What every command answers with, beside what it has changed. */
@ObjectType()
export abstract class Payload {
  @Field(() => Boolean, {
    description:
      'Whether a command with this `commandId` had been handled before: then this is its first result again, without secrets.',
  })
  replayed!: boolean;

  @Field(() => String, {
    description: 'Opaque event-log position of the change; pass it as `minPosition` to read your write.',
  })
  position!: string;
}

/** A payload with all its fields. */
export const payload = <T extends object>(type: new () => T, fields: T): T =>
  Object.assign(new type(), fields);
