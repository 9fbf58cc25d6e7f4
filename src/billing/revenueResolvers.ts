import { Args, Ctx, FieldResolver, Resolver } from 'type-graphql';
import type { Position } from '../eventsourcing/event.js';
import type { Behind } from '../following/behind.js';
import type { RevenueQueries } from '../../projections/revenue/queries.js';
import { Sized } from '../graphql/cost/directives.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { Operator } from '../operators/types.js';
import { Revenue, RevenueArgs, revenueOf } from './revenueTypes.js';

const MONTH_MS = 30 * 86_400_000;
/** More than any profile has. */
const MAX_CURRENCIES = 10;

@Resolver(() => Operator)
export class OperatorRevenueResolver {
  /** @param stored position of the newest event that this process has stored */
  constructor(
    private readonly queries: Behind<RevenueQueries>,
    private readonly stored: () => Position,
  ) {}

  @Sized({ assumedSize: MAX_CURRENCIES })
  @FieldResolver(() => [Revenue], {
    nullable: true,
    description: 'What is earned, by currency, as of any moment. Each figure says how it is defined.',
  })
  async revenue(
    @Ctx() { now }: RequestContext,
    @Args(() => RevenueArgs) asked: RevenueArgs,
  ): Promise<Revenue[]> {
    const to = asked.to ?? new Date(now + 1);
    const from = asked.from ?? new Date(to.getTime() - MONTH_MS);
    const queries = await this.queries.upTo(this.stored());
    return (await queries.between(from, to)).map(revenueOf);
  }
}
