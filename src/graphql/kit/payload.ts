import 'reflect-metadata';
import { Field, ObjectType } from 'type-graphql';

/** What every command answers with, beside what it has changed. */
@ObjectType()
export abstract class Payload {
  @Field(() => Boolean, {
    description:
      'True if this `commandId` was handled before. This is then the first result again, without secrets.',
  })
  replayed!: boolean;

  @Field(() => String, {
    description: 'Opaque event-log position of the change. Pass it as `minPosition` to read your own write.',
  })
  position!: string;
}

/** A payload with all its fields. */
export const payload = <T extends object>(type: new () => T, fields: T): T =>
  Object.assign(new type(), fields);
