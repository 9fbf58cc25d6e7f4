import 'reflect-metadata';
import { Field, ObjectType } from 'type-graphql';
import { connectionOf } from '../../graphql/kit/pages.js';

@ObjectType({
  simpleResolvers: true,
  description: 'A record of a use whose id was stored before. It counts nothing.',
})
export class DuplicateUse {
  @Field(() => String, { description: 'The id of the use, as `account.uses` shows it.' })
  useId!: string;

  @Field(() => Boolean, {
    description:
      'Whether it says something else than the use that counts: two reporters have chosen the same id, or one has changed its mind.',
  })
  differs!: boolean;
}

export const DuplicateUseConnection = connectionOf(DuplicateUse, {
  entry: 'DuplicateUse',
  list: 'DuplicateUse',
  one: 'record that counts nothing',
  many: 'records that count nothing',
});
