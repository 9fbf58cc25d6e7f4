import { Args, FieldResolver, Resolver } from 'type-graphql';
import type { StripeEventQueries } from '../../projections/stripeEvents/queries.js';
import type { Position } from '../eventsourcing/event.js';
import type { Behind } from '../following/behind.js';
import { Sized } from '../graphql/cost/directives.js';
import type { Cursors } from '../graphql/kit/cursors.js';
import type { Page } from '../graphql/kit/pages.js';
import { pageOf } from '../graphql/kit/pages.js';
import { Operator } from '../operators/types.js';
import type { PaymentEvent } from './receivedTypes.js';
import { PaymentEventConnection, paymentEventOf, PaymentEventPage } from './receivedTypes.js';

const LIST = 'payment-events';

@Resolver(() => Operator)
export class OperatorPaymentEventsResolver {
  constructor(
    private readonly queries: Behind<StripeEventQueries>,
    private readonly cursors: Cursors,
    /** Position of the newest event that this process has stored. */
    private readonly stored: () => Position,
  ) {}

  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => PaymentEventConnection, {
    nullable: true,
    description: 'Events received from the payment service, newest first, and how each was handled.',
  })
  async paymentEvents(
    @Args(() => PaymentEventPage) { first, after, filter }: PaymentEventPage,
  ): Promise<Page<PaymentEvent>> {
    const { cursors } = this;
    const queries = await this.queries.upTo(this.stored());
    const place = cursors.after(LIST, after);
    const { accountId, type, effect, waiting } = filter ?? {};
    const rows = await queries.page(
      {
        accountId: accountId ?? undefined,
        type: type ?? undefined,
        effect: effect ?? undefined,
        waiting: waiting ?? undefined,
      },
      first + 1,
      place && Number(place[0]),
    );
    return pageOf(cursors, LIST, rows, { first, after }, ({ position }) => [position], paymentEventOf);
  }
}
