import type { IdType } from '../graphql/kit/ids.js';
import { shownId } from '../graphql/kit/ids.js';

/** What these fields of an answer name. */
const FIELDS: readonly (readonly [name: string, IdType])[] = [
  ['accountId', 'Account'],
  ['keyId', 'Key'],
];

/** An answer with its ids as all answers show them, with their prefixes. */
export function shownIds<B extends object>(body: B): B {
  const shown = { ...body } as Record<string, unknown>;
  for (const [name, type] of FIELDS) {
    const id = shown[name];
    if (typeof id === 'string') shown[name] = shownId(type, id);
  }
  return shown as B;
}
