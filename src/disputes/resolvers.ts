import { Args, FieldResolver, Resolver } from 'type-graphql';
import type { DisputeQueries } from '../../projections/disputes/queries.js';
import type { Position } from '../eventsourcing/event.js';
import type { Behind } from '../following/behind.js';
import { Sized } from '../graphql/cost/directives.js';
import type { Cursors } from '../graphql/kit/cursors.js';
import type { Page } from '../graphql/kit/pages.js';
import { PageArgs, pageOf } from '../graphql/kit/pages.js';
import { Operator } from '../operators/types.js';
import type { Dispute } from './types.js';
import { DisputeConnection, disputeOf } from './types.js';

const LIST = 'disputes';

@Resolver(() => Operator)
export class OperatorDisputesResolver {
  constructor(
    private readonly queries: Behind<DisputeQueries>,
    private readonly cursors: Cursors,
    /** Position of the newest event that this process has stored. */
    private readonly stored: () => Position,
  ) {}

  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => DisputeConnection, {
    nullable: true,
    description: 'Payments that customers have disputed at their banks, or banks ask about, newest first.',
  })
  async disputes(@Args(() => PageArgs) { first, after }: PageArgs): Promise<Page<Dispute>> {
    const { cursors } = this;
    const queries = await this.queries.upTo(this.stored());
    const place = cursors.after(LIST, after);
    const rows = await queries.page(first + 1, place && Number(place[0]));
    return pageOf(cursors, LIST, rows, { first, after }, ({ position }) => [String(position)], disputeOf);
  }
}
