import type { FastifyRequest } from 'fastify';
import type { Credentials } from '../../gate/authenticate.js';
import type { CompiledRoute, CompiledRoutes } from './compile.js';
import type { refusalOf } from './failures.js';
import type { Parts } from './inputs.js';

/** Only from the headers that the profile lists. */
export function credentialsOf(
  { headers }: FastifyRequest,
  listed: CompiledRoutes['file']['credentials'],
): Credentials {
  return {
    ...(listed.includes('authorization') && { authorization: headers.authorization }),
    ...(listed.includes('x-api-key') && { 'x-api-key': headers['x-api-key'] }),
    'tollgraph-account': headers['tollgraph-account'],
  };
}

/** The route for the values that the query has; with the actions that there are, where none is for them. */
export function variantOf(
  variants: readonly CompiledRoute[],
  { query }: FastifyRequest,
): { route: CompiledRoute; action: string | null; actions: readonly string[] } {
  const given = query as Readonly<Record<string, unknown>>;
  const names = new Set(variants.flatMap(({ declared: { when = {} } }) => Object.keys(when)));
  const asked = [...names].filter((name) => given[name] !== undefined);
  const found = variants.find(({ declared: { when } }) =>
    asked.length === 0
      ? when === undefined
      : when && Object.entries(when).every(([name, value]) => given[name] === value),
  );
  const actions = variants.flatMap(({ declared: { when = {} } }) => Object.values(when));
  const [route] = variants;
  if (found) return { route: found, action: null, actions: [] };
  const [name = ''] = asked;
  const action = [given[name]].flat()[0];
  return { route: route as CompiledRoute, action: typeof action === 'string' ? action : '', actions };
}

export const partsOf = ({ params, query, headers, body }: FastifyRequest): Parts => ({
  path: params as Parts['path'],
  query: query as Parts['query'],
  header: headers,
  body,
});

/** What `Authorization` says that is no credential at all has a text of its own. */
export function unfitCode(code: Parameters<typeof refusalOf>[0], { authorization }: Credentials) {
  const malformed =
    code === 'KEY_MALFORMED' && authorization !== undefined && !/^Bearer +\S/i.test(authorization);
  return malformed ? 'AUTHORIZATION_MALFORMED' : code;
}
