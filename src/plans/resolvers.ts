import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { Command } from '../graphql/kit/command.js';
import { accountStream } from '../accounts/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { Sized } from '../graphql/cost/directives.js';
import { Access, MEMBERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { Metered } from '../graphql/kit/metering.js';
import type { OperatorAction } from '../graphql/kit/operatorAction.js';
import { payload } from '../graphql/kit/payload.js';
import { InvalidInput, NotFound, refusalOf } from '../graphql/kit/refusals.js';
import { subscriptionDecider } from './decide.js';
import type { PlanDirectory } from './directory.js';
import { subscriptionStream } from './events.js';
import { Plan, shownPlan } from './planTypes.js';
import { MAX_PLANS } from './profile.js';
import { OperatorGrantPlanInput, OperatorGrantPlanPayload, OperatorGrantPlanResult } from './types.js';

@Resolver()
export class PlansResolver {
  constructor(
    private readonly commands: CommandHandler,
    private readonly action: OperatorAction,
    private readonly directory: Pick<PlanDirectory, 'profile' | 'version'>,
    private readonly tokens: PositionTokens,
  ) {}

  @Metered('anonymous')
  @Access({ anyone: true })
  @Sized({ assumedSize: MAX_PLANS })
  @Query(() => [Plan], {
    nullable: true,
    description: 'The plans of the service, from the smallest to the largest. No credential needed.',
  })
  plans(): Plan[] {
    return this.directory.profile.plans.map(shownPlan);
  }

  @Command(() => OperatorGrantPlanResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description:
      'Puts an account on a plan at once, without payment, for good or until a time. It replaces what was granted before, and goes before what is paid for. For operators.',
  })
  async operatorGrantPlan(
    @Ctx() context: RequestContext,
    @Arg('input', () => OperatorGrantPlanInput, { description: 'Input for `operatorGrantPlan`.' })
    input: OperatorGrantPlanInput,
  ): Promise<typeof OperatorGrantPlanResult> {
    const { accountId, planId, until } = input;
    const action = this.action(context, input, 'operatorGrantPlan');
    if (action instanceof InvalidInput) return action;
    const last = (await this.commands.load(accountStream(accountId))).at(-1);
    if (!last || last.type === 'AccountDeleted') return new NotFound('There is no account with this id.');
    const { profile, version } = this.directory;
    const result = await this.commands.handle(
      subscriptionDecider,
      subscriptionStream(accountId),
      {
        type: 'GrantPlan',
        plan: planId,
        plans: profile.plans.map(({ id }) => id),
        profileVersion: version,
        grantedBy: action.caller,
        reason: action.reason,
        until: until ?? undefined,
        at: new Date(context.usageTime),
      },
      action,
    );
    if (result.kind === 'refused') return refusalOf(result.refusal);
    const position = this.tokens.encode(result.position);
    const plan = profile.plans.find(({ id }) => id === planId);
    return payload(OperatorGrantPlanPayload, {
      accountId,
      plan: plan ? shownPlan(plan) : null,
      replayed: result.replayed,
      position,
    });
  }
}
