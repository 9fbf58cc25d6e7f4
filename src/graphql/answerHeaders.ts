import type { GraphQLResponse } from '@apollo/server';
import { Outage } from '../outage.js';
import type { Profile } from '../plans/profile.js';
import { extraHeaders, rateLimitHeaders } from '../usage/headers.js';
import type { Standing } from '../usage/standing.js';
import type { RequestContext } from './context.js';
import { limitedOf } from './context.js';

/**
 * Adds what every answer carries: where the caller's limits stand, unless the answer says so already, and
 * the headers of the profile.
 */
export function addHeaders(
  response: GraphQLResponse,
  context: RequestContext,
  rules: Profile['headers'],
  standing: Standing,
  demo: boolean,
): GraphQLResponse | Promise<GraphQLResponse> {
  const { caller, now, started } = context;
  const accountId = 'accountId' in caller ? caller.accountId : undefined;
  const { headers } = response.http;
  const finish = (): GraphQLResponse => {
    const facts = { accountId, elapsedMs: performance.now() - started, demo };
    for (const [name, value] of extraHeaders(rules, facts)) headers.set(name, value);
    return response;
  };
  if (accountId === undefined || headers.has('ratelimit')) return finish();
  return standing.of(limitedOf(context)).then(
    (states) => {
      for (const [name, value] of rateLimitHeaders(states, rules, now)) headers.set(name, value);
      return finish();
    },
    (error: unknown) => {
      // The answer is as good without them.
      if (error instanceof Outage) return finish();
      throw error;
    },
  );
}
