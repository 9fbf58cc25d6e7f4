import { Mutation } from 'type-graphql';
import type { CommandContext, CommandHandler } from '../../eventsourcing/commandHandler.js';
import { earlierResult } from '../../eventsourcing/commandHandler.js';
import { BAD_COMMAND_ID, commandIdOf } from '../../eventsourcing/commandId.js';
import type { Decider, Refusal } from '../../eventsourcing/decider.js';
import type { DomainEvent, StoredEvent } from '../../eventsourcing/event.js';
import type { PositionTokens } from '../../eventsourcing/positionToken.js';
import { Cost, MUTATION } from '../cost/directives.js';
import type { AccessRule } from './access.js';
import { Access } from './access.js';
import type { RequestContext } from './context.js';
import { actorOf } from './context.js';
import type { Metering } from './metering.js';
import { Metered } from './metering.js';

interface CommandOptions {
  readonly access: AccessRule;
  readonly description: string;
  /** `guarded` by default. */
  readonly metering?: Metering;
}

/**
 * Declares a mutation: who may call it, how it is metered, and its price. It answers a union of its payload
 * and of what may be refused, or null where it fails.
 */
export const Command =
  (result: () => object, { access, description, metering = 'guarded' }: CommandOptions): MethodDecorator =>
  (target, name, method) => {
    for (const decorate of [
      Mutation(result, { nullable: true, description }),
      Cost(MUTATION),
      Access(access),
      Metered(metering),
    ]) {
      decorate(target, name, method);
    }
  };

/** What every input of a command has. */
export interface CommandInput {
  readonly commandId?: string | null | undefined;
}

/** A command, and the stream that it is for. */
export interface Sending<S, C, E extends DomainEvent> {
  readonly decider: Decider<S, C, E>;
  readonly stream: string;
  /** Or how it is made, where that takes its time: what was sent before is answered without it. */
  readonly command: C | (() => Promise<C>);
  /** Says what was asked for, without secrets: another content under the same command id is refused. */
  readonly request: string;
}

/** What came of it. */
export type Sent<E extends DomainEvent> =
  | {
      readonly kind: 'accepted';
      readonly events: readonly E[];
      readonly stored: readonly StoredEvent[];
      readonly position: string;
      readonly replayed: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const BAD_ID: Refusal = { code: 'INVALID_INPUT', message: BAD_COMMAND_ID, field: 'commandId' };

/** Sends the commands of resolvers: the command's id is checked here, its context made, its position encoded. */
export class CommandSender {
  constructor(
    private readonly commands: CommandHandler,
    private readonly positions: PositionTokens,
  ) {}

  /** @throws Outage, ApiError where nobody is signed in */
  async send<S, C, E extends DomainEvent>(
    context: RequestContext,
    input: CommandInput,
    { decider, stream, command, request }: Sending<S, C, E>,
  ): Promise<Sent<E>> {
    const sender = senderOf(context, input);
    if (!sender) return { kind: 'refused', refusal: BAD_ID };
    const sending = { ...sender, requestHash: request };
    const result =
      typeof command === 'function'
        ? (earlierResult<E>(await this.commands.load(stream), sending) ??
          (await this.commands.handle(decider, stream, await (command as () => Promise<C>)(), sending)))
        : await this.commands.handle(decider, stream, command, sending);
    if (result.kind === 'refused') return result;
    return { ...result, position: this.positions.encode(result.position) };
  }
}

/** Who sends a command, under which id and when; undefined where the id cannot be used. */
export function senderOf(
  context: RequestContext,
  { commandId: given }: CommandInput,
): Omit<CommandContext, 'requestHash'> | undefined {
  const commandId = commandIdOf(given);
  if (commandId === undefined) return undefined;
  return {
    commandId,
    caller: actorOf(context),
    at: new Date(context.now),
    environment: 'live',
    correlationId: context.correlationId,
  };
}
