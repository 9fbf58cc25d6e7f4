import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { EndpointRow, EndpointsOf, WebhookQueries } from '../../projections/webhooks/queries.js';
import { Account } from '../accounts/types.js';
import { Sized } from '../graphql/cost/directives.js';
import { Access, MANAGERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import type { Cursors, Place } from '../graphql/kit/cursors.js';
import { invalidInput } from '../graphql/kit/errors.js';
import type { Page } from '../graphql/kit/pages.js';
import { PageArgs, pageOf } from '../graphql/kit/pages.js';
import { UrlScalar } from '../graphql/kit/url.js';
import { Operator } from '../operators/types.js';
import type { LoggedDelivery, Outbox } from '../outgoing/outbox.js';
import { MAX_EVENT_TYPES } from './decide.js';
import { WEBHOOK } from './deliveries.js';
import type { WebhookDelivery } from './types.js';
import {
  deliveryOf,
  DeliveryPage,
  endpointOf,
  filterOf,
  MAX_ATTEMPTS_SHOWN,
  WebhookDeliveryConnection,
  WebhookEndpoint,
  WebhookEndpointConnection,
} from './types.js';

/** Who sees the endpoints of an account. */
export const ENDPOINTS_ACCESS = { scope: 'admin', roles: MANAGERS } as const;

/** Names of the lists in their cursors. */
const LISTS = { endpoints: 'webhook-endpoints', deliveries: 'webhook-deliveries' } as const;

/** A page of endpoints, the oldest first. */
export type PageOfEndpoints = (of: EndpointsOf, asked: PageArgs) => Promise<Page<WebhookEndpoint>>;

export function pageOfEndpoints(queries: WebhookQueries, cursors: Cursors): PageOfEndpoints {
  return async (of, { first, after }) => {
    const place = cursors.after(LISTS.endpoints, after);
    const cursor = place && { at: new Date(Number(place[0])), id: place[1] as string };
    const rows = await queries.endpoints(of, first, cursor);
    const placeOf = (row: EndpointRow): Place => [row.created_at.getTime(), row.id];
    return pageOf(cursors, LISTS.endpoints, rows, { first, after }, placeOf, endpointOf);
  };
}

@Resolver(() => Account)
export class AccountWebhooksResolver {
  constructor(private readonly page: PageOfEndpoints) {}

  @Access(ENDPOINTS_ACCESS)
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => WebhookEndpointConnection, {
    nullable: true,
    description: 'Webhook endpoints of the account, oldest first.',
  })
  webhookEndpoints(
    @Root() { id: accountId }: Account,
    @Args(() => PageArgs) asked: PageArgs,
  ): Promise<Page<WebhookEndpoint>> {
    return this.page({ accountId }, asked);
  }
}

@Resolver(() => Operator)
export class OperatorWebhooksResolver {
  constructor(private readonly page: PageOfEndpoints) {}

  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => WebhookEndpointConnection, {
    nullable: true,
    description:
      'Webhook endpoints that all operators share, oldest first. They receive events of all accounts.',
  })
  webhookEndpoints(@Args(() => PageArgs) asked: PageArgs): Promise<Page<WebhookEndpoint>> {
    return this.page('operators', asked);
  }
}

@Resolver(() => WebhookEndpoint)
export class WebhookEndpointResolver {
  constructor(
    private readonly outbox: Outbox,
    private readonly cursors: Cursors,
  ) {}

  @FieldResolver(() => UrlScalar, {
    nullable: true,
    description: 'The address. Null after it was erased.',
  })
  url(@Root() { sealedUrl }: WebhookEndpoint, @Ctx() { loaders }: RequestContext): Promise<string | null> {
    return loaders.unsealed.load(sealedUrl);
  }

  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => WebhookDeliveryConnection, {
    nullable: true,
    description: 'Deliveries to the endpoint, newest first. Kept for 30 days after they ended.',
  })
  async deliveries(
    @Root() { id: lane }: WebhookEndpoint,
    @Args(() => DeliveryPage) { first, after, filter }: DeliveryPage,
  ): Promise<Page<WebhookDelivery>> {
    if ((filter?.eventTypes?.length ?? 0) > MAX_EVENT_TYPES) {
      throw invalidInput('filter.eventTypes', `"eventTypes" has at most ${MAX_EVENT_TYPES} types.`);
    }
    const place = this.cursors.after(LISTS.deliveries, after);
    const cursor = place && { askedAt: new Date(Number(place[0])), id: place[1] as string };
    const rows = await this.outbox.log(WEBHOOK, lane, filterOf(filter), first, cursor);
    const ids = rows.map(({ id }) => id);
    const attempts = await this.outbox.attemptsOf(WEBHOOK, ids, MAX_ATTEMPTS_SHOWN);
    const placeOf = (row: LoggedDelivery): Place => [row.askedAt.getTime(), row.id];
    const nodeOf = (row: LoggedDelivery) => deliveryOf(row, attempts);
    return pageOf(this.cursors, LISTS.deliveries, rows, { first, after }, placeOf, nodeOf);
  }
}
