import type { AuditedTypes, AuditEntry } from '../../src/eventsourcing/audited.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';

function rowOf(audited: AuditedTypes, event: StoredEvent): object {
  const { type, data, stream, streamId, id, position, metadata } = event;
  const tell = audited[type] as (data: object, id: string) => AuditEntry;
  const said = tell(data, streamId);
  return {
    position,
    id,
    at: metadata.at,
    action: type,
    actor: said.actor ?? metadata.caller ?? 'system',
    account_id: said.account,
    subject: said.subject ?? stream.replace('-', ':'),
    reason: said.reason ?? metadata.reason ?? null,
    address: metadata.address ?? null,
  };
}

/** Raised when what is kept of events that were audited before changes. */
const FORMAT = 3;

/**
 * The audit log: who did what to which account, when, why and from where.
 * @param audited by event type. With a type more it is another version, and built anew.
 */
export const auditLog = (audited: AuditedTypes): ReadModel => ({
  name: 'audit',
  version: FORMAT * 1_000 + Object.keys(audited).length,
  tables: ['entries'],
  handles: new Set(Object.keys(audited)),
  create: (t) => `
    CREATE TABLE ${t('entries')} (
      position   bigint PRIMARY KEY,
      id         text NOT NULL,
      at         timestamptz NOT NULL,
      action     text NOT NULL,
      actor      text NOT NULL,
      -- Null where it is about no single account.
      account_id text,
      -- What was acted on: its stream, as category:id.
      subject    text NOT NULL,
      reason     text,
      -- A keyed hash that changes every month.
      address    text
    );`,
  indexes: (t) => [
    `CREATE INDEX ON ${t('entries')} (account_id, position)`,
    `CREATE INDEX ON ${t('entries')} (actor, position)`,
    `CREATE INDEX ON ${t('entries')} (at)`,
    `CREATE INDEX ON ${t('entries')} (id)`,
  ],
  fold: (events, t) => [
    {
      text: `INSERT INTO ${t('entries')} SELECT * FROM json_to_recordset($1::json)
               AS r(position bigint, id text, at timestamptz, action text, actor text, account_id text,
                    subject text, reason text, address text)`,
      params: [JSON.stringify(events.map((event) => rowOf(audited, event)))],
    },
  ],
});
