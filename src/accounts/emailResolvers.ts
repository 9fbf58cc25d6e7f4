import { Arg, Ctx, Resolver } from 'type-graphql';
import { Command } from '../graphql/kit/command.js';
import type { CommandContext } from '../eventsourcing/commandHandler.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { MEMBERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { ownSessionOf } from '../graphql/kit/context.js';
import { payload } from '../graphql/kit/payload.js';
import { refusalOf, limited } from '../graphql/kit/refusals.js';
import type { ConfirmEmailChange, RequestEmailChange } from './changeEmail.js';
import {
  RequestEmailChangeInput,
  RequestEmailChangePayload,
  RequestEmailChangeResult,
  ConfirmEmailChangeInput,
  ConfirmEmailChangePayload,
  ConfirmEmailChangeResult,
  RequestPasswordResetInput,
  RequestPasswordResetPayload,
  RequestPasswordResetResult,
  ResetPasswordInput,
  ResetPasswordPayload,
  ResetPasswordResult,
} from './emailTypes.js';
import type { RequestPasswordReset, ResetPassword } from './resetPassword.js';

/** How long an answer waits for what policies do about it, in milliseconds. */
const POLICIES_WAIT_MS = 3_000;

/** What is done by tokens that are mailed: a new password, another e-mail. */
@Resolver()
export class EmailResolver {
  constructor(
    private readonly requestingReset: RequestPasswordReset,
    private readonly resetting: ResetPassword,
    private readonly requestingChange: RequestEmailChange,
    private readonly confirming: ConfirmEmailChange,
    private readonly tokens: PositionTokens,
    /** Waits, bounded, for policies and read models to have seen a position. */
    private readonly settled: (position: number, timeoutMs: number) => Promise<boolean>,
  ) {}

  @Command(() => RequestPasswordResetResult, {
    access: { anyone: true },
    metering: 'anonymous',
    description:
      'Mails a token for `resetPassword` to the user with this e-mail address. The answer is the same if there is no such user. At most three tokens are valid at a time; further requests send no mail. No credential needed.',
  })
  async requestPasswordReset(
    @Ctx() context: RequestContext,
    @Arg('input', () => RequestPasswordResetInput, { description: 'Input for `requestPasswordReset`.' })
    input: RequestPasswordResetInput,
  ): Promise<typeof RequestPasswordResetResult> {
    const result = await this.requestingReset.execute(input, whenOf(context));
    if (result.kind === 'refused') return refusalOf(result.refusal);
    return payload(RequestPasswordResetPayload, { position: this.tokens.encode(result.position) });
  }

  @Command(() => ResetPasswordResult, {
    access: { anyone: true },
    metering: 'anonymous',
    description:
      'Sets a new password with the mailed token. Ends all sessions of the user and confirms the e-mail address. No credential needed.',
  })
  async resetPassword(
    @Ctx() context: RequestContext,
    @Arg('input', () => ResetPasswordInput, { description: 'Input for `resetPassword`.' })
    input: ResetPasswordInput,
  ): Promise<typeof ResetPasswordResult> {
    const result = await this.resetting.execute(input, whenOf(context));
    if (result.kind === 'refused') return refusalOf(result.refusal);
    return payload(ResetPasswordPayload, this.#done(result));
  }

  @Command(() => RequestEmailChangeResult, {
    access: { roles: MEMBERS },
    description:
      'Mails a token for `confirmEmailChange` to a new e-mail address. Nothing changes until it is confirmed; changing the password or signing out everywhere cancels the request. At most 10 attempts in 15 minutes. Requires a session of this service, not one of an identity provider.',
  })
  async requestEmailChange(
    @Ctx() context: RequestContext,
    @Arg('input', () => RequestEmailChangeInput, { description: 'Input for `requestEmailChange`.' })
    input: RequestEmailChangeInput,
  ): Promise<typeof RequestEmailChangeResult> {
    const result = await this.requestingChange.execute(ownSessionOf(context), input, whenOf(context));
    if (result.kind === 'limited') return limited(result.waitMs);
    if (result.kind === 'refused') return refusalOf(result.refusal, 'Conflict', 'NotFound');
    return payload(RequestEmailChangePayload, this.#done(result));
  }

  @Command(() => ConfirmEmailChangeResult, {
    access: { anyone: true },
    metering: 'anonymous',
    description:
      'Changes the e-mail address of a user with the token that was mailed to the new address. The old address is notified and can be registered again. No credential needed.',
  })
  async confirmEmailChange(
    @Ctx() context: RequestContext,
    @Arg('input', () => ConfirmEmailChangeInput, { description: 'Input for `confirmEmailChange`.' })
    input: ConfirmEmailChangeInput,
  ): Promise<typeof ConfirmEmailChangeResult> {
    const result = await this.confirming.execute(input, whenOf(context));
    if (result.kind === 'refused') return refusalOf(result.refusal, 'Conflict');
    // It is claimed: an outage from here on delays what follows, not the answer.
    await this.settled(result.position, POLICIES_WAIT_MS).catch(() => false);
    return payload(ConfirmEmailChangePayload, this.#done(result));
  }

  #done({ position, replayed }: { readonly position: number; readonly replayed: boolean }) {
    return { position: this.tokens.encode(position), replayed };
  }
}

const whenOf = ({ now, correlationId }: RequestContext): Pick<CommandContext, 'at' | 'correlationId'> => ({
  at: new Date(now),
  correlationId,
});
