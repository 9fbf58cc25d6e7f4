import { Arg, Ctx, Resolver } from 'type-graphql';
import { accountStream } from '../../accounts/events.js';
import type { CommandHandler } from '../../eventsourcing/commandHandler.js';
import type { PositionTokens } from '../../eventsourcing/positionToken.js';
import { MEMBERS } from '../../graphql/kit/access.js';
import { Command } from '../../graphql/kit/command.js';
import type { RequestContext } from '../../graphql/kit/context.js';
import type { OperatorAction } from '../../graphql/kit/operatorAction.js';
import { payload } from '../../graphql/kit/payload.js';
import { InvalidInput, NotFound, refusalOf } from '../../graphql/kit/refusals.js';
import { subscriptionStream } from '../../plans/events.js';
import type { PlanInForce, Profile } from '../../plans/profile.js';
import { metersOf } from '../../plans/profile.js';
import { RESETTABLE } from '../events.js';
import type { LimitStates } from './limitStates.js';
import { statusOf } from './limitTypes.js';
import { unresetPeriodAt } from './periods.js';
import { quotaDecider } from './quotas.js';
import {
  OperatorResetQuotaInput,
  OperatorResetQuotaPayload,
  OperatorResetQuotaResult,
} from './quotaTypes.js';

@Resolver()
export class QuotaResolver {
  constructor(
    private readonly commands: CommandHandler,
    private readonly action: OperatorAction,
    private readonly planOf: (accountId: string) => PlanInForce,
    private readonly limitStates: LimitStates,
    private readonly profile: () => Profile,
    private readonly tokens: PositionTokens,
  ) {}

  @Command(() => OperatorResetQuotaResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description:
      'Lets limits over a day, month or billing period of any account count from zero, those of its keys too, until the period ends. What was used stays in reports and invoices. For operators.',
  })
  async operatorResetQuota(
    @Ctx() context: RequestContext,
    @Arg('input', () => OperatorResetQuotaInput, { description: 'Input for `operatorResetQuota`.' })
    input: OperatorResetQuotaInput,
  ): Promise<typeof OperatorResetQuotaResult> {
    const { accountId } = input;
    const action = this.action(context, input, 'operatorResetQuota');
    if (action instanceof InvalidInput) return action;
    const window = RESETTABLE.find((one) => one === (input.window as string));
    if (window === undefined) {
      return new InvalidInput('"window" must be DAY, MONTH or BILLING_PERIOD.', 'window');
    }
    const last = (await this.commands.load(accountStream(accountId))).at(-1);
    if (!last || last.type === 'AccountDeleted') return new NotFound('There is no account with this id.');
    const { id: period } = unresetPeriodAt(window, context.usageTime, this.planOf(accountId).anchors);
    const { caller: resetBy, reason } = action;
    const result = await this.commands.handle(
      quotaDecider,
      subscriptionStream(accountId),
      { type: 'ResetQuota', window, period, resetBy, reason },
      action,
    );
    if (result.kind === 'refused') return refusalOf(result.refusal);
    const states = await this.limitStates.of({
      accountId,
      environment: 'live',
      now: context.usageTime,
      key: undefined,
    });
    const meters = metersOf(this.profile());
    return payload(OperatorResetQuotaPayload, {
      accountId,
      limits: states.map((state) => statusOf(state, meters)),
      replayed: result.replayed,
      position: this.tokens.encode(result.position),
    });
  }
}
