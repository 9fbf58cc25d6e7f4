import type { List } from './objects.js';

/** So many entries of a list inside an object; the rest has to be asked for. */
const SHOWN = 10;

/** An object as the API shows it: without what is kept under `$`. */
export function present(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(present);
  if (typeof value !== 'object' || value === null) return value;
  const shown: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) if (key !== '$') shown[key] = present(field);
  if (shown['object'] === 'list' && Array.isArray(shown['data']) && shown['data'].length > SHOWN) {
    shown['data'] = shown['data'].slice(0, SHOWN);
    shown['has_more'] = true;
  }
  return shown;
}

/** A list inside an object. */
export const listOf = <T>(data: T[], url: string): List<T> => ({
  object: 'list',
  data,
  has_more: false,
  url,
});

/** The fields that differ, with what they held before. */
export function previousAttributes(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Record<string, unknown> {
  const previous: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[key] ?? null, after[key] ?? null];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    previous[key] = isPlain(was) && isPlain(is) ? previousAttributes(was, is) : was;
  }
  return previous;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('object' in value);
