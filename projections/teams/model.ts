import type { AccountEvent } from '../../src/accounts/events.js';
import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import { as } from '../../src/eventsourcing/event.js';
import type { TeamEvent } from '../../src/teams/events.js';
import type { ReadModel } from '../../src/following/readModel.js';

type Handled =
  Exclude<AccountEvent, { type: 'AccountRenamed' }> | Exclude<TeamEvent, { type: 'TeamCreated' }>;

interface Change {
  readonly account_id: string;
  readonly user_id: string;
  readonly role: string | null;
  readonly revision: number;
}

interface Joined extends Change {
  readonly own: boolean;
  readonly since: string;
}

/**
 * Who works in which account, and who is invited. Those who opened an account stand here by its own stream,
 * all others by the team's, so that the two may be folded in any order.
 */
export const teams: ReadModel = {
  name: 'teams',
  version: 1,
  tables: ['members', 'invitations'],
  handles: new Set<Handled['type']>([
    'AccountOpened',
    'AccountDeleted',
    'MemberInvited',
    'InvitationAccepted',
    'InvitationWithdrawn',
    'MemberRoleChanged',
    'MemberRemoved',
    'MemberLeft',
    'TeamEnded',
  ]),
  create: (t) => `
    CREATE TABLE ${t('members')} (
      account_id text NOT NULL,
      user_id    text NOT NULL,
      -- Null once they are no member any more.
      role       text,
      revision   bigint NOT NULL,
      -- Whether it is the user's own account, the one that they opened.
      own        bool NOT NULL,
      since      timestamptz NOT NULL,
      PRIMARY KEY (account_id, user_id)
    );
    CREATE TABLE ${t('invitations')} (
      id         text PRIMARY KEY,
      account_id text NOT NULL,
      -- Sealed for the invitation; null once it is over.
      email      text,
      role       text NOT NULL,
      invited_by text NOT NULL,
      invited_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL
    );`,
  indexes: (t) => [
    `CREATE INDEX ON ${t('members')} (user_id, since, account_id) WHERE role IS NOT NULL`,
    `CREATE INDEX ON ${t('invitations')} (account_id, invited_at, id) WHERE email IS NOT NULL`,
  ],
  fold: (events, t) => {
    const joined = new Map<string, Joined>();
    // Of members who joined on an earlier page.
    const changed = new Map<string, Change>();
    const invited: object[] = [];
    const over: object[] = [];
    const ended: object[] = [];
    const join = (member: Joined): void => {
      const pair = compositeKey(member.account_id, member.user_id);
      joined.set(pair, member);
      changed.delete(pair);
    };
    const change = (to: Change): void => {
      const pair = compositeKey(to.account_id, to.user_id);
      const member = joined.get(pair);
      if (member) joined.set(pair, { ...member, ...to });
      else changed.set(pair, to);
    };
    for (const stored of events) {
      const event = as<Handled>(stored);
      const { streamId: account_id, revision, metadata } = stored;
      const since = metadata.at;
      switch (event.type) {
        case 'AccountOpened':
          join({ account_id, user_id: event.data.ownerId, role: 'owner', revision, own: true, since });
          break;
        case 'AccountDeleted':
          change({ account_id, user_id: event.data.ownerId, role: null, revision });
          break;
        case 'MemberInvited': {
          const { invitationId: id, email, role, invitedBy, expiresAt } = event.data;
          invited.push({
            id,
            account_id,
            email,
            role,
            invited_by: invitedBy,
            invited_at: since,
            expires_at: expiresAt,
          });
          break;
        }
        case 'InvitationAccepted': {
          const { invitationId: id, userId: user_id, role } = event.data;
          over.push({ id });
          join({ account_id, user_id, role, revision, own: false, since });
          break;
        }
        case 'InvitationWithdrawn':
          over.push({ id: event.data.invitationId });
          break;
        case 'MemberRoleChanged':
          change({ account_id, user_id: event.data.userId, role: event.data.role, revision });
          break;
        case 'MemberRemoved':
        case 'MemberLeft':
          change({ account_id, user_id: event.data.userId, role: null, revision });
          break;
        case 'TeamEnded':
          ended.push({ account_id, revision });
          break;
      }
    }
    return [
      {
        rows: [...joined.values()],
        text: `INSERT INTO ${t('members')}
               SELECT * FROM json_to_recordset($1::json)
                 AS r(account_id text, user_id text, role text, revision bigint, own bool, since timestamptz)
               ON CONFLICT (account_id, user_id) DO UPDATE
                 SET role = excluded.role, revision = excluded.revision, since = excluded.since`,
      },
      {
        rows: [...changed.values()],
        text: `UPDATE ${t('members')} AS m SET role = r.role, revision = r.revision
                 FROM json_to_recordset($1::json) AS r(account_id text, user_id text, role text, revision bigint)
                WHERE m.account_id = r.account_id AND m.user_id = r.user_id`,
      },
      {
        rows: invited,
        text: `INSERT INTO ${t('invitations')} SELECT * FROM json_to_recordset($1::json)
                 AS r(id text, account_id text, email text, role text, invited_by text,
                      invited_at timestamptz, expires_at timestamptz)`,
      },
      {
        rows: over,
        text: `UPDATE ${t('invitations')} AS i SET email = NULL
                 FROM json_to_recordset($1::json) AS r(id text) WHERE i.id = r.id`,
      },
      // The last event of its stream.
      {
        rows: ended,
        text: `UPDATE ${t('members')} AS m SET role = NULL, revision = r.revision
                 FROM json_to_recordset($1::json) AS r(account_id text, revision bigint)
                WHERE m.account_id = r.account_id AND NOT m.own AND m.role IS NOT NULL`,
      },
      {
        rows: ended,
        text: `UPDATE ${t('invitations')} AS i SET email = NULL
                 FROM json_to_recordset($1::json) AS r(account_id text) WHERE i.account_id = r.account_id`,
      },
    ]
      .filter(({ rows }) => rows.length > 0)
      .map(({ text, rows }) => ({ text, params: [JSON.stringify(rows)] }));
  },
};
