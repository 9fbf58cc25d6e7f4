// The benchmark's read models as somebody would write them for emmett: one statement for each row that an event
// changes. `%L` stands for a literal, `%s` for a number. A test holds the rows against those of our own models.
import { createHash } from 'node:crypto';

const idOf = ({ stream }) => stream.slice(stream.indexOf('-') + 1);
/** A row of the tables that are named as our own models' tables are. */
const into = (table, values) =>
  `INSERT INTO emmett.${table} VALUES (${values.map((value) => (typeof value === 'number' ? '%s' : '%L')).join(', ')})`;

const accounts = {
  name: 'accounts',
  canHandle: ['AccountOpened', 'UserRegistered', 'PlanGranted'],
  tables: ['accounts_accounts', 'accounts_users', 'accounts_plans'],
  evolve: (event) => {
    const { type, data, metadata, revision } = event;
    const row = {
      AccountOpened: () => ['accounts_accounts', [idOf(event), data.ownerId, metadata.at]],
      UserRegistered: () => [
        'accounts_users',
        [idOf(event), data.accountId, data.email, data.name, metadata.at],
      ],
      PlanGranted: () => [
        'accounts_plans',
        [idOf(event), 'granted', data.plan, revision, data.until ?? null],
      ],
    };
    const [table, values] = row[type]();
    const again =
      type === 'PlanGranted'
        ? ` ON CONFLICT (account_id, source) DO UPDATE
              SET plan = excluded.plan, revision = excluded.revision, until = excluded.until`
        : '';
    return [[into(table, values) + again, ...values]];
  },
};

const keys = {
  name: 'keys',
  canHandle: ['KeyIssued', 'KeyRevoked'],
  tables: ['keys_keys'],
  evolve: (event) => {
    const { type, data, metadata } = event;
    if (type === 'KeyRevoked') {
      return [['UPDATE emmett.keys_keys SET revoked_at = %L WHERE id = %L', metadata.at, idOf(event)]];
    }
    const { accountId, name, environment, scopes, hash, prefix, last4, expiresAt, limits } = data;
    const values = [
      ...[
        idOf(event),
        accountId,
        name,
        environment,
        `{${scopes.join(',')}}`,
        hash,
        prefix,
        last4,
        metadata.at,
      ],
      ...[expiresAt, JSON.stringify(limits), JSON.stringify(data.metadata), null, '[]'],
    ];
    return [[into('keys_keys', values), ...values]];
  },
};

const QUARTER_MS = 15 * 60_000;
const SLOTS = { usage_quarters: 1, usage_six_hours: 24, usage_days: 96 };
const uuidOf = (values) => createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32);

/** Adds to what is kept under a name. */
function add(sums, of, amounts) {
  const id = JSON.stringify(of);
  const sum = sums.get(id) ?? { of, amounts: amounts.map(() => 0) };
  sums.set(id, sum);
  for (const [i, amount] of amounts.entries()) sum.amounts[i] += amount;
}

const usage = {
  name: 'usage',
  canHandle: ['UsesRecorded'],
  tables: ['usage_counters', 'usage_keys', 'usage_minutes', ...Object.keys(SLOTS)],
  evolve: ({ data, metadata, position }) => {
    // All uses of a batch in memory first, as ours does.
    const counters = new Map();
    const cells = new Map();
    const lastUsed = new Map();
    for (const { account, uses } of data.groups) {
      for (const use of uses) {
        const { environment, key, meters } = use;
        for (const [meter, amount] of Object.entries(meters)) {
          for (const period of use.periods) {
            for (const subject of [`${environment}:${account}`, `key:${key}`])
              add(counters, [subject, meter, period], [amount]);
          }
        }
        const operation = use.operation ?? use.rootFields.join(',');
        const labels = [
          key,
          '',
          operation,
          use.rootFields.join(','),
          use.endpoint,
          use.source ?? '',
          '',
          use.status,
          '{}',
        ];
        const quarter = Math.floor(use.at / QUARTER_MS);
        for (const [table, quarters] of Object.entries(SLOTS)) {
          const slot = Math.floor(quarter / quarters);
          for (const [i, meter] of Object.keys(meters).sort().entries()) {
            const of = [table, account, environment, slot, uuidOf(labels), ...labels, meter];
            add(cells, of, [meters[meter], i === 0 ? 1 : 0, i === 0 ? use.durationUs : 0]);
          }
        }
        if (meters.requests) lastUsed.set(key, Math.max(lastUsed.get(key) ?? 0, use.at));
      }
    }
    const statements = [];
    for (const { of, amounts } of counters.values()) {
      const values = [...of, ...amounts, 0];
      const again = ' ON CONFLICT (subject, meter, period) DO UPDATE SET amount = c.amount + excluded.amount';
      statements.push([into('usage_counters AS c', values) + again, ...values]);
    }
    for (const {
      of: [table, ...of],
      amounts,
    } of cells.values()) {
      const values = [...of, ...amounts];
      const again = ` ON CONFLICT (account, environment, slot, dimensions, meter) DO UPDATE
        SET amount = c.amount + excluded.amount, uses = c.uses + excluded.uses, duration_us = c.duration_us + excluded.duration_us`;
      statements.push([into(`${table} AS c`, values) + again, ...values]);
    }
    for (const values of lastUsed) {
      const again = ' ON CONFLICT (key) DO UPDATE SET last_used = greatest(k.last_used, excluded.last_used)';
      statements.push([into('usage_keys AS k', values) + again, ...values]);
    }
    const minute = [Math.floor(Date.parse(metadata.at) / 60_000), position];
    const again = ' ON CONFLICT (minute) DO UPDATE SET position = least(m.position, excluded.position)';
    statements.push([into('usage_minutes AS m', minute) + again, ...minute]);
    return statements;
  },
};

const popularity = {
  name: 'popularity',
  canHandle: ['UsesRecorded'],
  tables: ['popularity_uses'],
  evolve: ({ data }) => {
    const counts = new Map();
    for (const { uses } of data.groups) {
      for (const { patterns, environment } of uses) {
        if (environment !== 'live') continue;
        for (const id of patterns) counts.set(id, (counts.get(id) ?? 0) + 1);
      }
    }
    const again = ' ON CONFLICT (pattern_id) DO UPDATE SET uses = u.uses + excluded.uses';
    return [...counts].map((values) => [into('popularity_uses AS u', values) + again, ...values]);
  },
};

export const PROJECTIONS = [accounts, keys, usage, popularity];

/** @param like names of our tables by those of these: they have the same columns */
export const tablesLike = (like) =>
  `CREATE SCHEMA emmett; ${PROJECTIONS.flatMap(({ tables }) => tables)
    .map((table) => `CREATE TABLE emmett.${table} (LIKE ${like[table]} INCLUDING ALL);`)
    .join(' ')}`;
