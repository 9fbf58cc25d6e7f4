import { fold } from '../eventsourcing/decider.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { PublicEvent, PublicEventsOf } from '../eventsourcing/publicEvents.js';
import { shownId } from '../graphql/kit/ids.js';
import { teamDecider } from './decide.js';
import type { TeamEvent } from './events.js';

type OfMember = Extract<TeamEvent, { readonly data: { readonly userId: string } }>;

/** The member that the last event is about; without a role they are none any more. */
function state(history: readonly StoredEvent[]): object {
  const last = history.at(-1) as StoredEvent;
  const { userId } = as<OfMember>(last).data;
  const role = fold(teamDecider, history).roles.get(userId) ?? null;
  return { accountId: shownId('Account', last.streamId), userId: shownId('User', userId), role };
}

const told = (type: string, description: string): PublicEvent => ({
  type,
  description,
  account: ({ streamId }) => streamId,
  state,
});

/** What webhooks tell of members. */
export const publicEvents: PublicEventsOf<OfMember> = {
  InvitationAccepted: told('member.joined', 'Somebody who was invited has joined the account.'),
  MemberRoleChanged: told('member.role_changed', 'A member has another role in the account.'),
  MemberRemoved: told('member.removed', 'A member was removed from the account.'),
  MemberLeft: told('member.left', 'A member has left the account.'),
};
