import { Args, FieldResolver, Resolver } from 'type-graphql';
import type { OverageQueries } from '../../projections/overage/queries.js';
import { Sized } from '../graphql/cost/directives.js';
import type { Cursors } from '../graphql/kit/cursors.js';
import type { Page } from '../graphql/kit/pages.js';
import { PageArgs, pageOf } from '../graphql/kit/pages.js';
import { Operator } from '../operators/types.js';
import type { OverageCorrection } from './correctionTypes.js';
import { correctionOf, OverageCorrectionConnection } from './correctionTypes.js';

const LIST = 'overage-corrections';

@Resolver(() => Operator)
export class OperatorOverageCorrectionsResolver {
  constructor(
    private readonly queries: OverageQueries,
    private readonly cursors: Cursors,
  ) {}

  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => OverageCorrectionConnection, {
    nullable: true,
    description:
      'Corrections of usage that was invoiced already, of accounts whose subscription has ended, newest first. While a subscription runs, corrections stand on its next invoice.',
  })
  async overageCorrections(
    @Args(() => PageArgs) { first, after }: PageArgs,
  ): Promise<Page<OverageCorrection>> {
    const { queries, cursors } = this;
    const place = cursors.after(LIST, after);
    const rows = await queries.corrections(first + 1, place && Number(place[0]));
    return pageOf(cursors, LIST, rows, { first, after }, ({ position }) => [String(position)], correctionOf);
  }
}
