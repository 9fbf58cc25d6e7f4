import { invalid, missing } from '../errors.js';
import type { Kind, List, Objects } from '../objects.js';
import { present } from '../present.js';
import type { Unit } from '../unit.js';

const MOST = 100;
const USUAL = 10;

type Params = Readonly<Record<string, unknown>>;
type Range = number | { gt?: number; gte?: number; lt?: number; lte?: number };

/** A page of a list, the newest first. @throws ApiError */
export function page<K extends Kind>(
  unit: Unit,
  kind: K,
  params: Params,
  url: string,
  matches: (object: Objects[K]) => boolean = () => true,
): List<unknown> {
  const range = params['created'] as Range | undefined;
  const all = unit.filter(kind, (object) => matches(object) && within(object.created, range)).reverse();
  return pageOf(all, params, url, kind);
}

/** A page of objects that are in their order already. @throws ApiError */
export function pageOf(
  all: readonly { readonly id: string }[],
  params: Params,
  url: string,
  what: string,
): List<unknown> {
  const limit = (params['limit'] as number | undefined) ?? USUAL;
  if (limit < 1 || limit > MOST) {
    throw invalid(`This value must be between 1 and ${MOST}.`, 'limit', 'parameter_invalid_integer');
  }
  const { starting_after: after, ending_before: before } = params as Record<string, string | undefined>;
  const place = (id: string, param: string): number => {
    const index = all.findIndex((object) => object.id === id);
    if (index < 0) throw missing(what.replace(/_/g, ' '), id, param);
    return index;
  };
  let from = after === undefined ? 0 : place(after, 'starting_after') + 1;
  let to = from + limit;
  let more = to < all.length;
  if (before !== undefined) {
    to = place(before, 'ending_before');
    from = Math.max(0, to - limit);
    more = from > 0;
  }
  return { object: 'list', data: all.slice(from, to).map(present), has_more: more, url };
}

export function within(value: number, range: Range | undefined): boolean {
  if (range === undefined) return true;
  if (typeof range === 'number') return value === range;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  return value > gt && value >= gte && value < lt && value <= lte;
}
