import { Arg, Ctx, Resolver } from 'type-graphql';
import { Command } from '../graphql/kit/command.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { as } from '../eventsourcing/event.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { MEMBERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import type { OperatorAction } from '../graphql/kit/operatorAction.js';
import { InvalidInput, NotFound, refusalOf } from '../graphql/kit/refusals.js';
import { keyDecider } from './decide.js';
import type { KeyEvent } from './events.js';
import { keyStream } from './events.js';
import {
  RevokeKeyAsOperatorInput,
  RevokeKeyAsOperatorPayload,
  RevokeKeyAsOperatorResult,
} from './operatorTypes.js';

/** What operators do with keys of any account. */
@Resolver()
export class OperatorKeysResolver {
  constructor(
    private readonly commands: CommandHandler,
    private readonly action: OperatorAction,
    private readonly tokens: PositionTokens,
  ) {}

  @Command(() => RevokeKeyAsOperatorResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description: 'Revokes a key of any account at once. For operators. Again it changes nothing.',
  })
  async revokeKeyAsOperator(
    @Ctx() context: RequestContext,
    @Arg('input', () => RevokeKeyAsOperatorInput, { description: 'The key.' })
    input: RevokeKeyAsOperatorInput,
  ): Promise<typeof RevokeKeyAsOperatorResult> {
    const { id } = input;
    const action = this.action(context, input, 'revokeKeyAsOperator');
    if (action instanceof InvalidInput) return action;
    const stream = keyStream(id);
    const [issued] = await this.commands.load(stream);
    if (!issued) return new NotFound('There is no key with this id.');
    const { accountId } = as<KeyEvent>(issued).data;
    const command = { type: 'RevokeKey', accountId, by: action.caller } as const;
    const result = await this.commands.handle(keyDecider, stream, command, action);
    if (result.kind === 'refused') return refusalOf(result.refusal);
    const position = this.tokens.encode(result.position);
    return Object.assign(new RevokeKeyAsOperatorPayload(), { id, accountId, position });
  }
}
