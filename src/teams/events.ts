import type { Sealed } from '../secrets/personalData.js';

/** What a user may do in an account. */
export const ROLES = ['owner', 'admin', 'developer', 'billing', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Stream `team-<account id>`: who works in an account beside the user who opened it, from the first
 * invitation on. Nobody's name or e-mail is in it but that of an invitation, sealed for that invitation.
 */
export type TeamEvent =
  /** Somebody is invited for the first time. The owner is the account's first. */
  | { readonly type: 'TeamCreated'; readonly data: { readonly ownerId: string } }
  | {
      readonly type: 'MemberInvited';
      readonly data: {
        readonly invitationId: string;
        /** As it names the e-mail's stream: only the user who has this e-mail can accept. */
        readonly emailHash: string;
        readonly email: Sealed;
        readonly role: Role;
        readonly invitedBy: string;
        /** ISO 8601. */
        readonly expiresAt: string;
      };
    }
  | {
      readonly type: 'InvitationAccepted';
      readonly data: { readonly invitationId: string; readonly userId: string; readonly role: Role };
    }
  | {
      readonly type: 'InvitationWithdrawn';
      readonly data: { readonly invitationId: string; readonly by: string };
    }
  | {
      readonly type: 'MemberRoleChanged';
      readonly data: { readonly userId: string; readonly role: Role; readonly by: string };
    }
  | { readonly type: 'MemberRemoved'; readonly data: { readonly userId: string; readonly by: string } }
  | { readonly type: 'MemberLeft'; readonly data: { readonly userId: string } }
  /** The account was deleted: nobody is a member any more. */
  | { readonly type: 'TeamEnded'; readonly data: { readonly by: string } };

/** What the token of an invitation is about. */
export const invitationSubject = (accountId: string, invitationId: string): string =>
  `${accountId} ${invitationId}`;

export const teamStream = (accountId: string): string => `team-${accountId}`;
