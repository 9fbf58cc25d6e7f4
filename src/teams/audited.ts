import type { Audited } from '../eventsourcing/audited.js';
import type { TeamEvent } from './events.js';

/** What the audit log keeps. */
export const audited: Audited<TeamEvent> = {
  TeamCreated: ({ ownerId }, id) => ({ account: id, actor: `user:${ownerId}` }),
  MemberInvited: ({ invitedBy, invitationId, role }, id) => ({
    account: id,
    actor: `user:${invitedBy}`,
    subject: `invitation:${invitationId}`,
    reason: role,
  }),
  InvitationAccepted: ({ userId, invitationId }, id) => ({
    account: id,
    actor: `user:${userId}`,
    subject: `invitation:${invitationId}`,
  }),
  InvitationWithdrawn: ({ by, invitationId }, id) => ({
    account: id,
    actor: by,
    subject: `invitation:${invitationId}`,
  }),
  MemberRoleChanged: ({ userId, role, by }, id) => ({
    account: id,
    actor: by,
    subject: `user:${userId}`,
    reason: role,
  }),
  MemberRemoved: ({ userId, by }, id) => ({ account: id, actor: by, subject: `user:${userId}` }),
  MemberLeft: ({ userId }, id) => ({ account: id, actor: `user:${userId}` }),
  TeamEnded: ({ by }, id) => ({ account: id, actor: by }),
};
