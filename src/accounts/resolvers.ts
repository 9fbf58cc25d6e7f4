import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { Command } from '../graphql/kit/command.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import type { PlanOf, RequestContext, StandingIn } from '../graphql/kit/context.js';
import { accountOf, ownSessionOf, standingOf } from '../graphql/kit/context.js';
import { Access, MEMBERS } from '../graphql/kit/access.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { givenId } from '../graphql/kit/ids.js';
import { Metered } from '../graphql/kit/metering.js';
import { payload } from '../graphql/kit/payload.js';
import { notDone, refusalOf } from '../graphql/kit/refusals.js';
import { Outage } from '../outage.js';
import { Plan, shownPlan } from '../plans/planTypes.js';
import type { DeleteAccount } from './delete.js';
import type { RegisterUser } from './register.js';
import type { SessionTokens } from '../sessions/tokenTypes.js';
import type { StartsSession } from './startsSession.js';
import {
  Account,
  DeleteAccountInput,
  DeleteAccountPayload,
  DeleteAccountResult,
  RegisterUserInput,
  RegisterUserPayload,
  RegisterUserResult,
  User,
  userOf,
  Viewer,
} from './types.js';

/** How long an answer waits for what policies do about it, in milliseconds. */
const POLICIES_WAIT_MS = 3_000;

@Resolver()
export class AccountsResolver {
  constructor(
    private readonly register: RegisterUser,
    private readonly remove: DeleteAccount,
    private readonly startSession: StartsSession,
    private readonly tokens: PositionTokens,
    /** Waits, bounded, for policies and read models to have seen a position. */
    private readonly settled: (position: number, timeoutMs: number) => Promise<boolean>,
    private readonly standingIn: StandingIn,
  ) {}

  @Command(() => RegisterUserResult, {
    access: { anyone: true },
    metering: 'anonymous',
    description:
      'Registers a user, opens an account on the default plan and starts a session. Mails a token for `verifyEmail`. No credential needed. The service may be closed, or take an invitation of an operator.',
  })
  async registerUser(
    @Ctx() { correlationId, now }: RequestContext,
    @Arg('input', () => RegisterUserInput, { description: 'Input for `registerUser`.' })
    input: RegisterUserInput,
  ): Promise<typeof RegisterUserResult> {
    const result = await this.register.execute(input, correlationId);
    if (result.kind === 'refused') return refusalOf(result.refusal, 'Conflict', 'NotAllowed');
    const { userId, accountId, position, replayed } = result;
    // It is registered: an outage from here on delays the account, not the answer.
    await this.settled(position, POLICIES_WAIT_MS).catch(() => false);
    const tokens = replayed ? null : await this.#firstSession(userId, accountId, now, correlationId);
    const user = Object.assign(new User(), {
      id: userId,
      registeredAt: result.at,
      sealedEmail: result.sealedEmail,
      sealedName: result.sealedName,
      emailVerified: false,
    });
    return payload(RegisterUserPayload, {
      user,
      account: new Account(accountId),
      session: tokens,
      replayed,
      position: this.tokens.encode(position),
    });
  }

  /** @returns null in an outage: the user is registered, and signs in later */
  async #firstSession(
    userId: string,
    accountId: string,
    now: number,
    correlationId: string,
  ): Promise<SessionTokens | null> {
    try {
      const started = await this.startSession.execute({ userId, accountId, epoch: 0 }, 'registration', {
        commandId: 'registration',
        caller: `user:${userId}`,
        at: new Date(now),
        correlationId,
      });
      return started.kind === 'started' ? started.tokens : null;
    } catch (error) {
      if (error instanceof Outage) return null;
      throw error;
    }
  }

  @Command(() => DeleteAccountResult, {
    access: { roles: ['owner'] },
    description:
      'Deletes the account of the signed-in user permanently. Only the user who opened it can do this. Its sessions and keys stop working at once, members lose access, personal data is erased, and the e-mail address can be registered again. Recorded usage is kept. Requires a session of this service, not one of an identity provider.',
  })
  async deleteAccount(
    @Ctx() context: RequestContext,
    @Arg('input', () => DeleteAccountInput, { description: 'Input for `deleteAccount`.' })
    input: DeleteAccountInput,
  ): Promise<typeof DeleteAccountResult> {
    const accountId = accountOf(context);
    const { userId } = ownSessionOf(context);
    const result = await this.remove.execute(
      { accountId, userId, ...input },
      { at: new Date(context.now), correlationId: context.correlationId },
    );
    if (result.kind === 'refused') return notDone(result.refusal);
    // It is deleted: an outage from here on delays what follows, not the answer.
    await this.settled(result.position, POLICIES_WAIT_MS).catch(() => false);
    return payload(DeleteAccountPayload, {
      accountId,
      replayed: result.replayed,
      position: this.tokens.encode(result.position),
    });
  }

  @Metered('guarded')
  @Access({ scope: 'read', roles: MEMBERS })
  @Query(() => Viewer, {
    nullable: true,
    description:
      'The authenticated caller: the account, and the user if one is signed in. Free. Example: `{ me { account { id plan { name } } user { email } } }`.',
  })
  async me(@Ctx() context: RequestContext): Promise<Viewer> {
    const standing = standingOf(context);
    const account = new Account(accountOf(context), standing);
    if (context.caller.kind !== 'session') return { standing, account, user: null };
    const row = await context.loaders.user.load(context.caller.session.userId);
    return { standing, account, user: row ? userOf(row) : null };
  }

  @Metered('guarded')
  @Access({ scope: 'read', roles: MEMBERS })
  @Query(() => Account, {
    nullable: true,
    description:
      'An account that you work in, with its keys, limits, usage and members. Null for any other id, whether that account exists or not. Free.',
  })
  async account(
    @Ctx() context: RequestContext,
    @Arg('id', () => ID, {
      nullable: true,
      description:
        'Id of the account, e.g. `acc_…`. Defaults to the key’s account, or to the account that the session works in.',
    })
    given: string | null | undefined,
  ): Promise<Account | null> {
    const id = given == null ? accountOf(context) : givenId('Account', given);
    const standing = await this.standingIn(context, id);
    return standing ? new Account(id, standing) : null;
  }
}

@Resolver(() => User)
export class UserResolver {
  @FieldResolver(() => String, {
    nullable: true,
    description: 'Null after the account was deleted and its personal data erased.',
  })
  async email(@Root() { sealedEmail }: User, @Ctx() { loaders }: RequestContext): Promise<string | null> {
    return sealedEmail === null ? null : loaders.unsealed.load(sealedEmail);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'Null after the account was deleted and its personal data erased.',
  })
  async name(@Root() { sealedName }: User, @Ctx() { loaders }: RequestContext): Promise<string | null> {
    return sealedName === null ? null : loaders.unsealed.load(sealedName);
  }
}

@Resolver(() => Account)
export class AccountResolver {
  constructor(
    private readonly planOf: PlanOf,
    private readonly planEndOf: (accountId: string) => number | undefined,
  ) {}

  @FieldResolver(() => Plan, { description: 'The plan in force now.' })
  plan(@Root() { id }: Account): Plan {
    return shownPlan(this.planOf(id).plan);
  }

  @FieldResolver(() => DateTimeISO, {
    nullable: true,
    description: 'When a plan that was granted for a limited time ends. Null for any other plan.',
  })
  planEndsAt(@Root() { id }: Account): Date | null {
    const end = this.planEndOf(id);
    return end === undefined ? null : new Date(end);
  }
}
