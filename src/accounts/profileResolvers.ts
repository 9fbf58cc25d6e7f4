import { Arg, Ctx, Resolver } from 'type-graphql';
import { Command } from '../graphql/kit/command.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { ownSessionOf, sessionOf } from '../graphql/kit/context.js';
import { MEMBERS } from '../graphql/kit/access.js';
import { payload } from '../graphql/kit/payload.js';
import { limited, notDone, NotFound, refusalOf } from '../graphql/kit/refusals.js';
import type { ChangePassword } from './changePassword.js';
import {
  ChangePasswordInput,
  ChangePasswordPayload,
  ChangePasswordResult,
  UpdateProfileInput,
  UpdateProfilePayload,
  UpdateProfileResult,
  VerifyEmailInput,
  VerifyEmailPayload,
  VerifyEmailResult,
} from './profileTypes.js';
import { userOf } from './types.js';
import type { VerifyEmail } from './verifyEmail.js';
import type { UpdateProfile } from './updateProfile.js';

@Resolver()
export class ProfileResolver {
  constructor(
    private readonly changing: ChangePassword,
    private readonly updating: UpdateProfile,
    private readonly verifying: VerifyEmail,
    private readonly tokens: PositionTokens,
    /** Waits, bounded, until the read models show what was changed. */
    private readonly shown: () => Promise<void>,
  ) {}

  @Command(() => ChangePasswordResult, {
    access: { roles: MEMBERS },
    description:
      'Changes the password of the signed-in user. Ends all sessions of the user and returns a new one. At most 10 wrong passwords in 15 minutes. Requires a session of this service, not one of an identity provider.',
  })
  async changePassword(
    @Ctx() context: RequestContext,
    @Arg('input', () => ChangePasswordInput, { description: 'Input for `changePassword`.' })
    input: ChangePasswordInput,
  ): Promise<typeof ChangePasswordResult> {
    const result = await this.changing.execute(ownSessionOf(context), input, {
      at: new Date(context.now),
      correlationId: context.correlationId,
    });
    if (result.kind === 'limited') return limited(result.waitMs);
    if (result.kind === 'refused') return notDone(result.refusal);
    const { tokens, position } = result;
    return payload(ChangePasswordPayload, {
      session: tokens,
      replayed: tokens === null,
      position: this.tokens.encode(position),
    });
  }

  @Command(() => UpdateProfileResult, {
    access: { roles: MEMBERS },
    description: 'Changes the name of the signed-in user. Requires a session.',
  })
  async updateProfile(
    @Ctx() context: RequestContext,
    @Arg('input', () => UpdateProfileInput, { description: 'Input for `updateProfile`.' })
    input: UpdateProfileInput,
  ): Promise<typeof UpdateProfileResult> {
    const session = sessionOf(context);
    const result = await this.updating.execute(session, input, {
      at: new Date(context.now),
      correlationId: context.correlationId,
    });
    if (result.kind === 'refused') return notDone(result.refusal);
    await this.shown();
    const row = await context.loaders.user.load(session.userId);
    if (!row) return new NotFound('The user is not there any more.');
    return payload(UpdateProfilePayload, {
      user: userOf(row),
      replayed: result.replayed,
      position: this.tokens.encode(result.position),
    });
  }

  @Command(() => VerifyEmailResult, {
    access: { anyone: true },
    metering: 'anonymous',
    description:
      'Confirms an e-mail address with the token that was mailed to it on registration. No credential needed.',
  })
  async verifyEmail(
    @Ctx() { now, correlationId }: RequestContext,
    @Arg('input', () => VerifyEmailInput, { description: 'Input for `verifyEmail`.' })
    input: VerifyEmailInput,
  ): Promise<typeof VerifyEmailResult> {
    const result = await this.verifying.execute(input, { at: new Date(now), correlationId });
    if (result.kind === 'refused') return refusalOf(result.refusal);
    return payload(VerifyEmailPayload, {
      replayed: result.replayed,
      position: this.tokens.encode(result.position),
    });
  }
}
