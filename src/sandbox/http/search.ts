import { invalid } from '../errors.js';
import type { Kind } from '../objects.js';
import { present } from '../present.js';
import type { Unit } from '../unit.js';
import type { Params, Routes } from './route.js';
import { numberOf, textOf } from './route.js';

interface Clause {
  readonly path: readonly string[];
  readonly operator: ':' | '<' | '<=' | '>' | '>=' | '~';
  readonly value: string;
  readonly not: boolean;
}

const CLAUSE =
  /^(?<not>-)?(?<field>[a-z_]+(?:\.[a-z_]+)*)(?:\[(?:'(?<key>[^']+)'|"(?<key2>[^"]+)")\])?\s*(?<operator>:|~|>=|<=|>|<)\s*(?:'(?<text>(?:\\.|[^'\\])*)'|"(?<text2>(?:\\.|[^"\\])*)"|(?<number>-?\d+|null))$/;
const MOST = 100;
const MAX_CLAUSES = 10;

/** Stripe's search language: `email:'a@b.c' AND metadata['key']:'value'`. @throws ApiError */
export function parseQuery(query: string): { clauses: Clause[]; any: boolean } {
  const parts = query.trim().split(/\s+(AND|OR)\s+(?=(?:[^'"]|'[^']*'|"[^"]*")*$)/i);
  const joins = new Set(parts.filter((_, index) => index % 2 === 1).map((join) => join.toUpperCase()));
  if (joins.size > 1) throw invalid('You cannot mix AND and OR in one query.', 'query');
  const clauses = parts
    .filter((_, index) => index % 2 === 0)
    .map((part): Clause => {
      const { not, field, key, key2, operator, text, text2, number } = CLAUSE.exec(part.trim())?.groups ?? {};
      if (field === undefined) throw invalid(`We were unable to parse your search query: ${part}`, 'query');
      const inner = key ?? key2;
      return {
        path: [...field.split('.'), ...(inner === undefined ? [] : [inner])],
        operator: operator as Clause['operator'],
        value: (text ?? text2)?.replace(/\\(.)/g, '$1') ?? number ?? '',
        not: not !== undefined,
      };
    });
  if (clauses.length > MAX_CLAUSES) throw invalid(`A query has at most ${MAX_CLAUSES} clauses.`, 'query');
  return { clauses, any: joins.has('OR') };
}

function matches(object: unknown, { path, operator, value, not }: Clause): boolean {
  const found = path.reduce<unknown>(
    (at, key) => (at as Record<string, unknown> | null | undefined)?.[key],
    object,
  );
  return fits(found, operator, value) !== not;
}

function fits(found: unknown, operator: Clause['operator'], value: string): boolean {
  if (value === 'null' && (found === null || found === undefined)) return true;
  if (typeof found !== 'string' && typeof found !== 'number' && typeof found !== 'boolean') return false;
  const text = String(found);
  switch (operator) {
    case ':':
      return text.toLowerCase() === value.toLowerCase();
    case '~':
      return text.toLowerCase().includes(value.toLowerCase());
    case '<':
      return Number(text) < Number(value);
    case '<=':
      return Number(text) <= Number(value);
    case '>':
      return Number(text) > Number(value);
    case '>=':
      return Number(text) >= Number(value);
  }
}

function search(unit: Unit, kind: Kind, url: string, params: Params): unknown {
  const { clauses, any } = parseQuery(textOf(params, 'query') ?? '');
  const limit = numberOf(params, 'limit') ?? 10;
  if (limit < 1 || limit > MOST) throw invalid(`This value must be between 1 and ${MOST}.`, 'limit');
  const from = Number(textOf(params, 'page') ?? 0);
  const all = unit
    .filter(kind, (object) => {
      if ('deleted' in object) return false;
      return any ? clauses.some((one) => matches(object, one)) : clauses.every((one) => matches(object, one));
    })
    .reverse();
  const more = from + limit < all.length;
  return {
    object: 'search_result',
    data: all.slice(from, from + limit).map(present),
    has_more: more,
    next_page: more ? `${from + limit}` : null,
    url,
  };
}

const SEARCHED: readonly [string, Kind][] = [
  ['charges', 'charge'],
  ['customers', 'customer'],
  ['invoices', 'invoice'],
  ['payment_intents', 'payment_intent'],
  ['prices', 'price'],
  ['products', 'product'],
  ['subscriptions', 'subscription'],
];

/** Unlike Stripe's, which is up to a minute behind, it finds what was written just now. */
export const searchRoutes: Routes = Object.fromEntries(
  SEARCHED.map(([name, kind]) => [
    `GET /v1/${name}/search`,
    (unit: Unit, params: Params) => search(unit, kind, `/v1/${name}/search`, params),
  ]),
);
