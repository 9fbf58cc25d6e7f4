import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { PublicEvent, PublicEventsOf } from '../eventsourcing/publicEvents.js';
import { shownId } from '../graphql/kit/ids.js';
import type { KeyEvent } from './events.js';

/** All of a key but its secrets. */
function state(history: readonly StoredEvent[]): object {
  let key: object = {};
  for (const stored of history) {
    const { type, data } = as<KeyEvent>(stored);
    const { at } = stored.metadata;
    if (type === 'KeyIssued') {
      const { name, environment, scopes, expiresAt, limits, metadata, prefix, last4 } = data;
      const ids = { id: shownId('Key', stored.streamId), accountId: shownId('Account', data.accountId) };
      const shown = { ...ids, name, environment, scopes, expiresAt, limits, metadata, prefix, last4 };
      key = { ...shown, issuedAt: at, revokedAt: null };
    } else if (type === 'KeyRotated') {
      const { prefix, last4, graceEndsAt } = data;
      key = { ...key, prefix, last4, rotatedAt: at, graceEndsAt };
    } else key = { ...key, revokedAt: at };
  }
  return key;
}

const told = (type: string, description: string): PublicEvent => ({
  type,
  description,
  account: (event) => as<KeyEvent>(event).data.accountId,
  state,
});

/** What webhooks tell of keys. */
export const publicEvents: PublicEventsOf<KeyEvent> = {
  KeyIssued: told('key.issued', 'A key was issued.'),
  KeyRotated: told('key.rotated', 'A key has a new secret; the one before works until `graceEndsAt`.'),
  KeyRevoked: told('key.revoked', 'A key was revoked.'),
};
