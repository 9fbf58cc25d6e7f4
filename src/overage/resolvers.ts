import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { Account } from '../accounts/types.js';
import { Sized } from '../graphql/cost/directives.js';
import { Access, MEMBERS, PAYERS } from '../graphql/kit/access.js';
import type { CommandSender } from '../graphql/kit/command.js';
import { Command } from '../graphql/kit/command.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { accountOf, actorOf } from '../graphql/kit/context.js';
import { moneyOf } from '../graphql/kit/money.js';
import { payload } from '../graphql/kit/payload.js';
import { refusalOf } from '../graphql/kit/refusals.js';
import { Plan } from '../plans/planTypes.js';
import { MAX_OVERAGE } from '../plans/prices.js';
import type { Profile } from '../plans/profile.js';
import { metersOf } from '../plans/profile.js';
import type { OverageCommand } from './decide.js';
import { capSet, isAllowed, overageDecider } from './decide.js';
import type { SpendCap } from './events.js';
import { overageStream } from './events.js';
import { OveragePrice, overagePriceOf } from './priceTypes.js';
import type { CreditsOf, Statements } from './statements.js';
import type { CapRule } from './types.js';
import {
  OverageStatus,
  SetOverageInput,
  SetOveragePayload,
  SetOverageResult,
  SpendCap as SpendCapType,
} from './types.js';

export interface OverageResolverOptions {
  readonly sender: CommandSender;
  readonly statements: Statements;
  /** What credits have paid, without drawing more. */
  readonly credits: CreditsOf;
  readonly profile: () => Profile;
  readonly now: () => number;
  /** Waits until the ledger has all that is stored now. @throws Outage */
  readonly caughtUp: () => Promise<void>;
  /** The same, bounded, for what is only shown. */
  readonly counted: () => Promise<unknown>;
}

@Resolver()
export class OverageResolver {
  constructor(private readonly options: OverageResolverOptions) {}

  @Command(() => SetOverageResult, {
    access: { scope: 'admin', roles: PAYERS },
    description:
      'Says whether calls above the limits of the plan go on and are billed, and how much that may cost in a billing period. Use from before is not billed.',
  })
  async setOverage(
    @Ctx() context: RequestContext,
    @Arg('input', () => SetOverageInput, { description: 'Input for `setOverage`.' }) input: SetOverageInput,
  ): Promise<typeof SetOverageResult> {
    const accountId = accountOf(context);
    const { allowed, spendCap } = input;
    const cap: SpendCap | undefined = spendCap
      ? {
          amount: spendCap.minorUnits,
          currency: spendCap.currency.toLowerCase(),
          whenReached: spendCap.whenReached,
        }
      : undefined;
    const sent = await this.options.sender.send(context, input, {
      decider: overageDecider,
      stream: overageStream(accountId),
      command: () => this.#commandOf(accountId, allowed, cap, actorOf(context)),
      request: `set-overage:${allowed}:${JSON.stringify(cap ?? null)}`,
    });
    if (sent.kind === 'refused') return refusalOf(sent.refusal, 'NotAllowed');
    return payload(SetOveragePayload, {
      overage: await statusOf(this.options, accountId),
      replayed: sent.replayed,
      position: sent.position,
    });
  }

  async #commandOf(
    accountId: string,
    allowed: boolean,
    cap: SpendCap | undefined,
    by: string,
  ): Promise<OverageCommand> {
    const { caughtUp, statements, profile, now } = this.options;
    // What was used before is not billed: the ledger must have it.
    await caughtUp();
    const used = await statements.usedSoFar(accountId);
    const at = new Date(now()).toISOString();
    if (!allowed) return { type: 'StopOverage', at, by, used };
    const priced = profile().plans.flatMap(({ overage = [] }) => overage);
    const currencies = [...new Set(priced.map(({ currency }) => currency))];
    return { type: 'AllowOverage', cap, currencies, uncappable: uncappable(profile()), at, by, used };
  }
}

/** A cap refuses by how much may be used: that is one number where one price rises with use. */
function uncappable({ plans }: Profile): string | undefined {
  const unfit = plans.some(
    ({ overage = [] }) =>
      new Set(overage.map(({ currency }) => currency)).size < overage.length ||
      overage.some(({ mode }) => mode === 'volume'),
  );
  return unfit
    ? 'A cap cannot refuse where plans have volume prices, or prices for several meters. Let it alert.'
    : undefined;
}

async function statusOf(
  { statements, credits }: Pick<OverageResolverOptions, 'statements' | 'credits'>,
  accountId: string,
): Promise<OverageStatus> {
  const { state } = await statements.account(accountId);
  const draft = await statements.draft(accountId, credits);
  const cap = capSet(state);
  return Object.assign(new OverageStatus(), {
    allowed: isAllowed(state),
    spendCap: cap
      ? Object.assign(new SpendCapType(), { amount: moneyOf(cap), whenReached: cap.whenReached as CapRule })
      : null,
    period: draft ? { from: new Date(draft.period.from), to: new Date(draft.period.to) } : null,
    spent: draft
      ? moneyOf({
          amount: draft.lines.reduce((sum, { amount }) => sum + amount, 0),
          currency: draft.life.currency,
        })
      : null,
  });
}

@Resolver(() => Plan)
export class PlanOverageResolver {
  constructor(private readonly profile: () => Profile) {}

  @Sized({ assumedSize: MAX_OVERAGE })
  @FieldResolver(() => [OveragePrice], {
    description:
      'What usage above the limits of the plan costs accounts that pay for it. Empty if it is refused.',
  })
  overagePrices(@Root() { id }: Plan): OveragePrice[] {
    const profile = this.profile();
    const prices = profile.plans.find((plan) => plan.id === id)?.overage ?? [];
    return prices.map((one) => overagePriceOf(one, metersOf(profile)));
  }
}

@Resolver(() => Account)
export class AccountOverageResolver {
  constructor(private readonly options: Pick<OverageResolverOptions, 'statements' | 'credits' | 'counted'>) {}

  @Access({ scope: 'read', roles: MEMBERS })
  @FieldResolver(() => OverageStatus, {
    nullable: true,
    description: 'Use above what the plan includes: whether it is paid for, and what it has come to.',
  })
  async overage(@Root() { id }: Account): Promise<OverageStatus> {
    await this.options.counted();
    return statusOf(this.options, id);
  }
}
