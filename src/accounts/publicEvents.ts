import type { StoredEvent } from '../eventsourcing/event.js';
import type { PublicEvent, PublicEventsOf } from '../eventsourcing/publicEvents.js';
import { shownId } from '../graphql/kit/ids.js';
import type { AccountEvent } from './events.js';

const state = (history: readonly StoredEvent[]): object => ({
  id: shownId('Account', history[0]?.streamId ?? ''),
  openedAt: history.find(({ type }) => type === 'AccountOpened')?.metadata.at,
  deletedAt: history.find(({ type }) => type === 'AccountDeleted')?.metadata.at ?? null,
});

const told = (type: string, description: string): PublicEvent => ({
  type,
  description,
  account: ({ streamId }) => streamId,
  state,
});

/** What webhooks tell of accounts. */
export const publicEvents: PublicEventsOf<AccountEvent> = {
  AccountOpened: told(
    'account.opened',
    'An account was opened. Only operators are told: the account has no endpoint yet.',
  ),
  AccountDeleted: told('account.deleted', 'An account was deleted. Its own endpoints end with it.'),
};
