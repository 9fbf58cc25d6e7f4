import { Arg, Ctx, Resolver } from 'type-graphql';
import type { CommandSender } from '../graphql/kit/command.js';
import { Command } from '../graphql/kit/command.js';
import { commandIdOf } from '../eventsourcing/commandId.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { ownSessionOf, sessionOf } from '../graphql/kit/context.js';
import { MEMBERS } from '../graphql/kit/access.js';
import { payload } from '../graphql/kit/payload.js';
import { badCommandId, notDone, refusalOf, SignInRefused, limited } from '../graphql/kit/refusals.js';
import { sessionDecider } from './decideSession.js';
import { allSessionsDecider } from './decideAllSessions.js';
import { sessionStream } from './events.js';
import { userStream } from '../accounts/events.js';
import type { Refreshed, RefreshSession } from './refreshSession.js';
import {
  RefreshSessionInput,
  RefreshSessionPayload,
  RefreshSessionResult,
  SignInInput,
  SignInPayload,
  SignInResult,
  SignOutEverywhereInput,
  SignOutEverywherePayload,
  SignOutEverywhereResult,
  SignOutInput,
  SignOutPayload,
  SignOutResult,
} from './types.js';
import type { SignIn } from './signIn.js';
import { Account, User } from '../accounts/types.js';

const REFRESH_REFUSALS: Readonly<Record<Extract<Refreshed, { kind: 'refused' }>['code'], string>> = {
  REFRESH_TOKEN_INVALID: 'This refresh token is not good any more, or never was. Sign in again.',
  REFRESH_TOKEN_REUSED: 'This refresh token was used before, so its session has been ended. Sign in again.',
};

@Resolver()
export class SessionsResolver {
  constructor(
    private readonly signingIn: SignIn,
    private readonly refreshing: RefreshSession,
    private readonly sender: CommandSender,
    private readonly tokens: PositionTokens,
  ) {}

  @Command(() => SignInResult, {
    access: { anyone: true },
    metering: 'anonymous',
    description:
      'Signs a user in and starts a session. At most 10 failed attempts per e-mail address in 15 minutes. The answer never tells whether an address is registered. No credential needed.',
  })
  async signIn(
    @Ctx() { correlationId, now }: RequestContext,
    @Arg('input', () => SignInInput, { description: 'Input for `signIn`.' }) input: SignInInput,
  ): Promise<typeof SignInResult> {
    const result = await this.signingIn.execute(input, { at: new Date(now), correlationId });
    if (result.kind === 'limited') return limited(result.waitMs);
    if (result.kind === 'refused') return refusalOf(result.refusal, 'SignInRefused');
    const { holder, tokens, position } = result;
    return payload(SignInPayload, {
      user: Object.assign(new User(), {
        id: holder.userId,
        registeredAt: holder.registeredAt,
        sealedEmail: holder.sealedEmail,
        sealedName: holder.sealedName,
        emailVerified: holder.emailVerified,
      }),
      account: new Account(holder.accountId),
      session: tokens,
      replayed: tokens === null,
      position: this.tokens.encode(position),
    });
  }

  @Command(() => RefreshSessionResult, {
    access: { anyone: true },
    metering: 'anonymous',
    description:
      'Exchanges a refresh token for new tokens. Each refresh token is valid once. Sent again within 10 seconds, while its successor is unused, it returns the same successor; sent later, it ends the session, since somebody else has the token. No other credential needed.',
  })
  async refreshSession(
    @Ctx() { correlationId, now }: RequestContext,
    @Arg('input', () => RefreshSessionInput, { description: 'Input for `refreshSession`.' })
    input: RefreshSessionInput,
  ): Promise<typeof RefreshSessionResult> {
    if (commandIdOf(input.commandId) === undefined) return badCommandId();
    const result = await this.refreshing.execute(input.refreshToken, { at: new Date(now), correlationId });
    if (result.kind === 'refused') return new SignInRefused(result.code, REFRESH_REFUSALS[result.code]);
    return payload(RefreshSessionPayload, {
      session: result.tokens,
      position: this.tokens.encode(result.position),
    });
  }

  @Command(() => SignOutResult, {
    access: { roles: MEMBERS },
    description:
      'Ends the current session. Its tokens stop working at once. Requires a session of this service, not one of an identity provider.',
  })
  async signOut(
    @Ctx() context: RequestContext,
    @Arg('input', () => SignOutInput, { description: 'Input for `signOut`.' }) input: SignOutInput,
  ): Promise<typeof SignOutResult> {
    const { sessionId } = ownSessionOf(context);
    const sent = await this.sender.send(context, input, {
      decider: sessionDecider,
      stream: sessionStream(sessionId),
      command: { type: 'EndSession', reason: 'signed_out' },
      request: `sign-out:${sessionId}`,
    });
    if (sent.kind === 'refused') return notDone(sent.refusal);
    return payload(SignOutPayload, { replayed: sent.replayed, position: sent.position });
  }

  @Command(() => SignOutEverywhereResult, {
    access: { roles: MEMBERS },
    description:
      'Ends all sessions of the user, including this one. Their tokens stop working at once; API keys are not affected. Requires a session.',
  })
  async signOutEverywhere(
    @Ctx() context: RequestContext,
    @Arg('input', () => SignOutEverywhereInput, { description: 'Input for `signOutEverywhere`.' })
    input: SignOutEverywhereInput,
  ): Promise<typeof SignOutEverywhereResult> {
    const { userId, accountId } = sessionOf(context);
    const sent = await this.sender.send(context, input, {
      decider: allSessionsDecider,
      stream: userStream(userId),
      command: { type: 'EndSessions', accountId },
      request: 'sign-out-everywhere',
    });
    if (sent.kind === 'refused') return notDone(sent.refusal);
    return payload(SignOutEverywherePayload, { replayed: sent.replayed, position: sent.position });
  }
}
