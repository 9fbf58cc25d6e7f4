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
  description: 'What a user may do in an account. `@access` shows which roles a field accepts.',
  valuesConfig: {
    OWNER: { description: 'May do everything. Only owners add, change and remove owners.' },
    ADMIN: {
      description:
        'Everything that developers may, and: manage members, webhooks and payments, and read the audit log.',
    },
    DEVELOPER: { description: 'Manages keys and sees usage.' },
    BILLING: { description: 'Manages payments and sees usage.' },
    VIEWER: { description: 'Sees usage, members, and keys without their secrets. Changes nothing.' },
  },
});

@ObjectType({ description: 'A user who works in an account.' })
export class Member {
  @IdOf('User')
  @Field(() => ID, {
    description: 'Id of the user, e.g. `usr_…`. Pass it to `changeMemberRole` and `removeMember`.',
  })
  userId!: string;

  @Field(() => MemberRole, { description: 'The role of the member in the account.' })
  role!: MemberRole;

  @Field(() => Boolean, {
    description: 'Whether the member opened the account. Such a member always remains an owner.',
  })
  firstOwner!: boolean;

  @Field(() => DateTimeISO, { description: 'When the user joined.' })
  joinedAt!: Date;
}

export const MemberConnection = connectionOf(Member, { entry: 'Member', one: 'member', many: 'members' });

@ObjectType({ implements: Node, description: 'An open invitation to an account.' })
export class Invitation extends Node {
  @Field(() => MemberRole, { description: 'The role that the new member gets.' })
  role!: MemberRole;

  @Field(() => DateTimeISO, { description: 'When it was created.' })
  invitedAt!: Date;

  @Field(() => DateTimeISO, { description: 'When the invitation expires: 7 days after it was sent.' })
  expiresAt!: Date;

  /** Sealed, resolved on demand. */
  sealedEmail!: string;
}

export const InvitationConnection = connectionOf(Invitation, {
  entry: 'Invitation',
  one: 'invitation',
  many: 'invitations',
});

@ObjectType({ description: 'An account in which the user works.' })
export class Membership {
  @IdOf('Account')
  @Field(() => ID, {
    description: 'Id of the account. Send it in the header `Tollgraph-Account` to work in that account.',
  })
  accountId!: string;

  @Field(() => MemberRole, { description: 'The role of the user in that account.' })
  role!: MemberRole;

  @Field(() => DateTimeISO, { description: 'When the user joined.' })
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
  @Field(() => String, { description: 'E-mail address to invite. Only its owner can accept the invitation.' })
  email!: string;

  @Field(() => MemberRole, { description: 'The role that the new member gets.' })
  role!: MemberRole;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The invitation was created and is being mailed.' })
export class InviteMemberPayload extends Payload {
  @Field(() => Invitation, { description: 'The new invitation.' })
  invitation!: Invitation;
}

@InputType({ description: 'Input for `acceptInvitation`.' })
export class AcceptInvitationInput {
  @Field(() => String, { description: 'The token from the mail. Valid for 7 days.' })
  token!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The invitation was accepted.' })
export class AcceptInvitationPayload extends Payload {
  @Field(() => Membership, { description: 'The new membership.' })
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

@ObjectType({ simpleResolvers: true, description: 'The invitation was withdrawn.' })
export class WithdrawInvitationPayload extends Payload {
  @IdOf('Invitation')
  @Field(() => ID, { description: 'Id of the invitation, which can no longer be accepted.' })
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

@ObjectType({ simpleResolvers: true, description: 'The role was changed.' })
export class ChangeMemberRolePayload extends Payload {
  @Field(() => Member, { description: 'The member with the new role.' })
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

@ObjectType({ simpleResolvers: true, description: 'The member was removed.' })
export class RemoveMemberPayload extends Payload {
  @IdOf('User')
  @Field(() => ID, { description: 'Id of the user who is no longer a member.' })
  userId!: string;
}

@InputType({ description: 'Input for `leaveAccount`.' })
export class LeaveAccountInput {
  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the account, as in `me.accounts`.' })
  accountId!: string;

  @Field(() => String, { nullable: true, description: `${COMMAND_ID}.` })
  commandId?: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'The user has left the account.' })
export class LeaveAccountPayload extends Payload {
  @IdOf('Account')
  @Field(() => ID, { description: 'Id of the account that the user has left.' })
  accountId!: string;
}

export const InviteMemberResult = createUnionType({
  name: 'InviteMemberResult',
  description: 'The invitation, or the reason why nobody was invited.',
  types: () =>
    [InviteMemberPayload, PlanRequired, NotAllowed, Conflict, LimitReached, NotFound, InvalidInput] as const,
});

export const AcceptInvitationResult = createUnionType({
  name: 'AcceptInvitationResult',
  description: 'The membership, or the reason why the user did not join.',
  types: () => [AcceptInvitationPayload, NotAllowed, Conflict, NotFound, InvalidInput] as const,
});

export const WithdrawInvitationResult = createUnionType({
  name: 'WithdrawInvitationResult',
  description: 'The withdrawn invitation, or the reason why it was not withdrawn.',
  types: () => [WithdrawInvitationPayload, NotAllowed, NotFound, InvalidInput] as const,
});

export const ChangeMemberRoleResult = createUnionType({
  name: 'ChangeMemberRoleResult',
  description: 'The member with the new role, or the reason why it was not changed.',
  types: () => [ChangeMemberRolePayload, NotAllowed, NotFound, InvalidInput] as const,
});

export const RemoveMemberResult = createUnionType({
  name: 'RemoveMemberResult',
  description: 'The removed member, or the reason why they were not removed.',
  types: () => [RemoveMemberPayload, NotAllowed, NotFound, InvalidInput] as const,
});

export const LeaveAccountResult = createUnionType({
  name: 'LeaveAccountResult',
  description: 'The account that was left, or the reason why it was not.',
  types: () => [LeaveAccountPayload, NotAllowed, NotFound, InvalidInput] as const,
});
