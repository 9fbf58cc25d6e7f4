import { Arg, Args, FieldResolver, ID, Resolver } from 'type-graphql';
import type { AccountQueries, AccountRow } from '../../projections/accounts/queries.js';
import { Sized } from '../graphql/cost/directives.js';
import { givenId } from '../graphql/kit/ids.js';
import type { Cursors, Place } from '../graphql/kit/cursors.js';
import type { Page } from '../graphql/kit/pages.js';
import { pageOf } from '../graphql/kit/pages.js';
import { Operator } from '../operators/types.js';
import { AccountConnection, AccountsPage } from './operatorTypes.js';
import { Account } from './types.js';

/** Names the list in its cursors. */
const LIST = 'accounts';

/** Every account, deleted ones too: an operator has to explain what was. */
@Resolver(() => Operator)
export class OperatorAccountsResolver {
  constructor(
    private readonly queries: AccountQueries,
    private readonly cursors: Cursors,
    private readonly defaultPlan: () => string,
    /** The account of the user who has an e-mail. */
    private readonly accountOfEmail: (email: string) => Promise<string | undefined>,
  ) {}

  @FieldResolver(() => Account, {
    nullable: true,
    description:
      'Any account, with everything that its owner sees. Null if there is no account with this id.',
  })
  async account(
    @Arg('id', () => ID, { description: 'Id of the account, e.g. `acc_…`.' }) id: string,
  ): Promise<Account | null> {
    const [row] = await this.queries.accounts([givenId('Account', id)]);
    return row ? asOperator(row) : null;
  }

  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => AccountConnection, {
    nullable: true,
    description: 'All accounts, newest first, including deleted ones.',
  })
  async accounts(@Args(() => AccountsPage) { first, after, filter }: AccountsPage): Promise<Page<Account>> {
    const place = this.cursors.after(LIST, after);
    const email = filter?.email ?? undefined;
    const id = email === undefined ? undefined : await this.accountOfEmail(email);
    // An e-mail that nobody has finds nothing.
    const none = email !== undefined && id === undefined;
    const planId = filter?.planId ?? undefined;
    const rows = none
      ? []
      : await this.queries.page(
          { id, planId, defaultPlan: this.defaultPlan() },
          first,
          place && { at: new Date(Number(place[0])), id: place[1] as string },
        );
    const placeOf = (row: AccountRow): Place => [row.opened_at.getTime(), row.id];
    return pageOf(this.cursors, LIST, rows, { first, after }, placeOf, asOperator);
  }
}

const asOperator = ({ id }: AccountRow): Account => new Account(id, { kind: 'operator' });
