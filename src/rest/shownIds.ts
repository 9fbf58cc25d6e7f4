import type { IdType } from '../graphql/kit/ids.js';
import { shownId } from '../graphql/kit/ids.js';

/** What these fields of an answer name. */
const FIELDS = { accountId: 'Account', keyId: 'Key' } as const satisfies Record<string, IdType>;

/** An answer with its ids as all answers show them, with their prefixes. */
export function shownIds<B extends object>(body: B): B {
  const ids = Object.entries(FIELDS).flatMap(([name, type]) => {
    const id = (body as Readonly<Record<string, unknown>>)[name];
    return typeof id === 'string' ? [[name, shownId(type, id)] as const] : [];
  });
  return { ...body, ...Object.fromEntries(ids) };
}
