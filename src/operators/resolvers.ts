import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { Command } from '../graphql/kit/command.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { Access, MEMBERS } from '../graphql/kit/access.js';
import { Metered } from '../graphql/kit/metering.js';
import type { RequestContext } from '../graphql/kit/context.js';
import type { OperatorAction } from '../graphql/kit/operatorAction.js';
import { payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound, refusalOf } from '../graphql/kit/refusals.js';
import type { OperatorUser } from './decide.js';
import { operatorsDecider } from './decide.js';
import { OPERATORS_STREAM } from './events.js';
import {
  GrantOperatorInput,
  GrantOperatorPayload,
  GrantOperatorResult,
  Operator,
  RevokeOperatorInput,
  RevokeOperatorPayload,
  RevokeOperatorResult,
} from './types.js';

@Resolver()
export class OperatorsResolver {
  constructor(
    private readonly commands: CommandHandler,
    private readonly action: OperatorAction,
    /** A user with a verified e-mail, who is there still. */
    private readonly verifiedUser: (userId: string) => Promise<OperatorUser | undefined>,
    private readonly tokens: PositionTokens,
  ) {}

  @Metered('guarded')
  @Access({ scope: 'admin', roles: MEMBERS, operator: true })
  @Query(() => Operator, {
    nullable: true,
    description: 'Data of all accounts, for operators of the service.',
  })
  operator(): Operator {
    return new Operator();
  }

  @Command(() => GrantOperatorResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description: 'Makes a user an operator. Repeating it changes nothing. For operators.',
  })
  async grantOperator(
    @Ctx() context: RequestContext,
    @Arg('input', () => GrantOperatorInput, { description: 'Input for `grantOperator`.' })
    input: GrantOperatorInput,
  ): Promise<typeof GrantOperatorResult> {
    const action = this.action(context, input, 'grantOperator');
    if (action instanceof InvalidInput) return action;
    const user = await this.verifiedUser(input.userId);
    if (!user) return new NotFound('There is no user with this id who has verified the e-mail.');
    const command = { type: 'GrantOperator', user, reason: action.reason } as const;
    const result = await this.commands.handle(operatorsDecider, OPERATORS_STREAM, command, action);
    if (result.kind === 'refused') return refusalOf(result.refusal);
    const position = this.tokens.encode(result.position);
    return payload(GrantOperatorPayload, { userId: input.userId, replayed: result.replayed, position });
  }

  @Command(() => RevokeOperatorResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description:
      'Revokes a user’s operator rights at once. The last operator cannot be revoked. For operators.',
  })
  async revokeOperator(
    @Ctx() context: RequestContext,
    @Arg('input', () => RevokeOperatorInput, { description: 'Input for `revokeOperator`.' })
    input: RevokeOperatorInput,
  ): Promise<typeof RevokeOperatorResult> {
    const action = this.action(context, input, 'revokeOperator');
    if (action instanceof InvalidInput) return action;
    const { userId } = input;
    const command = { type: 'RevokeOperator', userId, reason: action.reason } as const;
    const result = await this.commands.handle(operatorsDecider, OPERATORS_STREAM, command, action);
    if (result.kind === 'refused') {
      return refusalOf(result.refusal, 'NotFound', 'Conflict', 'NotAllowed');
    }
    const position = this.tokens.encode(result.position);
    return payload(RevokeOperatorPayload, { userId, replayed: result.replayed, position });
  }
}
