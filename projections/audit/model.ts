import { NOBODY } from '../../src/accounts/events.js';
import type { AccountEvent, IdentityLinked, SessionEvent, UserEvent } from '../../src/accounts/events.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import type { KeyEvent } from '../../src/keys/events.js';
import type { OperatorEvent } from '../../src/operators/events.js';
import type { SubscriptionEvent } from '../../src/plans/events.js';
import type { TeamEvent } from '../../src/teams/events.js';
import type { ReadModel } from '../../src/following/readModel.js';

type Audited =
  | AccountEvent
  | IdentityLinked
  | SessionEvent
  | KeyEvent
  | OperatorEvent
  | SubscriptionEvent
  | TeamEvent
  | Extract<
      UserEvent,
      {
        type:
          | 'EmailVerified'
          | 'PasswordChanged'
          | 'PasswordResetOffered'
          | 'EmailChangeRequested'
          | 'EmailChanged'
          | 'ProfileUpdated'
          | 'SessionsEnded';
      }
    >;

/** What an event says for the log; where it says nothing, its metadata and its stream do. */
interface Said {
  readonly account: string;
  readonly actor?: string;
  readonly subject?: string;
  readonly reason?: string;
}

/** What people look for in the log: never a personal text, never a secret. */
const AUDITED: {
  readonly [T in Audited['type']]: (data: Extract<Audited, { type: T }>['data'], id: string) => Said;
} = {
  AccountOpened: ({ ownerId }, id) => ({
    account: id,
    ...(ownerId !== NOBODY && { actor: `user:${ownerId}` }),
  }),
  AccountDeleted: ({ by }, id) => ({ account: id, actor: by }),
  EmailVerified: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
  PasswordChanged: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
  // Anybody may have asked for it.
  PasswordResetOffered: ({ accountId }) => ({ account: accountId }),
  EmailChangeRequested: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
  EmailChanged: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
  ProfileUpdated: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
  IdentityLinked: ({ accountId, userId, issuer }) => ({
    account: accountId,
    actor: `user:${userId}`,
    reason: issuer,
  }),
  SessionStarted: ({ accountId, userId, how }) => ({
    account: accountId,
    actor: `user:${userId}`,
    reason: how,
  }),
  SessionEnded: ({ accountId, userId, reason }) => ({
    account: accountId,
    actor: `user:${userId}`,
    reason,
  }),
  SessionsEnded: ({ accountId }, id) => ({ account: accountId, actor: `user:${id}` }),
  KeyIssued: ({ accountId }) => ({ account: accountId }),
  KeyRotated: ({ accountId, by }) => ({ account: accountId, actor: by }),
  KeyRevoked: ({ accountId, by }) => ({ account: accountId, actor: by }),
  PlanGranted: ({ grantedBy, reason }, id) => ({ account: id, actor: grantedBy, reason }),
  SubscriptionEnded: ({ reason }, id) => ({ account: id, reason }),
  TeamCreated: ({ ownerId }, id) => ({ account: id, actor: `user:${ownerId}` }),
  MemberInvited: ({ invitedBy, invitationId, role }, id) => ({
    account: id,
    actor: `user:${invitedBy}`,
    subject: `invitation:${invitationId}`,
    reason: role,
  }),
  InvitationAccepted: ({ userId, invitationId }, id) => ({
    account: id,
    actor: `user:${userId}`,
    subject: `invitation:${invitationId}`,
  }),
  InvitationWithdrawn: ({ by, invitationId }, id) => ({
    account: id,
    actor: by,
    subject: `invitation:${invitationId}`,
  }),
  MemberRoleChanged: ({ userId, role, by }, id) => ({
    account: id,
    actor: by,
    subject: `user:${userId}`,
    reason: role,
  }),
  MemberRemoved: ({ userId, by }, id) => ({ account: id, actor: by, subject: `user:${userId}` }),
  MemberLeft: ({ userId }, id) => ({ account: id, actor: `user:${userId}` }),
  TeamEnded: ({ by }, id) => ({ account: id, actor: by }),
  OperatorGranted: ({ accountId, userId, reason }) => ({
    account: accountId,
    subject: `user:${userId}`,
    reason,
  }),
  OperatorRevoked: ({ accountId, userId, reason }) => ({
    account: accountId,
    subject: `user:${userId}`,
    reason,
  }),
};

function rowOf({ type, data, stream, streamId, id, position, metadata }: StoredEvent): object {
  const say = AUDITED[type as Audited['type']] as (data: object, id: string) => Said;
  const said = say(data, streamId);
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

/** The audit log: who did what to which account, when, why and from where. */
export const audit: ReadModel = {
  name: 'audit',
  version: 2,
  tables: ['entries'],
  handles: new Set(Object.keys(AUDITED)),
  create: (t) => `
    CREATE TABLE ${t('entries')} (
      position   bigint PRIMARY KEY,
      id         text NOT NULL,
      at         timestamptz NOT NULL,
      action     text NOT NULL,
      actor      text NOT NULL,
      account_id text NOT NULL,
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
  ],
  fold: (events, t) => [
    {
      text: `INSERT INTO ${t('entries')} SELECT * FROM json_to_recordset($1::json)
               AS r(position bigint, id text, at timestamptz, action text, actor text, account_id text,
                    subject text, reason text, address text)`,
      params: [JSON.stringify(events.map(rowOf))],
    },
  ],
};
