import 'reflect-metadata';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import {
  ArgsType,
  createUnionType,
  Field,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from 'type-graphql';
import { PageInfo } from '../graphql/connection.js';
import { Range } from '../graphql/cost/directives.js';
import { InvalidInput, NotFound, PlanRequired, Refusal } from '../graphql/refusals.js';

const MAX_PAGE = 100;

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
    ADMIN: { description: 'Manages members, and what developers may.' },
    DEVELOPER: { description: 'Manages keys, and sees usage.' },
    BILLING: { description: 'Pays, and sees usage.' },
    VIEWER: { description: 'Sees usage, keys without their secrets, and members.' },
  },
});

@ObjectType({ description: 'Who works in an account.' })
export class Member {
  @Field(() => ID, { description: 'The id of the user, for `changeMemberRole` and `removeMember`.' })
  userId!: string;

  @Field(() => MemberRole, { description: 'What the member may do.' })
  role!: MemberRole;

  @Field(() => Boolean, { description: 'Whether the member opened the account, and so stays its owner.' })
  firstOwner!: boolean;

  @Field(() => GraphQLDateTimeISO, { description: 'Since when.' })
  since!: Date;
}

@ObjectType({ simpleResolvers: true, description: 'A member at its place in a list.' })
export class MemberEdge {
  @Field(() => String, { description: 'Names this place; opaque.' })
  cursor!: string;

  @Field(() => Member, { description: 'The member.' })
  node!: Member;
}

@ObjectType({ simpleResolvers: true, description: 'A page of members.' })
export class MemberConnection {
  @Field(() => [MemberEdge], { description: 'The members with their places.' })
  edges!: MemberEdge[];

  @Field(() => [Member], { description: 'The members alone.' })
  nodes!: Member[];

  @Field(() => PageInfo, { description: 'Where this page stands.' })
  pageInfo!: PageInfo;
}

@ObjectType({ description: 'An invitation that waits for an answer.' })
export class Invitation {
  @Field(() => ID, { description: 'Its id, for `withdrawInvitation`.' })
  id!: string;

  @Field(() => MemberRole, { description: 'What the invited will be allowed to do.' })
  role!: MemberRole;

  @Field(() => GraphQLDateTimeISO, { description: 'When it was made.' })
  invitedAt!: Date;

  @Field(() => GraphQLDateTimeISO, { description: 'Until when it can be accepted.' })
  expiresAt!: Date;

  /** Sealed, resolved on demand. */
  sealedEmail!: string;
}

@ObjectType({ simpleResolvers: true, description: 'An invitation at its place in a list.' })
export class InvitationEdge {
  @Field(() => String, { description: 'Names this place; opaque.' })
  cursor!: string;

  @Field(() => Invitation, { description: 'The invitation.' })
  node!: Invitation;
}

@ObjectType({ simpleResolvers: true, description: 'A page of invitations.' })
export class InvitationConnection {
  @Field(() => [InvitationEdge], { description: 'The invitations with their places.' })
  edges!: InvitationEdge[];

  @Field(() => [Invitation], { description: 'The invitations alone.' })
  nodes!: Invitation[];

  @Field(() => PageInfo, { description: 'Where this page stands.' })
  pageInfo!: PageInfo;
}

@ObjectType({ description: 'An account that the user works in.' })
export class Membership {
  @Field(() => ID, {
    description: 'The id of the account: send it as the header `Tollgraph-Account` to work in it.',
  })
  accountId!: string;

  @Field(() => MemberRole, { description: 'What the user may do there.' })
  role!: MemberRole;

  @Field(() => GraphQLDateTimeISO, { description: 'Since when.' })
  since!: Date;

  ownerId!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A membership at its place in a list.' })
export class MembershipEdge {
  @Field(() => String, { description: 'Names this place; opaque.' })
  cursor!: string;

  @Field(() => Membership, { description: 'The membership.' })
  node!: Membership;
}

@ObjectType({ simpleResolvers: true, description: 'A page of memberships.' })
export class MembershipConnection {
  @Field(() => [MembershipEdge], { description: 'The memberships with their places.' })
  edges!: MembershipEdge[];

  @Field(() => [Membership], { description: 'The memberships alone.' })
  nodes!: Membership[];

  @Field(() => PageInfo, { description: 'Where this page stands.' })
  pageInfo!: PageInfo;
}

/** A class, since type-graphql loses the directives on arguments of a field resolver. */
@ArgsType()
export class TeamPage {
  @Range(1, MAX_PAGE)
  @Field(() => Int, { defaultValue: 20, description: `Page size, 1 to ${MAX_PAGE}.` })
  first!: number;

  @Field(() => String, { nullable: true, description: 'The `endCursor` of the page before.' })
  after?: string | null;
}

@ObjectType({
  implements: Refusal,
  simpleResolvers: true,
  description:
    'What the rules of a team do not allow. Codes: `ROLE_MISSING` (the role in the account is not enough), `FIRST_OWNER` (whoever opened the account stays its owner), `ALREADY_INVITED`, `ALREADY_MEMBER`, `TOO_MANY_INVITATIONS`, `EMAIL_UNVERIFIED` (verify the e-mail that was invited first).',
})
export class TeamRefused extends Refusal {}

@InputType({ description: 'Somebody to work in the account.' })
export class InviteMemberInput {
  @Field(() => String, { description: 'Where the invitation is mailed to, and who alone can accept it.' })
  email!: string;

  @Field(() => MemberRole, { description: 'What the invited will be allowed to do.' })
  role!: MemberRole;

  @Field(() => String, { nullable: true, description: 'Names this command.' })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'An invitation that was made, and is mailed.' })
export class InviteMemberPayload {
  @Field(() => Invitation, { description: 'The invitation.' })
  invitation!: Invitation;

  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

@InputType({ description: 'An answer to an invitation.' })
export class AcceptInvitationInput {
  @Field(() => String, { description: 'The token that was mailed.' })
  token!: string;

  @Field(() => String, { nullable: true, description: 'Names this command.' })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'An accepted invitation.' })
export class AcceptInvitationPayload {
  @Field(() => ID, {
    description: 'The account: send it as the header `Tollgraph-Account` to work in it.',
  })
  accountId!: string;

  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

@InputType({ description: 'An invitation to withdraw.' })
export class WithdrawInvitationInput {
  @Field(() => ID, { description: 'The id of the invitation.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Names this command.' })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A withdrawn invitation.' })
export class WithdrawInvitationPayload {
  @Field(() => ID, { description: 'The invitation that cannot be accepted any more.' })
  id!: string;

  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

@InputType({ description: 'Another role for a member.' })
export class ChangeMemberRoleInput {
  @Field(() => ID, { description: 'The id of the user.' })
  userId!: string;

  @Field(() => MemberRole, { description: 'The new role.' })
  role!: MemberRole;

  @Field(() => String, { nullable: true, description: 'Names this command.' })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A member with another role.' })
export class ChangeMemberRolePayload {
  @Field(() => ID, { description: 'The id of the user.' })
  userId!: string;

  @Field(() => MemberRole, { description: 'The role that was given.' })
  role!: MemberRole;

  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

@InputType({ description: 'A member to remove.' })
export class RemoveMemberInput {
  @Field(() => ID, { description: 'The id of the user.' })
  userId!: string;

  @Field(() => String, { nullable: true, description: 'Names this command.' })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'A removed member.' })
export class RemoveMemberPayload {
  @Field(() => ID, { description: 'The id of the user, who is no member any more.' })
  userId!: string;

  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

@InputType({ description: 'An account to leave.' })
export class LeaveTeamInput {
  @Field(() => ID, { description: 'The id of the account, as in `me.accounts`.' })
  accountId!: string;

  @Field(() => String, { nullable: true, description: 'Names this command.' })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'An account that was left.' })
export class LeaveTeamPayload {
  @Field(() => ID, { description: 'The account that the user is no member of any more.' })
  accountId!: string;

  @Field(() => String, { description: 'The place of this change in the history; opaque.' })
  position!: string;
}

export const InviteMemberResult = createUnionType({
  name: 'InviteMemberResult',
  description: 'The invitation, or why there is none.',
  types: () => [InviteMemberPayload, PlanRequired, TeamRefused, NotFound, InvalidInput] as const,
});

export const AcceptInvitationResult = createUnionType({
  name: 'AcceptInvitationResult',
  description: 'The account that was joined, or why it was not.',
  types: () => [AcceptInvitationPayload, TeamRefused, NotFound, InvalidInput] as const,
});

export const WithdrawInvitationResult = createUnionType({
  name: 'WithdrawInvitationResult',
  description: 'The withdrawn invitation, or why it was not withdrawn.',
  types: () => [WithdrawInvitationPayload, TeamRefused, NotFound, InvalidInput] as const,
});

export const ChangeMemberRoleResult = createUnionType({
  name: 'ChangeMemberRoleResult',
  description: 'The member’s new role, or why it is still the old one.',
  types: () => [ChangeMemberRolePayload, TeamRefused, NotFound, InvalidInput] as const,
});

export const RemoveMemberResult = createUnionType({
  name: 'RemoveMemberResult',
  description: 'The removed member, or why they were not removed.',
  types: () => [RemoveMemberPayload, TeamRefused, NotFound, InvalidInput] as const,
});

export const LeaveTeamResult = createUnionType({
  name: 'LeaveTeamResult',
  description: 'The account that was left, or why it was not.',
  types: () => [LeaveTeamPayload, TeamRefused, NotFound, InvalidInput] as const,
});
