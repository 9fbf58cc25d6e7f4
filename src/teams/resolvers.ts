import { Arg, Ctx, Resolver } from 'type-graphql';
import type { CommandInput, CommandSender } from '../graphql/kit/command.js';
import { Command, senderOf } from '../graphql/kit/command.js';
import { accountStream } from '../accounts/events.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import type { PositionTokens } from '../eventsourcing/positionToken.js';
import { MANAGERS, MEMBERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { accountOf, sessionOf } from '../graphql/kit/context.js';
import { payload } from '../graphql/kit/payload.js';
import { badCommandId, InvalidInput, NotAllowed, PlanRequired, refusalOf } from '../graphql/kit/refusals.js';
import { shownPlan } from '../plans/planTypes.js';
import type { Plan } from '../plans/profile.js';
import { hasFeature } from '../plans/profile.js';
import type { SignedTokens } from '../secrets/signedTokens.js';
import type { TeamCommand } from './decide.js';
import { teamDecider } from './decide.js';
import { teamStream } from './events.js';
import { invitationOf } from './invitationTokens.js';
import type { InviteMember } from './invite.js';
import { membershipIn, TEAMS } from './memberships.js';
import type { MemberRole } from './types.js';
import {
  AcceptInvitationInput,
  AcceptInvitationPayload,
  AcceptInvitationResult,
  ChangeMemberRoleInput,
  ChangeMemberRolePayload,
  ChangeMemberRoleResult,
  Invitation,
  InviteMemberInput,
  InviteMemberPayload,
  InviteMemberResult,
  LeaveAccountInput,
  LeaveAccountPayload,
  LeaveAccountResult,
  Member,
  Membership,
  RemoveMemberInput,
  RemoveMemberPayload,
  RemoveMemberResult,
  WithdrawInvitationInput,
  WithdrawInvitationPayload,
  WithdrawInvitationResult,
} from './types.js';

/** The e-mail that a user has, as invitations are held against it. */
export interface UsersEmail {
  /** All names that it has, or had by an earlier rule. */
  readonly hashes: readonly string[];
  readonly verified: boolean;
}

export interface TeamsOptions {
  readonly sender: CommandSender;
  /** The events of a stream. */
  readonly load: (stream: string) => Promise<readonly StoredEvent[]>;
  readonly invite: InviteMember;
  /** @returns undefined for what can't be an e-mail */
  readonly normaliseEmail: (text: string) => string | undefined;
  /** @returns undefined for a user who is not there any more */
  readonly emailOf: (userId: string) => Promise<UsersEmail | undefined>;
  readonly planOf: (accountId: string) => Plan;
  /** From the smallest to the largest. */
  readonly plans: () => readonly Plan[];
  readonly invitationTokens: SignedTokens;
  readonly positions: PositionTokens;
}

@Resolver()
export class TeamsResolver {
  constructor(private readonly options: TeamsOptions) {}

  @Command(() => InviteMemberResult, {
    access: { roles: MANAGERS },
    description:
      'Invites somebody by mail to work in the account. The invitation expires after 7 days. Requires a session, and a plan with the feature `teams`.',
  })
  async inviteMember(
    @Ctx() context: RequestContext,
    @Arg('input', () => InviteMemberInput, { description: 'Input for `inviteMember`.' })
    input: InviteMemberInput,
  ): Promise<typeof InviteMemberResult> {
    const accountId = accountOf(context);
    const email = this.options.normaliseEmail(input.email);
    if (email === undefined) return new InvalidInput('"email" is not an e-mail address.', 'email');
    const sender = senderOf(context, input);
    if (!sender) return badCommandId();
    if (!hasFeature(this.options.planOf(accountId), TEAMS)) return this.#planRequired();
    const result = await this.options.invite.execute(
      { accountId, invitedBy: sessionOf(context).userId, email, role: input.role },
      sender,
    );
    if (result.kind === 'refused')
      return refusalOf(result.refusal, 'NotFound', 'NotAllowed', 'Conflict', 'LimitReached');
    const stored = result.stored.at(-1);
    const event = result.events.at(-1);
    if (event?.type !== 'MemberInvited' || !stored) throw new Error('InviteMember without MemberInvited');
    const { invitationId: id, role, expiresAt, email: sealedEmail } = event.data;
    return payload(InviteMemberPayload, {
      invitation: Object.assign(new Invitation(), {
        id,
        role: role as MemberRole,
        invitedAt: new Date(stored.metadata.at),
        expiresAt: new Date(expiresAt),
        sealedEmail,
      }),
      replayed: result.replayed,
      position: this.options.positions.encode(result.position),
    });
  }

  @Command(() => AcceptInvitationResult, {
    access: { roles: MEMBERS },
    description:
      'Accepts an invitation for the signed-in user. Their e-mail address must be verified and be the invited one. Requires a session.',
  })
  async acceptInvitation(
    @Ctx() context: RequestContext,
    @Arg('input', () => AcceptInvitationInput, { description: 'Input for `acceptInvitation`.' })
    input: AcceptInvitationInput,
  ): Promise<typeof AcceptInvitationResult> {
    const { userId } = sessionOf(context);
    const named = invitationOf(this.options.invitationTokens, input.token, context.now);
    const email = named && (await this.options.emailOf(userId));
    if (!named || !email) {
      return new InvalidInput('This token has expired or is not valid.', 'token', 'TOKEN_INVALID');
    }
    const { accountId, invitationId } = named;
    const { hashes: emailHashes, verified } = email;
    const result = await this.#send(
      context,
      accountId,
      input,
      // Whoever else has the token is not told to verify anything: for them it is none.
      { type: 'AcceptInvitation', invitationId, userId, emailHashes, verified, at: new Date(context.now) },
      `accept:${invitationId}`,
    );
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound', 'NotAllowed', 'Conflict');
    return payload(AcceptInvitationPayload, {
      membership: await this.#membership(accountId, userId),
      replayed: result.replayed,
      position: result.position,
    });
  }

  @Command(() => WithdrawInvitationResult, {
    access: { roles: MANAGERS },
    description: 'Withdraws an open invitation to the account. Requires a session.',
  })
  async withdrawInvitation(
    @Ctx() context: RequestContext,
    @Arg('input', () => WithdrawInvitationInput, { description: 'Input for `withdrawInvitation`.' })
    input: WithdrawInvitationInput,
  ): Promise<typeof WithdrawInvitationResult> {
    const { userId: actorId } = sessionOf(context);
    const { invitationId } = input;
    const result = await this.#send(
      context,
      accountOf(context),
      input,
      { type: 'WithdrawInvitation', actorId, invitationId },
      `withdraw:${invitationId}`,
    );
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound', 'NotAllowed');
    return payload(WithdrawInvitationPayload, {
      invitationId,
      replayed: result.replayed,
      position: result.position,
    });
  }

  @Command(() => ChangeMemberRoleResult, {
    access: { roles: MANAGERS },
    description: 'Changes the role of a member, effective with their next request. Requires a session.',
  })
  async changeMemberRole(
    @Ctx() context: RequestContext,
    @Arg('input', () => ChangeMemberRoleInput, { description: 'Input for `changeMemberRole`.' })
    input: ChangeMemberRoleInput,
  ): Promise<typeof ChangeMemberRoleResult> {
    const { userId: actorId } = sessionOf(context);
    const { userId, role } = input;
    const accountId = accountOf(context);
    const result = await this.#send(
      context,
      accountId,
      input,
      { type: 'ChangeMemberRole', actorId, userId, role },
      `role:${userId}:${role}`,
    );
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound', 'NotAllowed');
    return payload(ChangeMemberRolePayload, {
      member: await this.#member(accountId, userId),
      replayed: result.replayed,
      position: result.position,
    });
  }

  @Command(() => RemoveMemberResult, {
    access: { roles: MANAGERS },
    description:
      'Removes a member from the account at once. Keys that they issued keep working, since keys belong to the account. Requires a session.',
  })
  async removeMember(
    @Ctx() context: RequestContext,
    @Arg('input', () => RemoveMemberInput, { description: 'Input for `removeMember`.' })
    input: RemoveMemberInput,
  ): Promise<typeof RemoveMemberResult> {
    const { userId: actorId } = sessionOf(context);
    const { userId } = input;
    const result = await this.#send(
      context,
      accountOf(context),
      input,
      { type: 'RemoveMember', actorId, userId },
      `remove:${userId}`,
    );
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound', 'NotAllowed');
    return payload(RemoveMemberPayload, { userId, replayed: result.replayed, position: result.position });
  }

  @Command(() => LeaveAccountResult, {
    access: { roles: MEMBERS },
    description: 'Ends the membership of the signed-in user in an account. Requires a session.',
  })
  async leaveAccount(
    @Ctx() context: RequestContext,
    @Arg('input', () => LeaveAccountInput, { description: 'Input for `leaveAccount`.' })
    input: LeaveAccountInput,
  ): Promise<typeof LeaveAccountResult> {
    const { userId } = sessionOf(context);
    const { accountId } = input;
    const result = await this.#send(context, accountId, input, { type: 'LeaveTeam', userId }, 'leave');
    if (result.kind === 'refused') return refusalOf(result.refusal, 'NotFound', 'NotAllowed');
    return payload(LeaveAccountPayload, { accountId, replayed: result.replayed, position: result.position });
  }

  /** Sends a command to the team of an account. */
  #send(
    context: RequestContext,
    accountId: string,
    input: CommandInput,
    command: TeamCommand,
    request: string,
  ) {
    const stream = teamStream(accountId);
    return this.options.sender.send(context, input, { decider: teamDecider, stream, command, request });
  }

  async #member(accountId: string, userId: string): Promise<Member> {
    const { role, since, ownerId } = membershipIn(await this.options.load(teamStream(accountId)), userId);
    const firstOwner = ownerId === userId;
    const [opened] = firstOwner ? await this.options.load(accountStream(accountId)) : [];
    return Object.assign(new Member(), {
      userId,
      role: role as MemberRole,
      firstOwner,
      joinedAt: opened ? new Date(opened.metadata.at) : since,
    });
  }

  async #membership(accountId: string, userId: string): Promise<Membership> {
    const { role, since, ownerId } = membershipIn(await this.options.load(teamStream(accountId)), userId);
    return Object.assign(new Membership(), { accountId, role: role as MemberRole, joinedAt: since, ownerId });
  }

  #planRequired(): PlanRequired | NotAllowed {
    const plan = this.options.plans().find((one) => hasFeature(one, TEAMS));
    return plan
      ? new PlanRequired(shownPlan(plan), `The plan of this account has no teams; "${plan.id}" has them.`)
      : new NotAllowed('TEAMS_NOT_OFFERED', 'No plan of this product has teams.');
  }
}
