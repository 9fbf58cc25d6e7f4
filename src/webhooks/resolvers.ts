import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import type { CommandInput } from '../graphql/kit/command.js';
import { Command, senderOf } from '../graphql/kit/command.js';
import type { Position } from '../eventsourcing/event.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import type { PublicEvent } from '../eventsourcing/publicEvents.js';
import { derivedId } from '../eventsourcing/ids.js';
import { Sized } from '../graphql/cost/directives.js';
import { Access, MANAGERS, MEMBERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { accountOf, actorOf } from '../graphql/kit/context.js';
import { ApiError } from '../graphql/kit/errors.js';
import { Metered } from '../graphql/kit/metering.js';
import type { PlanRequired } from '../graphql/kit/refusals.js';
import { badCommandId, InvalidInput, NotFound, refusalOf } from '../graphql/kit/refusals.js';
import type { Outbox } from '../outgoing/outbox.js';
import {
  CreateWebhookEndpointInput,
  CreateWebhookEndpointPayload,
  CreateWebhookEndpointResult,
  DeleteWebhookEndpointPayload,
  DeleteWebhookEndpointResult,
  MAX_REPLAYED,
  ReplayWebhookDeliveriesInput,
  ReplayWebhookDeliveriesPayload,
  ReplayWebhookDeliveriesResult,
  RotateWebhookSecretInput,
  RotateWebhookSecretPayload,
  RotateWebhookSecretResult,
  TestWebhookEndpointPayload,
  TestWebhookEndpointResult,
  UpdateWebhookEndpointInput,
  UpdateWebhookEndpointPayload,
  UpdateWebhookEndpointResult,
  WebhookEndpointInput,
} from './commandTypes.js';
import type { Asking } from './decide.js';
import { MAX_EVENT_TYPES } from './decide.js';
import { testFor, WEBHOOK } from './deliveries.js';
import type { Endpoints } from './endpoints.js';
import { deliveryOf, endpointOf, filterOf, WebhookEventType } from './types.js';

const MAX_TYPES_SHOWN = 200;

export interface WebhooksOptions {
  readonly endpoints: Endpoints;
  readonly outbox: Outbox;
  readonly publicEvents: readonly PublicEvent[];
  readonly positions: PositionTokens;
  /** The plan to buy for endpoints of one's own; undefined where the account's includes them. */
  readonly planRequired: (accountId: string) => PlanRequired | undefined;
}

@Resolver()
export class WebhooksResolver {
  constructor(private readonly options: WebhooksOptions) {}

  @Metered('guarded')
  @Access({ scope: 'read', roles: MEMBERS })
  @Sized({ assumedSize: MAX_TYPES_SHOWN })
  @Query(() => [WebhookEventType], {
    nullable: true,
    description: 'All types of events that webhooks send, in alphabetical order.',
  })
  webhookEventTypes(): WebhookEventType[] {
    return this.options.publicEvents
      .map(({ type: name, description }) => Object.assign(new WebhookEventType(), { name, description }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  @Command(() => CreateWebhookEndpointResult, {
    access: { scope: 'admin', roles: MANAGERS },
    description:
      'Registers an address to which events are sent. The signing secret is shown only in this answer.',
  })
  async createWebhookEndpoint(
    @Ctx() context: RequestContext,
    @Arg('input', () => CreateWebhookEndpointInput, { description: 'Input for `createWebhookEndpoint`.' })
    input: CreateWebhookEndpointInput,
  ): Promise<typeof CreateWebhookEndpointResult> {
    const asking = askingOf(context);
    const sender = senderOf(context, input);
    if (!sender) return badCommandId();
    const { url, eventTypes, allAccounts } = input;
    if (allAccounts && !asking.operator) throw new ApiError('OPERATOR_REQUIRED');
    const required = allAccounts ? undefined : this.options.planRequired(asking.accountId);
    if (required) return required;
    const { endpoints } = this.options;
    const result = await endpoints.create({ url, eventTypes, allAccounts }, asking, sender);
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound', 'LimitReached');
    const { endpointId, secret, replayed } = result;
    const row = await endpoints.find(endpointId, asking);
    if (!row) return new NotFound('The endpoint that this command has made was deleted.');
    return Object.assign(new CreateWebhookEndpointPayload(), {
      endpoint: endpointOf(row),
      secret,
      replayed,
      position: this.#position(result),
    });
  }

  @Command(() => UpdateWebhookEndpointResult, {
    access: { scope: 'admin', roles: MANAGERS },
    description: 'Changes the URL or event types of a webhook endpoint, or enables or disables it.',
  })
  async updateWebhookEndpoint(
    @Ctx() context: RequestContext,
    @Arg('input', () => UpdateWebhookEndpointInput, { description: 'Input for `updateWebhookEndpoint`.' })
    input: UpdateWebhookEndpointInput,
  ): Promise<typeof UpdateWebhookEndpointResult> {
    const { endpointId, url, eventTypes, enabled } = input;
    const { endpoints } = this.options;
    const sent = await this.#send(context, input, (asking, sender) =>
      endpoints.update(
        endpointId,
        { url: url ?? undefined, eventTypes: eventTypes ?? undefined, enabled: enabled ?? undefined },
        asking,
        sender,
      ),
    );
    if (!('asking' in sent)) return sent;
    const row = await endpoints.find(endpointId, sent.asking);
    if (!row) return noEndpoint();
    const { position } = sent;
    return Object.assign(new UpdateWebhookEndpointPayload(), { endpoint: endpointOf(row), position });
  }

  @Command(() => RotateWebhookSecretResult, {
    access: { scope: 'admin', roles: MANAGERS },
    description:
      'Gives a webhook endpoint a new signing secret, which is shown only in this answer. For `overlapSeconds` webhooks carry signatures by both secrets.',
  })
  async rotateWebhookSecret(
    @Ctx() context: RequestContext,
    @Arg('input', () => RotateWebhookSecretInput, { description: 'Input for `rotateWebhookSecret`.' })
    input: RotateWebhookSecretInput,
  ): Promise<typeof RotateWebhookSecretResult> {
    const { endpointId, overlapSeconds } = input;
    const { endpoints } = this.options;
    const sent = await this.#send(context, input, (asking, sender) =>
      endpoints.rotate(endpointId, overlapSeconds, asking, sender),
    );
    if (!('asking' in sent)) return sent;
    const row = await endpoints.find(endpointId, sent.asking);
    if (!row) return noEndpoint();
    const { result, position } = sent;
    return Object.assign(new RotateWebhookSecretPayload(), {
      endpoint: endpointOf(row),
      secret: result.secret,
      replayed: result.secret === null,
      position,
    });
  }

  @Command(() => DeleteWebhookEndpointResult, {
    access: { scope: 'admin', roles: MANAGERS },
    description: 'Deletes a webhook endpoint and its secret. Pending deliveries are dropped.',
  })
  async deleteWebhookEndpoint(
    @Ctx() context: RequestContext,
    @Arg('input', () => WebhookEndpointInput, { description: 'Input for `deleteWebhookEndpoint`.' })
    input: WebhookEndpointInput,
  ): Promise<typeof DeleteWebhookEndpointResult> {
    const { endpointId } = input;
    const sent = await this.#send(context, input, (asking, sender) =>
      this.options.endpoints.delete(endpointId, asking, sender),
    );
    if (!('asking' in sent)) return sent;
    return Object.assign(new DeleteWebhookEndpointPayload(), { endpointId, position: sent.position });
  }

  @Command(() => TestWebhookEndpointResult, {
    access: { scope: 'admin', roles: MANAGERS },
    description: 'Sends an event of type `webhook.test` to an endpoint once, without retries.',
  })
  async testWebhookEndpoint(
    @Ctx() context: RequestContext,
    @Arg('input', () => WebhookEndpointInput, { description: 'Input for `testWebhookEndpoint`.' })
    input: WebhookEndpointInput,
  ): Promise<typeof TestWebhookEndpointResult> {
    const { endpointId } = input;
    const { endpoints, outbox } = this.options;
    const asking = askingOf(context);
    const sender = senderOf(context, input);
    if (!sender) return badCommandId();
    const endpoint = await endpoints.find(endpointId, asking);
    if (!endpoint) return noEndpoint();
    const now = new Date(context.now);
    const asked = testFor(endpointId, asking.accountId, sender.commandId, now);
    await outbox.ask([asked], now);
    const [row] = await outbox.log(WEBHOOK, endpointId, { ids: [asked.id] }, 1, undefined);
    if (!row) return noEndpoint();
    const position = this.#position(endpoint);
    return Object.assign(new TestWebhookEndpointPayload(), { delivery: deliveryOf(row, []), position });
  }

  @Command(() => ReplayWebhookDeliveriesResult, {
    access: { scope: 'admin', roles: MANAGERS },
    description:
      'Sends events to an endpoint again, with their original ids, whether they were delivered or given up. Pending deliveries are not affected.',
  })
  async replayWebhookDeliveries(
    @Ctx() context: RequestContext,
    @Arg('input', () => ReplayWebhookDeliveriesInput, { description: 'Input for `replayWebhookDeliveries`.' })
    input: ReplayWebhookDeliveriesInput,
  ): Promise<typeof ReplayWebhookDeliveriesResult> {
    const { endpointId, deliveryIds: ids, filter } = input;
    const asking = askingOf(context);
    const sender = senderOf(context, input);
    if (!sender) return badCommandId();
    const { endpoints, outbox } = this.options;
    if ((ids == null) === (filter == null)) {
      return new InvalidInput('Give either "deliveryIds" or "filter".', 'filter');
    }
    if (ids && ids.length > MAX_REPLAYED) {
      return new InvalidInput(`"deliveryIds" has at most ${MAX_REPLAYED} ids.`, 'deliveryIds');
    }
    if ((filter?.eventTypes?.length ?? 0) > MAX_EVENT_TYPES) {
      return new InvalidInput(`"eventTypes" has at most ${MAX_EVENT_TYPES} types.`, 'filter.eventTypes');
    }
    const endpoint = await endpoints.find(endpointId, asking);
    if (!endpoint) return noEndpoint();
    const command = derivedId('webhook-replay', sender.caller, sender.commandId);
    const which = ids ? { ids } : filterOf(filter);
    const count = await outbox.replay(
      WEBHOOK,
      endpointId,
      which,
      command,
      MAX_REPLAYED,
      new Date(context.now),
    );
    return Object.assign(new ReplayWebhookDeliveriesPayload(), {
      count,
      more: !ids && count === MAX_REPLAYED,
      position: this.#position(endpoint),
    });
  }

  async #send<R extends Awaited<ReturnType<Endpoints['delete']>>>(
    context: RequestContext,
    input: CommandInput,
    command: (asking: Asking, sender: NonNullable<ReturnType<typeof senderOf>>) => Promise<R>,
  ) {
    const asking = askingOf(context);
    const sender = senderOf(context, input);
    if (!sender) return badCommandId();
    const result = await command(asking, sender);
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound', 'LimitReached');
    return { asking, result, position: this.#position(result) };
  }

  #position({ position }: { readonly position: Position }): string {
    return this.options.positions.encode(position);
  }
}

const noEndpoint = (): NotFound => new NotFound('There is no webhook endpoint with this id.');

export function askingOf(context: RequestContext): Asking {
  const { caller } = context;
  const operator = (caller.kind === 'key' || caller.kind === 'session') && caller.operator;
  return { accountId: accountOf(context), operator, by: actorOf(context) };
}
