import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { Role, TeamEvent } from './events.js';

/** What a plan has to have among its features for anybody but owners to work in an account. */
export const TEAMS = 'teams';

export interface Membership {
  readonly accountId: string;
  readonly userId: string;
  /** Null once it has ended. */
  readonly role: Role | null;
  /** Revision, in the team's stream, of the newest event that is in here. */
  readonly revision: number;
}

type Known = Pick<Membership, 'role' | 'revision'>;

const JOINED_OR_GONE: ReadonlySet<string> = new Set<TeamEvent['type']>([
  'InvitationAccepted',
  'MemberRoleChanged',
  'MemberRemoved',
  'MemberLeft',
]);

/**
 * Who is a member of which account, in memory: a projection like the key cache. The user who opened an
 * account is its owner without being in here.
 */
export class Memberships {
  readonly #byAccount = new Map<string, Map<string, Known>>();

  load(memberships: Iterable<Membership>): void {
    for (const { accountId, userId, role, revision } of memberships) {
      const members = this.#byAccount.get(accountId) ?? new Map<string, Known>();
      this.#byAccount.set(accountId, members);
      // The answering node applies an event before its follower does: what ended stays known as ended.
      // The same again may be what it was corrected to.
      if ((members.get(userId)?.revision ?? -1) <= revision) members.set(userId, { role, revision });
    }
  }

  apply(stored: StoredEvent): void {
    if (!JOINED_OR_GONE.has(stored.type)) return;
    const { data } =
      as<
        Extract<
          TeamEvent,
          { type: 'InvitationAccepted' | 'MemberRoleChanged' | 'MemberRemoved' | 'MemberLeft' }
        >
      >(stored);
    const role = 'role' in data ? data.role : null;
    this.load([{ accountId: stored.streamId, userId: data.userId, role, revision: stored.revision }]);
  }

  /** @returns undefined for who is no member */
  roleOf(accountId: string, userId: string): Role | undefined {
    return this.#byAccount.get(accountId)?.get(userId)?.role ?? undefined;
  }
}

/**
 * What a team's own events say of a member, for who has just changed it: the rows follow.
 * @param events of its stream, from the first on
 * @throws Error for a user who has never been a member
 */
export function membershipIn(
  events: readonly StoredEvent[],
  userId: string,
): { readonly role: Role; readonly since: Date; readonly ownerId: string } {
  let ownerId = '';
  let found: { role: Role; since: Date } | undefined;
  for (const stored of events) {
    const { type, data } = as<TeamEvent>(stored);
    const at = new Date(stored.metadata.at);
    if (type === 'TeamCreated') {
      ownerId = data.ownerId;
      if (ownerId === userId) found = { role: 'owner', since: at };
    } else if (type === 'InvitationAccepted' && data.userId === userId)
      found = { role: data.role, since: at };
    else if (type === 'MemberRoleChanged' && data.userId === userId && found) found.role = data.role;
  }
  if (!found) throw new Error('the user has never been a member of this account');
  return { ...found, ownerId };
}
