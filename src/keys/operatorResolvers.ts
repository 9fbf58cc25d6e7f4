import { Arg, Ctx, Resolver } from 'type-graphql';
import { Command } from '../graphql/kit/command.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { as } from '../eventsourcing/event.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { MEMBERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import type { OperatorAction } from '../graphql/kit/operatorAction.js';
import { payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound, refusalOf } from '../graphql/kit/refusals.js';
import type { Meter } from '../plans/meters.js';
import { keyDecider } from './decide.js';
import type { KeyEvent } from './events.js';
import { keyStream } from './events.js';
import {
  OperatorRevokeKeyInput,
  OperatorRevokeKeyPayload,
  OperatorRevokeKeyResult,
} from './operatorTypes.js';
import { keyOfEvents } from './types.js';

/** What operators do with keys of any account. */
@Resolver()
export class OperatorKeysResolver {
  constructor(
    private readonly commands: CommandHandler,
    private readonly action: OperatorAction,
    private readonly tokens: PositionTokens,
    private readonly meters: () => readonly Meter[],
  ) {}

  @Command(() => OperatorRevokeKeyResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description: 'Revokes a key of any account at once. Revoking it again changes nothing. For operators.',
  })
  async operatorRevokeKey(
    @Ctx() context: RequestContext,
    @Arg('input', () => OperatorRevokeKeyInput, { description: 'Input for `operatorRevokeKey`.' })
    input: OperatorRevokeKeyInput,
  ): Promise<typeof OperatorRevokeKeyResult> {
    const { keyId } = input;
    const action = this.action(context, input, 'operatorRevokeKey');
    if (action instanceof InvalidInput) return action;
    const stream = keyStream(keyId);
    const [issued] = await this.commands.load(stream);
    if (!issued) return new NotFound('There is no key with this id.');
    const { accountId } = as<KeyEvent>(issued).data;
    const command = { type: 'RevokeKey', accountId, by: action.caller } as const;
    const result = await this.commands.handle(keyDecider, stream, command, action);
    if (result.kind === 'refused') return refusalOf(result.refusal);
    const key = keyOfEvents(await this.commands.load(stream), this.meters());
    const { replayed } = result;
    const position = this.tokens.encode(result.position);
    return payload(OperatorRevokeKeyPayload, { key, accountId, replayed, position });
  }
}
