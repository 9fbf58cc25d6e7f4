import { Arg, Ctx, FieldResolver, Resolver, Root, Subscription } from 'type-graphql';
import type { UsageQueries } from '../../projections/usage/queries.js';
import { Account } from '../accounts/types.js';
import type { Position } from '../eventsourcing/event.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { accountOf, environmentOf, limitedIn, limitedOf } from '../graphql/kit/context.js';
import { Access, MEMBERS } from '../graphql/kit/access.js';
import { Cost, Sized } from '../graphql/cost/directives.js';
import { Metered } from '../graphql/kit/metering.js';
import type { Meter } from '../plans/meters.js';
import type { Profile } from '../plans/profile.js';
import { metersOf } from '../plans/profile.js';
import type { SubjectIds } from './reports/subjectIds.js';
import { periodOf } from './limits/periods.js';
import type { LimitState } from './limits/limiter.js';
import type { LimitStates } from './limits/limitStates.js';
import { LimitStatus, statusOf, totalsOf } from './limits/limitTypes.js';
import { MAX_STATES, UsageChanged } from './types.js';

/** How long an answer waits for the ledger to have seen the newest calls, in milliseconds. */
const LEDGER_WAIT_MS = 1_000;

@Resolver(() => Account)
export class AccountLimitsResolver {
  constructor(
    private readonly standing: LimitStates,
    private readonly profile: () => Profile,
    private readonly subjectIds: Pick<SubjectIds, 'idOf'>,
  ) {}

  @Access({ scope: 'read', roles: MEMBERS })
  @Cost(2)
  @Sized({ assumedSize: MAX_STATES })
  @FieldResolver(() => [LimitStatus], {
    nullable: true,
    description:
      'Limits in force and their current state: those of the plan, then those of the calling key, then those of the end customer who is asked for. Empty if there are none. Reading them is free. What is left of the month is `remaining` of the limit whose `window` is MONTH or BILLING_PERIOD.',
  })
  async limits(
    @Root() account: Account,
    @Ctx() context: RequestContext,
    @Arg('subject', () => String, {
      nullable: true,
      description:
        'An end customer, as your back end names them: their own limits are added, if the plan has any.',
    })
    subject: string | undefined,
  ): Promise<LimitStatus[]> {
    const customer = subject == null ? undefined : await this.subjectIds.idOf(account.id, subject);
    const states = await this.standing.of(limitedIn(account, context), customer);
    return shown(states, metersOf(this.profile()));
  }
}

@Resolver()
export class UsageChangedResolver {
  constructor(
    private readonly usageQueries: UsageQueries,
    private readonly standing: LimitStates,
    private readonly profile: () => Profile,
    private readonly tokens: PositionTokens,
    private readonly ledgerReached: (position: number, timeoutMs: number) => Promise<boolean>,
  ) {}

  @Metered('guarded')
  @Access({ scope: 'read', roles: MEMBERS })
  @Subscription(() => UsageChanged, {
    nullable: true,
    description:
      'Usage of the account: sent at once, and then whenever it changes, at most once a second. Slow readers ' +
      'receive only the latest state.',
    subscribe: ({ context }: { context: RequestContext }) =>
      context.usageChanges.watch(accountOf(context), environmentOf(context)),
  })
  async usageChanged(@Root() moved: Position, @Ctx() context: RequestContext): Promise<UsageChanged> {
    const subject = { accountId: accountOf(context), environment: environmentOf(context), keyId: undefined };
    await this.ledgerReached(moved, LEDGER_WAIT_MS);
    const [{ totals, seen }, states] = await Promise.all([
      this.usageQueries.totals(subject, periodOf('month', context.usageTime)),
      this.standing.of(limitedOf(context)),
    ]);
    const meters = metersOf(this.profile());
    return {
      position: this.tokens.encode(seen),
      at: new Date(context.now),
      totals: totalsOf(totals, meters),
      limits: shown(states, meters),
    };
  }
}

const shown = (states: readonly LimitState[], meters: readonly Meter[]): LimitStatus[] =>
  states.map((state) => statusOf(state, meters));
