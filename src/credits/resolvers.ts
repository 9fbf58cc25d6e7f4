import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { accountStream } from '../accounts/events.js';
import { Account } from '../accounts/types.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Refusal } from '../eventsourcing/decider.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { Sized } from '../graphql/cost/directives.js';
import { Access, inReach, MEMBERS, PAYERS } from '../graphql/kit/access.js';
import type { CommandSender } from '../graphql/kit/command.js';
import { Command } from '../graphql/kit/command.js';
import type { RequestContext, StandingIn } from '../graphql/kit/context.js';
import { accountOf, actorOf } from '../graphql/kit/context.js';
import { Metered } from '../graphql/kit/metering.js';
import { moneyOf } from '../graphql/kit/money.js';
import type { OperatorAction } from '../graphql/kit/operatorAction.js';
import { payload } from '../graphql/kit/payload.js';
import { Conflict, InvalidInput, NotFound, refusalOf } from '../graphql/kit/refusals.js';
import type { Profile } from '../plans/profile.js';
import type { CreditCommand } from './decide.js';
import { creditDecider } from './decide.js';
import type { CreditDesk } from './desk.js';
import { creditStream } from './events.js';
import type { CreditGrant } from './types.js';
import {
  balanceOf,
  BuyCreditsInput,
  BuyCreditsPayload,
  BuyCreditsResult,
  CreditBalance,
  CreditPackOffer,
  grantNamed,
  grantOf,
  OperatorCreditsInput,
  OperatorCreditsPayload,
  OperatorCreditsResult,
  OperatorGrantCreditsInput,
  SetCreditTopUpInput,
  SetCreditTopUpPayload,
  SetCreditTopUpResult,
} from './types.js';

const DAY_MS = 86_400_000;
/** More than any profile has. */
const MAX_PACKS = 20;

const CREDITS_ACCESS = { scope: 'read', roles: MEMBERS } as const;
const OFF: Refusal = { code: 'BILLING_OFF', message: 'This service takes no payments.' };
const NO_CREDITS: Refusal = { code: 'CREDITS_NOT_OFFERED', message: 'This service has no credits.' };

export interface CreditResolverOptions {
  readonly desk: CreditDesk;
  readonly sender: CommandSender;
  readonly commands: CommandHandler;
  readonly action: OperatorAction;
  readonly positions: PositionTokens;
  readonly profile: () => Profile;
  readonly standingIn: StandingIn;
  /** Whether payments are taken. */
  readonly sells: boolean;
  /** Waits, bounded, until the ledger has counted what this process has stored. */
  readonly counted: () => Promise<unknown>;
}

@Resolver()
export class CreditsResolver {
  constructor(private readonly options: CreditResolverOptions) {}

  @Metered('guarded')
  @Access({ scope: 'read', roles: MEMBERS })
  @Sized({ assumedSize: MAX_PACKS })
  @Query(() => [CreditPackOffer], { nullable: true, description: 'The credits that can be bought.' })
  creditPacks(): CreditPackOffer[] {
    return (this.options.profile().credits?.packs ?? []).map(({ id, name, credits, months, ...price }) =>
      Object.assign(new CreditPackOffer(), {
        id,
        name,
        credits: String(credits),
        months,
        price: moneyOf(price),
      }),
    );
  }

  @Command(() => BuyCreditsResult, {
    access: { scope: 'admin', roles: PAYERS },
    description: 'Opens a page on which to buy credits. They are there once it is paid.',
  })
  async buyCredits(
    @Ctx() context: RequestContext,
    @Arg('input', () => BuyCreditsInput, { description: 'Input for `buyCredits`.' }) input: BuyCreditsInput,
  ): Promise<typeof BuyCreditsResult> {
    const { desk, sender, profile, sells } = this.options;
    if (!sells) return refusalOf(OFF, 'NotAllowed');
    const accountId = accountOf(context);
    const purchaseId = derivedId('credits', actorOf(context), input.commandId ?? context.correlationId);
    const sent = await sender.send(context, input, {
      decider: creditDecider,
      stream: creditStream(accountId),
      command: {
        type: 'RequestPurchase',
        purchaseId,
        pack: input.packId,
        packs: profile().credits?.packs ?? [],
        by: actorOf(context),
      },
      request: `buy-credits:${input.packId}`,
    });
    if (sent.kind === 'refused') return refusalOf(sent.refusal, 'Conflict');
    await desk.settle(accountId);
    const page = await desk.checkout(accountId, purchaseId);
    const bought = (await desk.state(accountId)).grants.has(purchaseId);
    if (!page && !bought && !sent.replayed) {
      return new Conflict('CHECKOUT_FAILED', 'The payment service has refused to open a checkout.');
    }
    return payload(BuyCreditsPayload, {
      url: page?.url ?? null,
      expiresAt: page ? new Date(page.expiresAt) : null,
      replayed: sent.replayed,
      position: sent.position,
    });
  }

  @Command(() => SetCreditTopUpResult, {
    access: { scope: 'admin', roles: PAYERS },
    description:
      'Says when credits are bought without being asked for each time: when fewer are left than named, with the card on file, one pack at a time and so many a month. A payment that fails stops it.',
  })
  async setCreditTopUp(
    @Ctx() context: RequestContext,
    @Arg('input', () => SetCreditTopUpInput, { description: 'Input for `setCreditTopUp`.' })
    input: SetCreditTopUpInput,
  ): Promise<typeof SetCreditTopUpResult> {
    const { desk, sender, profile, sells } = this.options;
    if (!sells) return refusalOf(OFF, 'NotAllowed');
    const accountId = accountOf(context);
    const { packId = null, below, maxPerMonth } = input;
    const sent = await sender.send(context, input, {
      decider: creditDecider,
      stream: creditStream(accountId),
      command: {
        type: 'SetTopUp',
        pack: packId,
        below: below ?? 0,
        perMonth: maxPerMonth,
        packs: profile().credits?.packs ?? [],
        by: actorOf(context),
      },
      request: `set-credit-top-up:${packId ?? ''}:${below ?? ''}:${maxPerMonth}`,
    });
    if (sent.kind === 'refused') return refusalOf(sent.refusal, 'NotAllowed');
    return payload(SetCreditTopUpPayload, {
      credits: balanceOf(accountId, await desk.standing(accountId)),
      replayed: sent.replayed,
      position: sent.position,
    });
  }

  @Command(() => OperatorCreditsResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description: 'Gives an account credits without payment. For operators.',
  })
  async operatorGrantCredits(
    @Ctx() context: RequestContext,
    @Arg('input', () => OperatorGrantCreditsInput, { description: 'Input for `operatorGrantCredits`.' })
    input: OperatorGrantCreditsInput,
  ): Promise<typeof OperatorCreditsResult> {
    const { desk, action, profile } = this.options;
    if (!profile().credits) return refusalOf(NO_CREDITS, 'NotAllowed');
    const { accountId, amount, priority } = input;
    const acting = action(context, input, 'operatorGrantCredits');
    if (acting instanceof InvalidInput) return acting;
    const last = (await this.options.commands.load(accountStream(accountId))).at(-1);
    if (!last || last.type === 'AccountDeleted') return new NotFound('There is no account with this id.');
    const grantId = derivedId('grant', acting.caller, acting.commandId);
    const expires = input.expiresAt?.getTime();
    return this.#act(accountId, grantId, acting, {
      type: 'GrantCredits',
      grantId,
      amount,
      priority,
      expiresAt: expires === undefined ? null : new Date(Math.ceil(expires / DAY_MS) * DAY_MS).toISOString(),
      source: 'operator',
      paid: null,
      payment: null,
      by: acting.caller,
      soFar: await desk.open(accountId),
    });
  }

  @Command(() => OperatorCreditsResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description: 'Takes back what is left of a grant of credits. For operators.',
  })
  async operatorVoidCredits(
    @Ctx() context: RequestContext,
    @Arg('input', () => OperatorCreditsInput, { description: 'Input for `operatorVoidCredits`.' })
    input: OperatorCreditsInput,
  ): Promise<typeof OperatorCreditsResult> {
    const { accountId } = input;
    const { grantId } = grantNamed(input.grantId);
    const given = { ...input, grantId };
    const acting = this.options.action(context, given, 'operatorVoidCredits');
    if (acting instanceof InvalidInput) return acting;
    const soFar = await this.options.desk.open(accountId);
    return this.#act(accountId, grantId, acting, { type: 'VoidCredits', grantId, by: acting.caller, soFar });
  }

  @Command(() => OperatorCreditsResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    description:
      'Pays back what was paid for credits, and takes back all of them: what was spent is owed. For operators.',
  })
  async operatorRefundCredits(
    @Ctx() context: RequestContext,
    @Arg('input', () => OperatorCreditsInput, { description: 'Input for `operatorRefundCredits`.' })
    input: OperatorCreditsInput,
  ): Promise<typeof OperatorCreditsResult> {
    const { desk, sells, action } = this.options;
    if (!sells) return refusalOf(OFF, 'NotAllowed');
    const { accountId } = input;
    const { grantId } = grantNamed(input.grantId);
    const given = { ...input, grantId };
    const acting = action(context, given, 'operatorRefundCredits');
    if (acting instanceof InvalidInput) return acting;
    return this.#act(accountId, grantId, acting, { type: 'RequestRefund', grantId, by: acting.caller }, () =>
      desk.settle(accountId),
    );
  }

  async #act(
    accountId: string,
    grantId: string,
    acting: Exclude<ReturnType<OperatorAction>, InvalidInput>,
    command: CreditCommand,
    then: () => Promise<void> = () => Promise.resolve(),
  ): Promise<typeof OperatorCreditsResult> {
    const { commands, positions, desk } = this.options;
    const done = await commands.handle(creditDecider, creditStream(accountId), command, acting);
    if (done.kind === 'refused') return refusalOf(done.refusal, 'NotFound', 'Conflict');
    await then();
    const standing = await desk.standing(accountId);
    const grant = standing.grants.get(grantId);
    return payload(OperatorCreditsPayload, {
      grant: grant ? grantOf(accountId, grant) : null,
      credits: balanceOf(accountId, standing),
      replayed: done.replayed,
      position: positions.encode(done.position),
    });
  }
}

@Resolver(() => Account)
export class AccountCreditsResolver {
  constructor(
    private readonly options: Pick<CreditResolverOptions, 'desk' | 'profile' | 'standingIn' | 'counted'>,
  ) {}

  @Access(CREDITS_ACCESS)
  @FieldResolver(() => CreditBalance, {
    nullable: true,
    description:
      'Prepaid credits of the account and how much of them is left. Null if the service sells none.',
  })
  async credits(@Root() { id }: Account): Promise<CreditBalance | null> {
    const { desk, profile, counted } = this.options;
    if (!profile().credits) return null;
    // What was used is paid with them.
    await counted();
    return balanceOf(id, await desk.standing(id));
  }

  /** As with `CreditBalance.grants`, in the account of each; those that are spent, too. */
  async find(ids: readonly string[], context: RequestContext): Promise<CreditGrant[]> {
    const { desk, standingIn } = this.options;
    const wanted = new Map<string, string[]>();
    for (const { accountId, grantId } of ids.map(grantNamed)) {
      if (accountId !== undefined) wanted.set(accountId, [...(wanted.get(accountId) ?? []), grantId]);
    }
    const accounts = await inReach([...wanted.keys()], (id) => standingIn(context, id), CREDITS_ACCESS);
    const found = await Promise.all(
      accounts.map(async (accountId) => {
        const { grants } = await desk.standing(accountId);
        return (wanted.get(accountId) ?? []).flatMap((grantId) => {
          const grant = grants.get(grantId);
          return grant ? [grantOf(accountId, grant)] : [];
        });
      }),
    );
    return found.flat();
  }
}
