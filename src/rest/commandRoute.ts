import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AccessRule } from '../graphql/kit/access.js';
import { ApiError } from '../graphql/kit/errors.js';
import { Quantity } from '../graphql/kit/quantity.js';
import { InvalidInput, Refusal } from '../graphql/kit/refusals.js';
import { problem } from './problem.js';
import { shownIds } from './shownIds.js';
import type { Reply, Route, RouteCall, RouteContext } from './route.js';

/** Of a meter: a whole number, or a decimal in a string. */
export const zodQuantity = z.union([z.number(), z.string()]).transform((given, context) => {
  try {
    return Quantity.parseValue(given);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

/** Of a strange name so much is shown. */
const MAX_NAMED = 100;

const STATUS: Readonly<Record<string, number>> = {
  InvalidInput: 400,
  NotFound: 404,
  Conflict: 409,
  NotAllowed: 403,
  PlanRequired: 402,
  PaymentRequired: 402,
  LimitReached: 429,
  SignInRefused: 401,
};

/** What a command answers over HTTP: its payload as JSON, or its refusal as a problem. */
function replyOf(result: object): Reply {
  if (!(result instanceof Refusal)) return { body: shownIds(result) };
  const status = STATUS[result.constructor.name] ?? 400;
  const extra = result instanceof InvalidInput ? { issues: result.issues } : undefined;
  return problem(status, result.code, result.message, extra);
}

/**
 * A command over HTTP: what GraphQL has as a mutation, with the same rules. `Idempotency-Key` is its command id.
 * @param run answers as the mutation does
 */
export function commandRoute<B extends object>(
  path: string,
  {
    access,
    summary,
    body,
    answer,
    bodyLimit,
  }: {
    readonly access: AccessRule;
    readonly summary: string;
    readonly body: z.ZodType<B>;
    readonly answer: z.ZodType;
    readonly bodyLimit?: number;
  },
  run: (context: RouteContext, input: B & { commandId: string | null }, call: RouteCall) => Promise<object>,
): Route {
  return {
    method: 'POST',
    path,
    metering: 'service',
    access,
    cost: 0,
    problems: true,
    ...(bodyLimit !== undefined && { bodyLimit }),
    spec: { summary, body, answer },
    handle: async (call) => {
      const parsed = body.safeParse(call.body ?? {});
      if (!parsed.success) {
        const issues = parsed.error.issues.slice(0, 20).map((issue) => ({
          path: issue.path.map(String),
          code: 'INVALID_INPUT',
          message: issue.message,
        }));
        const [first] = issues;
        const place = first && first.path.length > 0 ? `"${first.path.join('.')}": ` : '';
        return problem(400, 'INVALID_INPUT', `${place}${first?.message ?? 'The body is not right.'}`, {
          issues,
        });
      }
      const { caller, now, usageTime, idempotencyKey = null } = call;
      const context = { caller, now, usageTime, correlationId: randomUUID() };
      const input = Object.assign(parsed.data, { commandId: idempotencyKey });
      return replyOf(await run(context, input, call));
    },
  };
}

/**
 * Refuses parameters of the query that the route does not have: a slip would otherwise ask for something else.
 * @throws ApiError INVALID_INPUT
 */
export function onlyParameters({ query }: Pick<RouteCall, 'query'>, names: readonly string[]): void {
  const unknown = Object.keys(query).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const field = unknown.slice(0, MAX_NAMED);
  throw new ApiError('INVALID_INPUT', `There is no such parameter. Parameters are: ${names.join(', ')}.`, {
    field,
  });
}

/** A parameter of the query that is given once, or not at all. @throws ApiError INVALID_INPUT */
export function parameter({ query }: Pick<RouteCall, 'query'>, name: string): string | undefined {
  const given = query[name];
  if (given === undefined || (typeof given === 'string' && given !== '')) return given;
  throw new ApiError('INVALID_INPUT', `"${name}" has to be given once.`, { field: name });
}
