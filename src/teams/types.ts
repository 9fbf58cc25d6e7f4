import 'reflect-metadata';
import { createUnionType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { COMMAND_ID } from '../eventsourcing/commandId.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { connectionOf } from '../graphql/kit/pages.js';
import { Payload } from '../graphql/kit/payload.js';
import {
  Conflict,
  InvalidInput,
  LimitReached,
  NotAllowed,
  NotFound,
  PlanRequired,
} from '../graphql/kit/refusals.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Node } from '../graphql/kit/node.js';

export enum MemberRole {
  OWNER = 'owner',
  ADMIN = 'admin',
  DEVELOPER = 'developer',
  BILLING = 'billing',
  VIEWER = 'viewer',
}
registerEnumType(MemberRole, {
  name: 'MemberRole',
  description: 'What a user may do in an account.',
  valuesConfig: {
    OWNER: { description: 'Everything; alone makes, changes and removes owners.' },
    ADMIN: { description: 'Manages members, reads the audit log, and what developers may.' },
    DEVELOPER: { description: 'Manages keys, and sees usage.' },
    BILLING: { description: 'Pays, and sees usage.' },
    VIEWER: { description: 'Sees usage, keys without their secrets, and members.' },
  },
});

@ObjectType({ description: 'A user who works in an account.' })
export class Member {
  @IdOf('User')
  @Field(() => ID, { description: 'The id of the user, for `changeMemberRole` and `removeMember`.' })
  userId!: string;

  @Field(() => MemberRole, { description: 'What the member may do.' })
  role!: MemberRole;

  @Field(() => Boolean, { description: 'Whether the member opened the account, and so stays its owner.' })
  firstOwner!: boolean;

  @Field(() => DateTimeISO, { description: 'When the membership began.' })
  joinedAt!: Date;
}

export const MemberConnection = connectionOf(Member, { entry: 'Member', one: 'member', many: 'members' });

@ObjectType({ implements: Node, description: 'An invitation that waits for an answer.' })
export class Invitation extends Node {
  @Field(() => MemberRole, { description: 'What the invited will be allowed to do.' })
  role!: MemberRole;

  @Field(() => DateTimeISO, { description: 'When it was made.' })
  invitedAt!: Date;

  @Field(() => DateTimeISO, { description: 'Until when it can be accepted.' })
  expiresAt!: Date;

  /** Sealed, resolved on demand. */
  sealedEmail!: string;
}

export const InvitationConnection = connectionOf(Invitation, {
  entry: 'Invitation',
  one: 'invitation',
  many: 'invitations',
});

@ObjectType({ description: 'An account that the user works in.' })
export class Membership {
  @IdOf('Account')
  @Field(() => ID, {
    description: 'The id of the account: send it as the header `Tollgraph-Account` to work in it.',
  })
  accountId!: string;

  @Field(() => MemberRole, { description: 'What the user may do there.' })
  role!: MemberRole;

  @Field(() => DateTimeISO, { description: 'When the membership began.' })
  joinedAt!: Date;

  ownerId!: string;
}

export const MembershipConnection = connectionOf(Membership, {
  entry: 'Membership',
  one: 'membership',
  many: 'memberships',
});

@InputType({ description: 'Input for `inviteMember`.' })
export class InviteMemberInput {
  @Field(() => String, { description: 'Where the invitation is mailed to, and who alone can accept it.' })
  email!: string;

  @Field(() => MemberRole, { description: 'What the invited will be allowed to do.' })
  role!: MemberRole;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'An invitation that was made, and is mailed.' })
export class InviteMemberPayload extends Payload {
  @Field(() => Invitation, { description: 'The invitation that is mailed.' })
  invitation!: Invitation;
}

@InputType({ description: 'Input for `acceptInvitation`.' })
export class AcceptInvitationInput {
  @Field(() => String, { description: 'The token that was mailed.' })
  token!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'An accepted invitation.' })
export class AcceptInvitationPayload extends Payload {
  @Field(() => Membership, { description: 'The membership that has begun.' })
  membership!: Membership;
}

@InputType({ description: 'Input for `withdrawInvitation`.' })
export class WithdrawInvitationInput {
  @IdOf('Invitation')
  @Field(() => ID, { description: 'Id of the invitation, as in `account.invitations`.' })
  invitationId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A withdrawn invitation.' })
export class WithdrawInvitationPayload extends Payload {
  @IdOf('Invitation')
  @Field(() => ID, { description: 'The invitation, which can no longer be accepted.' })
  invitationId!: string;
}

@InputType({ description: 'Input for `changeMemberRole`.' })
export class ChangeMemberRoleInput {
  @IdOf('User')
  @Field(() => ID, { description: 'Id of the member, as in `account.members`.' })
  userId!: string;

  @Field(() => MemberRole, { description: 'The new role.' })
  role!: MemberRole;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A member with another role.' })
export class ChangeMemberRolePayload extends Payload {
  @Field(() => Member, { description: 'The member, with the new role.' })
  member!: Member;
}

@InputType({ description: 'Input for `removeMember`.' })
export class RemoveMemberInput {
  @IdOf('User')
  @Field(() => ID, { description: 'Id of the member, as in `account.members`.' })
  userId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A removed member.' })
export class RemoveMemberPayload extends Payload {
  @IdOf('User')
  @Field(() => ID, { description: 'The id of the user, who is no member any more.' })
  userId!: string;
}

@InputType({ description: 'Input for `leaveAccount`.' })
export class LeaveAccountInput {
  @IdOf('Account')
  @Field(() => ID, { description: 'The id of the account, as in `me.accounts`.' })
  accountId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'An account that was left.' })
export class LeaveAccountPayload extends Payload {
  @IdOf('Account')
  @Field(() => ID, { description: 'The account that the user is no member of any more.' })
  accountId!: string;
}

export const InviteMemberResult = createUnionType({
  name: 'InviteMemberResult',
  description: 'The invitation, or why there is none.',
  types: () =>
    [InviteMemberPayload, PlanRequired, NotAllowed, Conflict, LimitReached, NotFound, InvalidInput] as const,
});

export const AcceptInvitationResult = createUnionType({
  name: 'AcceptInvitationResult',
  description: 'The account that was joined, or why it was not.',
  types: () => [AcceptInvitationPayload, NotAllowed, Conflict, NotFound, InvalidInput] as const,
});

export const WithdrawInvitationResult = createUnionType({
  name: 'WithdrawInvitationResult',
  description: 'The withdrawn invitation, or why it was not withdrawn.',
  types: () => [WithdrawInvitationPayload, NotAllowed, NotFound, InvalidInput] as const,
});

export const ChangeMemberRoleResult = createUnionType({
  name: 'ChangeMemberRoleResult',
  description: 'The member’s new role, or why it is still the old one.',
  types: () => [ChangeMemberRolePayload, NotAllowed, NotFound, InvalidInput] as const,
});

export const RemoveMemberResult = createUnionType({
  name: 'RemoveMemberResult',
  description: 'The removed member, or why they were not removed.',
  types: () => [RemoveMemberPayload, NotAllowed, NotFound, InvalidInput] as const,
});

export const LeaveAccountResult = createUnionType({
  name: 'LeaveAccountResult',
  description: 'The account that was left, or why it was not.',
  types: () => [LeaveAccountPayload, NotAllowed, NotFound, InvalidInput] as const,
});
