import type { Capability } from '../capability.js';
import { audited } from './audited.js';
import { inReach } from '../graphql/kit/access.js';
import {
  AccountTeamResolver,
  INVITATIONS_ACCESS,
  invitationOf,
  InvitationResolver,
  MemberResolver,
  MembershipResolver,
  ViewerTeamsResolver,
} from './fieldResolvers.js';
import { InviteMember } from './invite.js';
import { Memberships } from './memberships.js';
import { endMemberships, endTeam, eraseInvited } from './policies.js';
import { publicEvents } from './publicEvents.js';
import { TeamsResolver } from './resolvers.js';

export const teams: Capability = {
  streams: ['team'],
  audited,
  publicEvents,
  policies: ({ commands, personal, queries, asOf }) => [
    endTeam(commands),
    endMemberships(
      commands,
      asOf('teams', (userId) => queries.teams.joined(userId)),
    ),
    eraseInvited(
      personal,
      asOf('teams', (accountId) => queries.teams.invited(accountId)),
    ),
  ],
  memory: async ({ queries }) => {
    const memberships = new Memberships();
    memberships.load(await queries.teams.memberships());
    return { memberships };
  },
  ends: {
    MemberRoleChanged: ({ streamId }) => streamId,
    MemberRemoved: ({ streamId }) => streamId,
    MemberLeft: ({ streamId }) => streamId,
  },
  graphql: {
    resolvers: [
      TeamsResolver,
      AccountTeamResolver,
      ViewerTeamsResolver,
      MemberResolver,
      MembershipResolver,
      InvitationResolver,
    ],
    create: ({ commands, personal, secrets, users, memory, planOf, queries, cursors, ...services }) => ({
      resolvers: [
        new TeamsResolver({
          sender: services.sender,
          load: (stream) => commands.load(stream),
          invite: new InviteMember(commands, personal, secrets.EMAIL_HASH_KEY, users.hashOf),
          normaliseEmail: users.normaliseEmail,
          emailOf: users.emailOf,
          planOf: (account) => planOf(account).plan,
          plans: () => memory.plans.profile.plans,
          invitationTokens: services.mailedTokens,
          positions: services.positions,
        }),
        new AccountTeamResolver(queries.teams, cursors),
        new ViewerTeamsResolver(queries.teams, cursors),
        new MemberResolver(),
        new MembershipResolver(),
        new InvitationResolver(),
      ],
      nodes: {
        Invitation: async (ids, context) => {
          const rows = await queries.teams.waiting(ids, new Date(context.now));
          const seen = await inReach(
            rows,
            ({ account_id: id }) => services.standingIn(context, id),
            INVITATIONS_ACCESS,
          );
          return seen.map(invitationOf);
        },
      },
    }),
  },
};
