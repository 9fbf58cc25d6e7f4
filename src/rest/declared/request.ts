import type { FastifyRequest } from 'fastify';
import { commandIdOf } from '../../eventsourcing/commandId.js';
import type { Credentials } from '../../gate/authenticate.js';
import type { CompiledRoute, CompiledRoutes } from './compile.js';
import type { Profile } from '../../plans/profile.js';
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

/** The header `Idempotency-Key`, the id of the route's commands; null for what can be none. */
export function commandIdIn({ headers }: FastifyRequest): string | undefined | null {
  const given = headers['idempotency-key'];
  if (given === undefined) return undefined;
  return typeof given === 'string' && commandIdOf(given) !== undefined ? given : null;
}

export const partsOf = ({ params, query, headers, body }: FastifyRequest): Parts => ({
  path: params as Parts['path'],
  query: query as Parts['query'],
  header: headers,
  body,
});

/**
 * What a credential that is no key of ours is called: `Authorization` may say something else than `Bearer`, and
 * what begins as our keys do is one that does not exist.
 */
export function unfitCode(
  code: Parameters<typeof refusalOf>[0],
  { authorization = '', 'x-api-key': apiKey = '' }: Credentials,
  { live, test }: Profile['keys'],
) {
  if (code !== 'KEY_MALFORMED') return code;
  if (authorization !== '' && !/^Bearer +\S/i.test(authorization)) return 'AUTHORIZATION_MALFORMED';
  const text = authorization.replace(/^Bearer +/i, '') || String(apiKey);
  return text.startsWith(live) || text.startsWith(test) ? 'KEY_UNKNOWN' : code;
}
