import type { AccountEvent, UserEvent } from '../accounts/events.js';
import { accountStream, userStream } from '../accounts/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import type { Position } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import type { PersonalData } from '../secrets/personalData.js';
import { teamDecider } from './decide.js';
import type { TeamEvent } from './events.js';
import { teamStream } from './events.js';

type AccountDeleted = Extract<AccountEvent, { type: 'AccountDeleted' }>;
type InvitationAccepted = Extract<TeamEvent, { type: 'InvitationAccepted' }>;
type InvitationOver = Extract<TeamEvent, { type: 'InvitationAccepted' | 'InvitationWithdrawn' }>;

const isDeleted = async (commands: CommandHandler, accountId: string): Promise<boolean> =>
  (await commands.load(accountStream(accountId))).at(-1)?.type === 'AccountDeleted';

/** The team of a deleted account ends, also one that a request which was under way still makes. */
export function endTeam(commands: CommandHandler): Policy {
  const name = 'end-team';
  return {
    name,
    handles: new Set<string>(['AccountDeleted', 'TeamCreated']),
    react: async (event) => {
      const { type, streamId: accountId } = event;
      if (type === 'TeamCreated' && !(await isDeleted(commands, accountId))) return;
      await commands.handle(
        teamDecider,
        teamStream(accountId),
        { type: 'EndTeam', by: `policy:${name}` },
        causedBy(event, name),
      );
    },
  };
}

/**
 * A user whose own account is deleted is no member elsewhere any more: of the accounts that they had joined,
 * and of one that a request which was under way still joins.
 * @param joined accounts that a user had joined, as of `position` or later; throws when it can't tell yet
 */
export function endMemberships(
  commands: CommandHandler,
  joined: (userId: string, position: Position) => Promise<readonly string[]>,
): Policy {
  const name = 'end-memberships';
  return {
    name,
    handles: new Set<string>(['AccountDeleted', 'InvitationAccepted']),
    react: async (event) => {
      const { type, data } = as<AccountDeleted | InvitationAccepted>(event);
      const userId = type === 'AccountDeleted' ? data.ownerId : data.userId;
      let accounts: readonly string[];
      if (type === 'InvitationAccepted') {
        const [registered] = await commands.load(userStream(userId));
        if (!registered || !(await isDeleted(commands, as<UserEvent>(registered).data.accountId))) return;
        accounts = [event.streamId];
      } else {
        accounts = await joined(userId, event.position);
      }
      for (const accountId of accounts) {
        await commands.handle(
          teamDecider,
          teamStream(accountId),
          { type: 'EndMembership', userId, by: `policy:${name}` },
          causedBy(event, name),
        );
      }
    },
  };
}

/**
 * The e-mail of an invitation is erased once nobody needs it: it was accepted or withdrawn, or its account
 * is no more. That of an invitation which was never answered is erased by a later start.
 * @param invited ids of an account's invitations, as of `position` or later; throws when it can't tell yet
 */
export function eraseInvited(
  personal: PersonalData,
  invited: (accountId: string, position: Position) => Promise<readonly string[]>,
): Policy {
  return {
    name: 'erase-invited',
    handles: new Set<string>(['InvitationAccepted', 'InvitationWithdrawn', 'TeamEnded']),
    react: async (event) => {
      if (event.type === 'TeamEnded') {
        return personal.erase(await invited(event.streamId, event.position));
      }
      return personal.erase([as<InvitationOver>(event).data.invitationId]);
    },
  };
}
