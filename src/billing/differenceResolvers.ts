import { Args, FieldResolver, Resolver } from 'type-graphql';
import type { InvoiceQueries } from '../../projections/invoices/queries.js';
import { Sized } from '../graphql/cost/directives.js';
import type { Cursors } from '../graphql/kit/cursors.js';
import type { Page } from '../graphql/kit/pages.js';
import { PageArgs, pageOf } from '../graphql/kit/pages.js';
import { Operator } from '../operators/types.js';
import type { DifferingInvoice } from './differenceTypes.js';
import { DifferingInvoiceConnection, differingOf } from './differenceTypes.js';

const LIST = 'invoice-differences';

@Resolver(() => Operator)
export class OperatorInvoiceDifferencesResolver {
  constructor(
    private readonly queries: InvoiceQueries,
    private readonly cursors: Cursors,
  ) {}

  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => DifferingInvoiceConnection, {
    nullable: true,
    description:
      'Invoices of the payment service that are not what the events say they should be, newest first. Each invoice is compared when it is issued.',
  })
  async invoiceDifferences(
    @Args(() => PageArgs) { first, after }: PageArgs,
  ): Promise<Page<DifferingInvoice>> {
    const { queries, cursors } = this;
    const place = cursors.after(LIST, after);
    const rows = await queries.differing(first + 1, place && Number(place[0]));
    return pageOf(cursors, LIST, rows, { first, after }, ({ position }) => [String(position)], differingOf);
  }
}
