import { Args, FieldResolver, Resolver, Root } from 'type-graphql';
import type { DuplicateRow, UsageQueries } from '../../../projections/usage/queries.js';
import { Account } from '../../accounts/types.js';
import { Sized } from '../../graphql/cost/directives.js';
import { Access, MEMBERS } from '../../graphql/kit/access.js';
import type { Cursors, Place } from '../../graphql/kit/cursors.js';
import type { Page } from '../../graphql/kit/pages.js';
import { PageArgs, pageOf } from '../../graphql/kit/pages.js';
import { DuplicateUse, DuplicateUseConnection } from './duplicateTypes.js';

/** Names the list in its cursors. */
const LIST = 'duplicate-uses';

@Resolver(() => Account)
export class DuplicateUsesResolver {
  constructor(
    private readonly queries: Pick<UsageQueries, 'duplicates'>,
    private readonly cursors: Cursors,
    /** Waits, bounded, until the ledger has judged what this process has stored. */
    private readonly counted: () => Promise<unknown>,
  ) {}

  @Access({ scope: 'read', roles: MEMBERS })
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => DuplicateUseConnection, {
    nullable: true,
    description:
      'Reported uses that were stored although their ids had been stored before, the newest first: two processes took them at the same moment. What is known to be there already is refused at once, and not here.',
  })
  async duplicateUses(
    @Root() { id }: Account,
    @Args(() => PageArgs) { first, after }: PageArgs,
  ): Promise<Page<DuplicateUse>> {
    const place = this.cursors.after(LIST, after);
    const before = place && { position: Number(place[0]), place: Number(place[1]) };
    await this.counted();
    const rows = await this.queries.duplicates(id, first + 1, before);
    const placeOf = (row: DuplicateRow): Place => [row.position, row.place];
    const shown = ({ use_id: useId, differs }: DuplicateRow): DuplicateUse =>
      Object.assign(new DuplicateUse(), { useId, differs });
    return pageOf(this.cursors, LIST, rows, { first, after }, placeOf, shown);
  }
}
