import { Arg, Ctx, Resolver } from 'type-graphql';
import type { PositionTokens } from '../../eventsourcing/positionToken.js';
import { MEMBERS } from '../../graphql/kit/access.js';
import { Command } from '../../graphql/kit/command.js';
import type { RequestContext } from '../../graphql/kit/context.js';
import type { OperatorAction } from '../../graphql/kit/operatorAction.js';
import { givenId } from '../../graphql/kit/ids.js';
import { payload } from '../../graphql/kit/payload.js';
import { InvalidInput, refusalOf } from '../../graphql/kit/refusals.js';
import type { Meter } from '../../plans/meters.js';
import { idProblem } from '../../text/text.js';
import { quantitiesIn } from '../limits/limitTypes.js';
import type { Reversals } from './reversals.js';
import { CorrectUsageInput, CorrectUsagePayload, CorrectUsageResult } from './reversalTypes.js';

@Resolver()
export class CorrectUsageResolver {
  constructor(
    private readonly reversals: Reversals,
    private readonly action: OperatorAction,
    private readonly positions: PositionTokens,
    private readonly meters: () => readonly Meter[],
  ) {}

  @Command(() => CorrectUsageResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    metering: 'service',
    description:
      'Takes back a use that should not have been recorded, by a record of its own with a reason. For operators. What is right is reported as another use, with an id of its own.',
  })
  async correctUsage(
    @Ctx() context: RequestContext,
    @Arg('input', () => CorrectUsageInput, { description: 'Input for `correctUsage`.' })
    input: CorrectUsageInput,
  ): Promise<typeof CorrectUsageResult> {
    const { useId } = input;
    const accountId = givenId('Account', input.accountId);
    const badId = idProblem('useId', useId);
    if (badId !== undefined) return new InvalidInput(badId, 'useId');
    const action = this.action(context, input, 'correctUsage');
    if (action instanceof InvalidInput) return action;
    const done = await this.reversals.reverse(accountId, useId, action, context.usageTime);
    if (done.kind === 'refused') return refusalOf(done.refusal, 'NotFound', 'Conflict');
    return payload(CorrectUsagePayload, {
      useId,
      accountId,
      reversed: quantitiesIn(done.use, this.meters()),
      replayed: done.replayed,
      position: this.positions.encode(done.position),
    });
  }
}
