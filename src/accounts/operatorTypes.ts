import 'reflect-metadata';
import { ArgsType, Field, ID, InputType } from 'type-graphql';
import { connectionOf, PageArgs } from '../graphql/kit/pages.js';
import { Account } from './types.js';

export const AccountConnection = connectionOf(Account, {
  entry: 'Account',
  one: 'account',
  many: 'accounts',
});

@InputType({ description: 'Selects accounts. All given conditions must hold.' })
export class AccountFilter {
  @Field(() => String, {
    nullable: true,
    description: 'E-mail address of the user who opened the account. Compared without regard to case.',
  })
  email?: string | null;

  @Field(() => ID, { nullable: true, description: 'Id of the plan in force, e.g. `free`.' })
  planId?: string | null;
}

@ArgsType()
export class AccountsPage extends PageArgs {
  @Field(() => AccountFilter, { nullable: true, description: 'Selects accounts; by default all.' })
  filter?: AccountFilter | null;
}
