import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { InvitationRow, TeamCursor, TeamQueries } from '../../projections/teams/queries.js';
import { Account, User, userOf, Viewer } from '../accounts/types.js';
import { Access, MANAGERS, MEMBERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { sessionOf } from '../graphql/kit/context.js';
import { Sized } from '../graphql/cost/directives.js';
import type { Cursors, Place } from '../graphql/kit/cursors.js';
import type { Page } from '../graphql/kit/pages.js';
import { PageArgs, pageOf } from '../graphql/kit/pages.js';
import {
  Invitation,
  InvitationConnection,
  Member,
  MemberConnection,
  MemberRole,
  Membership,
  MembershipConnection,
} from './types.js';

/** Who sees the invitations of an account. */
export const INVITATIONS_ACCESS = { roles: MANAGERS } as const;

export const invitationOf = (row: InvitationRow): Invitation =>
  Object.assign(new Invitation(), {
    id: row.id,
    role: row.role as MemberRole,
    invitedAt: row.invited_at,
    expiresAt: row.expires_at,
    sealedEmail: row.email,
  });

/** Names of the lists in their cursors. */
const LISTS = { members: 'members', invitations: 'invitations', accounts: 'memberships' } as const;

@Resolver(() => Account)
export class AccountTeamResolver {
  constructor(
    private readonly queries: TeamQueries,
    private readonly cursors: Cursors,
  ) {}

  @Access({ roles: MEMBERS })
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => MemberConnection, {
    nullable: true,
    description: 'Users who work in the account, longest-standing first.',
  })
  async members(
    @Root() { id }: Account,
    @Args(() => PageArgs) { first, after }: PageArgs,
  ): Promise<Page<Member>> {
    const rows = await this.queries.members(id, first, placeAfter(this.cursors, LISTS.members, after));
    return pageOf(
      this.cursors,
      LISTS.members,
      rows,
      { first, after },
      ({ since, user_id }): Place => [since.getTime(), user_id],
      ({ user_id: userId, role, own: firstOwner, since }) =>
        Object.assign(new Member(), {
          userId,
          role: role as MemberRole,
          firstOwner,
          joinedAt: since,
        }),
    );
  }

  @Access(INVITATIONS_ACCESS)
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => InvitationConnection, {
    nullable: true,
    description: 'Open invitations to the account, oldest first.',
  })
  async invitations(
    @Root() { id }: Account,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Ctx() { now }: RequestContext,
  ): Promise<Page<Invitation>> {
    const place = placeAfter(this.cursors, LISTS.invitations, after);
    const rows = await this.queries.invitations(id, new Date(now), first, place);
    return pageOf(
      this.cursors,
      LISTS.invitations,
      rows,
      { first, after },
      (row): Place => [row.invited_at.getTime(), row.id],
      invitationOf,
    );
  }
}

@Resolver(() => Viewer)
export class ViewerTeamsResolver {
  constructor(
    private readonly queries: TeamQueries,
    private readonly cursors: Cursors,
  ) {}

  @FieldResolver(() => MemberRole, {
    nullable: true,
    description: 'Role of the signed-in user in the account. Null for a key.',
  })
  role(@Ctx() { caller }: RequestContext): MemberRole | null {
    return caller.kind === 'session' ? (caller.role as MemberRole) : null;
  }

  @Access({ roles: MEMBERS })
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @FieldResolver(() => MembershipConnection, {
    nullable: true,
    description: 'All accounts that the user works in, including their own, in the order of joining.',
  })
  async accounts(
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Ctx() context: RequestContext,
  ): Promise<Page<Membership>> {
    const { userId } = sessionOf(context);
    const place = placeAfter(this.cursors, LISTS.accounts, after);
    const rows = await this.queries.accountsOf(userId, first, place);
    return pageOf(
      this.cursors,
      LISTS.accounts,
      rows,
      { first, after },
      (row): Place => [row.since.getTime(), row.account_id],
      ({ account_id: accountId, role, since, owner_id: ownerId }) =>
        Object.assign(new Membership(), { accountId, role: role as MemberRole, joinedAt: since, ownerId }),
    );
  }
}

@Resolver(() => Member)
export class MemberResolver {
  @FieldResolver(() => User, {
    nullable: true,
    description: 'The user. Null after their personal data was erased.',
  })
  async user(@Root() { userId }: Member, @Ctx() { loaders }: RequestContext): Promise<User | null> {
    const row = await loaders.user.load(userId);
    return row ? userOf(row) : null;
  }
}

@Resolver(() => Membership)
export class MembershipResolver {
  @FieldResolver(() => String, {
    nullable: true,
    description: 'Display name of the account, as `Account.name`.',
  })
  accountName(@Root() { accountId }: Membership, @Ctx() { loaders }: RequestContext): Promise<string | null> {
    return loaders.accountName.load(accountId);
  }

  @FieldResolver(() => User, { nullable: true, description: 'The user who opened the account.' })
  async owner(@Root() { ownerId }: Membership, @Ctx() { loaders }: RequestContext): Promise<User | null> {
    const row = await loaders.user.load(ownerId);
    return row ? userOf(row) : null;
  }
}

@Resolver(() => Invitation)
export class InvitationResolver {
  @FieldResolver(() => String, {
    nullable: true,
    description: 'Null after the account was deleted and its personal data erased.',
  })
  email(@Root() { sealedEmail }: Invitation, @Ctx() { loaders }: RequestContext): Promise<string | null> {
    return loaders.unsealed.load(sealedEmail);
  }
}

function placeAfter(
  cursors: Cursors,
  list: string,
  after: string | null | undefined,
): TeamCursor | undefined {
  const place = cursors.after(list, after);
  return place && { at: new Date(Number(place[0])), id: place[1] as string };
}
