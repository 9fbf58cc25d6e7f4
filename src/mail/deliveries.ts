import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { Asked } from '../outgoing/outbox.js';
import type { MailEvent, MailKind } from './events.js';

/** The kind of these deliveries, and their one lane: whatever carries mails is one receiver. */
export const MAIL = 'mail';

/** What a delivery is about: no address, and nothing of the text. */
export interface AboutMail {
  readonly kind: MailKind;
  /** The user, or the invitation, whose the address is. */
  readonly userId: string;
}

/** A mail that is asked for. */
export function mailFor(requested: StoredEvent): Asked {
  const { kind, userId } = as<Extract<MailEvent, { type: 'MailRequested' }>>(requested).data;
  const about: AboutMail = { kind, userId };
  return {
    kind: MAIL,
    id: requested.streamId,
    lane: MAIL,
    about,
    topic: kind,
    askedAt: requested.metadata.at,
  };
}
