import { Readable } from 'node:stream';
import type { AuditFilter, AuditQueries, AuditRow } from '../../projections/audit/queries.js';
import { csvLine } from '../csv.js';
import { MANAGERS, MEMBERS } from '../graphql/kit/access.js';
import { ApiError, invalidInput } from '../graphql/kit/errors.js';
import { givenId, shownId } from '../graphql/kit/ids.js';
import type { Logger } from '../logger.js';
import type { Route, RouteCall } from '../rest/route.js';
import { guarded } from '../rest/route.js';
import { textProblem } from '../text/text.js';
import { dayOf, timeOf } from '../text/time.js';
import { actorText, storedActors, subjectText } from './names.js';

/** Entries that are read, and held, at once. */
const PAGE = 500;
/** Characters; longer than any name of ours. */
const MAX_NAME = 200;

const COLUMNS = ['id', 'at', 'action', 'actor', 'accountId', 'subject', 'reason', 'address'] as const;

type Entry = Readonly<Record<(typeof COLUMNS)[number], string | null>>;

const QUERY = {
  account: 'Of this account; others than their own only operators may ask for.',
  actor: 'What this one has done.',
  action: 'Actions of this name, as KeyIssued.',
  from: 'As 2026-11-29 or in RFC 3339.',
  to: 'Exclusive.',
};

const FORMATS = {
  csv: { type: 'text/csv; charset=utf-8; header=present', body: csv },
  ndjson: { type: 'application/x-ndjson; charset=utf-8', body: ndjson },
};

/**
 * `/v1/audit.csv` and `/v1/audit.ndjson`: the audit log, whole, as it is read. Operators see all accounts or
 * the one of `account`; an account's managers see theirs. Filters: `account`, `actor`, `action`, `from`, `to`.
 */
export const auditRoutes = (audit: Pick<AuditQueries, 'all'>, log: Logger): Route[] =>
  Object.entries(FORMATS).map(([format, { type, body }]) =>
    guarded(
      'GET',
      `/v1/audit.${format}`,
      {
        access: ruleFor,
        spec: { summary: `The audit log as ${format}.`, query: QUERY, text: type.replace(/;.*/, '') },
      },
      ({ caller, query }) => {
        const text = Readable.from(body(audit.all(seenBy(caller, filterOf(query)), PAGE)), {
          objectMode: false,
        });
        text.on('error', (error) => log.error('an export of the audit log ended early', error));
        return {
          headers: {
            'content-type': type,
            'content-disposition': `attachment; filename="audit.${format}"`,
            'cache-control': 'no-store',
          },
          body: text,
        };
      },
    ),
  );

type Calling = RouteCall['caller'];

const ruleFor = (caller: Calling) => ({
  scope: 'admin' as const,
  roles: 'operator' in caller && caller.operator ? MEMBERS : MANAGERS,
});

/** @throws ApiError NOT_FOUND for another account, which is as good as none */
function seenBy(caller: Calling, filter: AuditFilter): AuditFilter {
  if (caller.kind !== 'key' && caller.kind !== 'session') throw new ApiError('KEY_MISSING');
  if (caller.operator) return filter;
  if (filter.accountId !== undefined && filter.accountId !== caller.accountId)
    throw new ApiError('NOT_FOUND');
  return { ...filter, accountId: caller.accountId };
}

/** @throws ApiError INVALID_INPUT */
function filterOf({ account, actor, action, from, to, ...others }: Readonly<Record<string, unknown>>) {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw invalidInput(unknown, 'Filters are "account", "actor", "action", "from" and "to".');
  }
  const accountId = textOf('account', account);
  const named = textOf('actor', actor);
  return {
    accountId: accountId === undefined ? undefined : givenId('Account', accountId),
    actors: named === undefined ? undefined : storedActors(named),
    action: textOf('action', action),
    from: momentOf('from', from),
    to: momentOf('to', to),
  };
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw invalidInput(name, `"${name}" must be given once.`);
  const problem = textProblem(name, value, { max: MAX_NAME });
  if (problem !== undefined) throw invalidInput(name, problem);
  return value;
}

/** As the events have it; a day alone is its beginning in UTC. */
function momentOf(name: string, value: unknown): Date | undefined {
  const text = textOf(name, value);
  if (text === undefined) return undefined;
  const time = dayOf(text) ?? timeOf(text);
  if (!time) throw invalidInput(name, `"${name}" must be a time like 2026-11-23 or 2026-11-23T10:00:00Z.`);
  return time;
}

function entryOf({ position: _, id, at, account_id: accountId, ...row }: AuditRow): Entry {
  const shown = {
    id: shownId('AuditEntry', id),
    accountId: accountId === null ? null : shownId('Account', accountId),
    actor: actorText(row.actor),
    subject: subjectText(row.subject),
  };
  return { ...row, ...shown, at: at.toISOString() };
}

async function* csv(pages: AsyncIterable<readonly AuditRow[]>): AsyncGenerator<string> {
  yield csvLine(COLUMNS);
  for await (const page of pages) {
    const lines = page.map((row) => {
      const entry = entryOf(row);
      return csvLine(COLUMNS.map((column) => entry[column] ?? ''));
    });
    if (lines.length > 0) yield lines.join('');
  }
}

async function* ndjson(pages: AsyncIterable<readonly AuditRow[]>): AsyncGenerator<string> {
  for await (const page of pages) {
    if (page.length > 0) yield page.map((row) => `${JSON.stringify(entryOf(row))}\n`).join('');
  }
}
