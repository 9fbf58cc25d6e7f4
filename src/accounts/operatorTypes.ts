import 'reflect-metadata';
import { ArgsType, Field, ID, InputType } from 'type-graphql';
import { connectionOf, PageArgs } from '../graphql/kit/pages.js';
import { Account } from './types.js';

export const AccountConnection = connectionOf(Account, {
  entry: 'Account',
  one: 'account',
  many: 'accounts',
});

@InputType({ description: 'Which accounts; what is left out is not asked for.' })
export class AccountFilter {
  @Field(() => String, {
    nullable: true,
    description: 'Only the account of the user who has this e-mail.',
  })
  email?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only accounts on this plan, e.g. `free`.' })
  planId?: string | null;
}

@ArgsType()
export class AccountsPage extends PageArgs {
  @Field(() => AccountFilter, { nullable: true, description: 'Only these accounts.' })
  filter?: AccountFilter | null;
}
