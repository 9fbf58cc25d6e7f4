import { Outage } from '../outage.js';
import type { Profile } from '../plans/profile.js';
import type { Header } from '../usage/headers.js';
import { extraHeaders, rateLimitHeaders } from '../usage/headers.js';
import type { LimitStates } from '../usage/limitStates.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { limitedOf } from '../graphql/kit/context.js';
import type { Answer } from './responses.js';

/**
 * Adds what every answer carries: where the caller's limits stand, unless the answer says so already, and
 * the headers of the profile.
 */
export function addHeaders(
  answer: Answer,
  context: RequestContext,
  rules: Profile['headers'],
  standing: LimitStates,
  demo: boolean,
): Answer | Promise<Answer> {
  const { caller, started } = context;
  const accountId = 'accountId' in caller ? caller.accountId : undefined;
  const withHeaders = (more: readonly Header[]): Answer => {
    const facts = { accountId, elapsedMs: performance.now() - started, demo };
    const headers = [...answer.headers, ...more, ...extraHeaders(rules, facts)];
    return { ...answer, headers };
  };
  if (accountId === undefined || answer.headers.some(([name]) => name === 'ratelimit')) {
    return withHeaders([]);
  }
  return standing.of(limitedOf(context)).then(
    (states) => withHeaders(rateLimitHeaders(states, rules)),
    (error: unknown) => {
      // The answer is as good without them.
      if (error instanceof Outage) return withHeaders([]);
      throw error;
    },
  );
}
