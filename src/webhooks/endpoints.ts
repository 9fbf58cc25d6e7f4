import type { EndpointRow } from '../../projections/webhooks/queries.js';
import type { CommandContext, CommandHandler, CommandResult } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import { contentHash, derivedId } from '../eventsourcing/ids.js';
import type { PersonalData } from '../secrets/personalData.js';
import type { Asking, EndpointRules } from './decide.js';
import { endpointDecider, isOf } from './decide.js';
import type { WebhookEndpointEvent } from './events.js';
import { endpointStream } from './events.js';
import { mintSecret } from './signature.js';

type Context = Omit<CommandContext, 'requestHash'>;
type Result = CommandResult<WebhookEndpointEvent>;

/** The outcome of a command that has made a secret. */
export type WithSecret = Result & {
  readonly endpointId: string;
  /** Null when the command had been handled before. */
  readonly secret: string | null;
};

/** The commands of endpoints. What of them is secret is sealed for the endpoint here. */
export class Endpoints {
  constructor(
    private readonly commands: CommandHandler,
    private readonly personal: PersonalData,
    private readonly rules: EndpointRules,
    /** How many an account has, or the operators together. */
    private readonly count: (of: { readonly accountId: string } | 'operators') => Promise<number>,
  ) {}

  /** The id follows from the command's, so that a repetition meets the endpoint that it has made. */
  async create(
    settings: { readonly url: string; readonly eventTypes: readonly string[]; readonly allAccounts: boolean },
    asking: Asking,
    context: Context,
  ): Promise<WithSecret> {
    const { url, eventTypes, allAccounts } = settings;
    const { accountId } = asking;
    const endpointId = derivedId('webhook-endpoint', context.caller, context.commandId);
    const secret = mintSecret();
    const result = await this.commands.handle(
      endpointDecider,
      endpointStream(endpointId),
      {
        type: 'CreateWebhookEndpoint',
        asking,
        allAccounts,
        url: { plain: url, sealed: await this.personal.seal(endpointId, url) },
        eventTypes,
        secret: await this.personal.seal(endpointId, secret),
        present: await this.count(allAccounts ? 'operators' : { accountId }),
        rules: this.rules,
      },
      { ...context, requestHash: contentHash(JSON.stringify(['create', settings])) },
    );
    return { ...result, endpointId, secret: isNew(result) ? secret : null };
  }

  async update(
    endpointId: string,
    changes: {
      readonly url?: string | undefined;
      readonly eventTypes?: readonly string[] | undefined;
      readonly enabled?: boolean | undefined;
    },
    asking: Asking,
    context: Context,
  ): Promise<Result> {
    const { url, eventTypes, enabled } = changes;
    // Of an endpoint that is not the caller's the decider says so; nothing is sealed for it.
    const sealed = url !== undefined && (await this.#seal(endpointId, url, asking));
    return this.commands.handle(
      endpointDecider,
      endpointStream(endpointId),
      {
        type: 'UpdateWebhookEndpoint',
        asking,
        ...(url !== undefined && { url: { plain: url, sealed: sealed || '' } }),
        eventTypes,
        enabled,
        rules: this.rules,
      },
      { ...context, requestHash: contentHash(JSON.stringify(['update', changes])) },
    );
  }

  async rotate(
    endpointId: string,
    overlapSeconds: number,
    asking: Asking,
    context: Context,
  ): Promise<WithSecret> {
    const secret = mintSecret();
    const result = await this.commands.handle(
      endpointDecider,
      endpointStream(endpointId),
      {
        type: 'RotateWebhookSecret',
        asking,
        secret: (await this.#seal(endpointId, secret, asking)) ?? '',
        overlapSeconds,
        at: context.at,
      },
      { ...context, requestHash: `rotate:${overlapSeconds}` },
    );
    return { ...result, endpointId, secret: isNew(result) ? secret : null };
  }

  delete(endpointId: string, asking: Asking, context: Context): Promise<Result> {
    return this.commands.handle(
      endpointDecider,
      endpointStream(endpointId),
      { type: 'DeleteWebhookEndpoint', asking },
      { ...context, requestHash: 'delete' },
    );
  }

  /** An endpoint as its events have it now; undefined where it is none of the caller's. */
  async find(
    endpointId: string,
    asking: Pick<Asking, 'accountId' | 'operator'>,
  ): Promise<(EndpointRow & { readonly position: Position }) | undefined> {
    const history = await this.commands.load(endpointStream(endpointId));
    const { endpoint } = fold(endpointDecider, history);
    const [created] = history;
    if (!endpoint || !created || !isOf(endpoint, asking)) return undefined;
    return {
      position: (history.at(-1) ?? created).position,
      id: endpointId,
      account_id: endpoint.accountId,
      all_accounts: endpoint.allAccounts,
      url: endpoint.url,
      event_types: endpoint.eventTypes,
      enabled: endpoint.enabled,
      disabled_reason: endpoint.disabledReason,
      created_at: new Date(created.metadata.at),
    };
  }

  async #seal(endpointId: string, text: string, asking: Asking): Promise<string | undefined> {
    return (await this.find(endpointId, asking)) && (await this.personal.seal(endpointId, text));
  }
}

const isNew = (result: Result): boolean => result.kind === 'accepted' && !result.replayed;
