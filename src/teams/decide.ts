import type { Decider, Decision } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { Role, TeamEvent } from './events.js';

/** Invitations of one account that wait for an answer, at most: each of them is a mail. */
export const MAX_INVITATIONS = 50;

type MemberInvited = Extract<TeamEvent, { type: 'MemberInvited' }>;

export type TeamCommand =
  | {
      readonly type: 'InviteMember';
      /** The user who opened the account. */
      readonly ownerId: string;
      readonly invitation: MemberInvited['data'];
      readonly at: Date;
    }
  | {
      readonly type: 'AcceptInvitation';
      readonly invitationId: string;
      readonly userId: string;
      /** Of the user's e-mail: all names that it has. */
      readonly emailHashes: readonly string[];
      /** Whether the e-mail was shown to be the user's. */
      readonly verified: boolean;
      readonly at: Date;
    }
  | { readonly type: 'WithdrawInvitation'; readonly actorId: string; readonly invitationId: string }
  | {
      readonly type: 'ChangeMemberRole';
      readonly actorId: string;
      readonly userId: string;
      readonly role: Role;
    }
  | { readonly type: 'RemoveMember'; readonly actorId: string; readonly userId: string }
  | { readonly type: 'LeaveTeam'; readonly userId: string }
  /** The user is no more. */
  | { readonly type: 'EndMembership'; readonly userId: string; readonly by: string }
  /** The account is no more. */
  | { readonly type: 'EndTeam'; readonly by: string };

type Invitation = Pick<MemberInvited['data'], 'emailHash' | 'role' | 'invitedBy' | 'expiresAt'> & {
  readonly acceptedBy: string | undefined;
};

export interface TeamState {
  /** The account's first owner; undefined before anybody was invited, and once the account is no more. */
  readonly ownerId: string | undefined;
  readonly roles: ReadonlyMap<string, Role>;
  /** Those that wait, and those that were accepted. */
  readonly invitations: ReadonlyMap<string, Invitation>;
  readonly ended: boolean;
}

/**
 * Who works in an account. Everybody acts by the role that the stream says, whatever a request was let
 * through for: of two who act against each other at once, the second is judged by what the first has done.
 */
export const teamDecider: Decider<TeamState, TeamCommand, TeamEvent> = {
  initial: { ownerId: undefined, roles: new Map(), invitations: new Map(), ended: false },
  evolve,
  decide: (state, command) => {
    const { type } = command;
    if (type === 'EndTeam') {
      return state.ownerId === undefined ? accept() : accept({ type: 'TeamEnded', data: { by: command.by } });
    }
    if (state.ended) return NO_TEAM;
    switch (type) {
      case 'InviteMember':
        return invite(state, command);
      case 'AcceptInvitation':
        return acceptInvitation(state, command);
      case 'WithdrawInvitation':
        return withdraw(state, command);
      case 'ChangeMemberRole':
        return changeRole(state, command);
      case 'RemoveMember':
        return remove(state, command);
      case 'LeaveTeam': {
        const { userId } = command;
        if (!state.roles.has(userId)) return NO_TEAM;
        if (state.ownerId === userId) return FIRST_OWNER;
        return accept<TeamEvent>(
          { type: 'MemberLeft', data: { userId } },
          ...orphaned(state, userId, undefined, `user:${userId}`),
        );
      }
      case 'EndMembership': {
        const { userId, by } = command;
        if (!state.roles.has(userId) || state.ownerId === userId) return accept();
        return accept<TeamEvent>(
          { type: 'MemberRemoved', data: { userId, by } },
          ...orphaned(state, userId, undefined, by),
        );
      }
    }
  },
};

function evolve(state: TeamState, { type, data }: TeamEvent): TeamState {
  switch (type) {
    case 'TeamCreated':
      return { ...state, ownerId: data.ownerId, roles: new Map([[data.ownerId, 'owner']]) };
    case 'MemberInvited':
      return { ...state, invitations: withEntry(state.invitations, data.invitationId, invitationOf(data)) };
    case 'InvitationAccepted': {
      const { invitationId, userId, role } = data;
      const invitation = state.invitations.get(invitationId);
      return {
        ...state,
        roles: withEntry(state.roles, userId, role),
        invitations: withEntry(
          state.invitations,
          invitationId,
          invitation && { ...invitation, acceptedBy: userId },
        ),
      };
    }
    case 'InvitationWithdrawn':
      return { ...state, invitations: withEntry(state.invitations, data.invitationId, undefined) };
    case 'MemberRoleChanged':
      return { ...state, roles: withEntry(state.roles, data.userId, data.role) };
    case 'MemberRemoved':
    case 'MemberLeft':
      return { ...state, roles: withEntry(state.roles, data.userId, undefined) };
    case 'TeamEnded':
      return { ...teamDecider.initial, ended: true };
  }
}

const NO_TEAM = refuse('NOT_FOUND', 'There is no account with this id, or you are no member of it.');
const NO_INVITATION = refuse('NOT_FOUND', 'There is no invitation with this id that waits for an answer.');
const NO_MEMBER = refuse('NOT_FOUND', 'There is no member with this id in your account.');
const NOT_YOURS = refuse(
  'TOKEN_INVALID',
  'This token has expired, is not valid, or is not for you.',
  'token',
);
const OWNERS_ALONE = refuse('ROLE_MISSING', 'Only an owner makes, changes or removes owners.');
const MANAGERS_ALONE = refuse('ROLE_MISSING', 'Only owners and admins manage members.');
const FIRST_OWNER = refuse(
  'FIRST_OWNER',
  'The user who opened the account stays its owner; the account ends with deleteAccount.',
);

/** Why a member may not give or take these roles, if he may not. */
function missingRole(
  { roles }: TeamState,
  actorId: string,
  ...concerned: readonly Role[]
): Decision<never> | undefined {
  const role = roles.get(actorId);
  if (role === undefined) return NO_TEAM;
  if (role === 'owner') return undefined;
  if (role !== 'admin') return MANAGERS_ALONE;
  return concerned.includes('owner') ? OWNERS_ALONE : undefined;
}

function invite(
  before: TeamState,
  { ownerId, invitation, at }: Extract<TeamCommand, { type: 'InviteMember' }>,
): Decision<TeamEvent> {
  const created: readonly TeamEvent[] =
    before.ownerId === undefined ? [{ type: 'TeamCreated', data: { ownerId } }] : [];
  const state = created.reduce(evolve, before);
  const missing = missingRole(state, invitation.invitedBy, invitation.role);
  if (missing) return missing;
  const waiting = [...state.invitations.values()].filter((other) => waits(other, at));
  if (waiting.some(({ emailHash }) => emailHash === invitation.emailHash)) {
    return refuse(
      'ALREADY_INVITED',
      'This e-mail is invited already. Withdraw that invitation first.',
      'email',
    );
  }
  if (waiting.length >= MAX_INVITATIONS) {
    return refuse(
      'TOO_MANY_INVITATIONS',
      `At most ${MAX_INVITATIONS} invitations can wait for an answer. Withdraw some first.`,
    );
  }
  return accept<TeamEvent>(...created, { type: 'MemberInvited', data: invitation });
}

function acceptInvitation(
  state: TeamState,
  { invitationId, userId, emailHashes, verified, at }: Extract<TeamCommand, { type: 'AcceptInvitation' }>,
): Decision<TeamEvent> {
  const invitation = state.invitations.get(invitationId);
  if (!invitation || !emailHashes.includes(invitation.emailHash)) return NOT_YOURS;
  const member = state.roles.has(userId);
  // A link that was followed twice.
  if (member && invitation.acceptedBy === userId) return accept();
  if (!waits(invitation, at)) return NOT_YOURS;
  if (member) return refuse('ALREADY_MEMBER', 'You are a member of this account already.');
  if (!verified) return refuse('EMAIL_UNVERIFIED', 'Verify your e-mail first, then accept again.');
  const { role } = invitation;
  return accept({ type: 'InvitationAccepted', data: { invitationId, userId, role } });
}

function withdraw(
  state: TeamState,
  { actorId, invitationId }: Extract<TeamCommand, { type: 'WithdrawInvitation' }>,
): Decision<TeamEvent> {
  const missing = missingRole(state, actorId);
  if (missing) return missing;
  const invitation = state.invitations.get(invitationId);
  if (!invitation || invitation.acceptedBy !== undefined) return NO_INVITATION;
  return (
    missingRole(state, actorId, invitation.role) ??
    accept({ type: 'InvitationWithdrawn', data: { invitationId, by: `user:${actorId}` } })
  );
}

function changeRole(
  state: TeamState,
  { actorId, userId, role }: Extract<TeamCommand, { type: 'ChangeMemberRole' }>,
): Decision<TeamEvent> {
  const missing = missingRole(state, actorId);
  if (missing) return missing;
  const present = state.roles.get(userId);
  if (present === undefined) return NO_MEMBER;
  const higher = missingRole(state, actorId, present, role);
  if (higher) return higher;
  if (present === role) return accept();
  if (state.ownerId === userId) return FIRST_OWNER;
  const by = `user:${actorId}`;
  return accept<TeamEvent>(
    { type: 'MemberRoleChanged', data: { userId, role, by } },
    ...orphaned(state, userId, role, by),
  );
}

function remove(
  state: TeamState,
  { actorId, userId }: Extract<TeamCommand, { type: 'RemoveMember' }>,
): Decision<TeamEvent> {
  const missing = missingRole(state, actorId);
  if (missing) return missing;
  const present = state.roles.get(userId);
  if (present === undefined) return NO_MEMBER;
  const higher = missingRole(state, actorId, present);
  if (higher) return higher;
  if (state.ownerId === userId) return FIRST_OWNER;
  const by = `user:${actorId}`;
  return accept<TeamEvent>(
    { type: 'MemberRemoved', data: { userId, by } },
    ...orphaned(state, userId, undefined, by),
  );
}

/**
 * Whoever goes, or may no longer give a role, leaves no invitation behind by which it is given all the
 * same: to a second e-mail of theirs, for one.
 */
function orphaned(state: TeamState, userId: string, role: Role | undefined, by: string): TeamEvent[] {
  const after: TeamState = { ...state, roles: withEntry(state.roles, userId, role) };
  return [...state.invitations]
    .filter(([, { invitedBy, acceptedBy }]) => invitedBy === userId && acceptedBy === undefined)
    .filter(([, invitation]) => missingRole(after, userId, invitation.role))
    .map(([invitationId]) => ({ type: 'InvitationWithdrawn', data: { invitationId, by } }));
}

const waits = ({ acceptedBy, expiresAt }: Invitation, at: Date): boolean =>
  acceptedBy === undefined && at.getTime() < Date.parse(expiresAt);

function invitationOf({ emailHash, role, invitedBy, expiresAt }: MemberInvited['data']): Invitation {
  return { emailHash, role, invitedBy, expiresAt, acceptedBy: undefined };
}

function withEntry<V>(map: ReadonlyMap<string, V>, key: string, value: V | undefined): Map<string, V> {
  const next = new Map(map);
  if (value === undefined) next.delete(key);
  else next.set(key, value);
  return next;
}
