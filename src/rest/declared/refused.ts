import type { ErrorCode } from '../../graphql/kit/errors.js';
import { ERRORS } from '../../graphql/kit/errors.js';
import type { Answered } from '../../graphql/transport/governance.js';
import { refusalCode } from '../../usage/limits/headers.js';
import type { LimitState } from '../../usage/limits/limiter.js';
import type { RouteDocument } from './document.js';
import type { Refusal } from './failures.js';
import { refusalOf } from './failures.js';
import type { Issue } from './inputs.js';

/** The status of an expected failure, by its type; 409 for all others. */
export const STATUSES: Readonly<Record<string, number>> = {
  InvalidInput: 422,
  NotFound: 404,
  NotAllowed: 403,
  PlanRequired: 403,
  PaymentRequired: 402,
  LimitReached: 429,
  SignInRefused: 401,
};
export const CONFLICT = 409;

/**
 * Why an operation was not answered, in `errors` or in its data; undefined where it was.
 * @param first ids of limits that are told before others
 */
export function refusalIn(
  document: RouteDocument,
  { status, result, states = [] }: Answered,
  first: readonly string[] = [],
): Refusal | undefined {
  const [error] = result.errors ?? [];
  if (error) {
    const refusal = ofError(error.message, error.extensions ?? {}, status, states);
    return refusal.limit ? firstOf(first, refusal, states) : refusal;
  }
  for (const value of Object.values(result.data ?? {})) {
    const type = (value as { __typename?: string } | null)?.__typename;
    if (type !== undefined && document.refusals.has(type)) {
      return ofType(type, value as Readonly<Record<string, unknown>>);
    }
  }
  return undefined;
}

function ofError(
  message: string,
  extensions: Readonly<Record<string, unknown>>,
  status: number,
  states: readonly LimitState[],
): Refusal {
  const code = String(extensions['code']);
  const { field, limit, retryAfter } = extensions;
  // What does not fit the document, or a range of it, was the request's.
  if (code === 'BAD_USER_INPUT' || code === 'INVALID_INPUT') return invalid(code, message, field);
  return {
    code,
    message,
    status: status === 200 ? (ERRORS[code as ErrorCode]?.[0] ?? 500) : status,
    limit: states.find((state) => state.limit.id === limit),
    ...(typeof retryAfter === 'number' && { retryAfterSeconds: retryAfter }),
    ...(code === 'TRY_AGAIN' && { retryAfterSeconds: 1 }),
  };
}

/** Of several limits that are used up, the one that the product tells first. */
function firstOf(first: readonly string[], refusal: Refusal, states: readonly LimitState[]): Refusal {
  const used = states.filter(({ remaining }) => remaining === 0);
  const limit = first.map((id) => used.find((state) => state.limit.id === id)).find(Boolean);
  if (!limit || limit === refusal.limit) return refusal;
  const waitMs = limit.resetAt - limit.at;
  return {
    ...refusalOf(refusalCode(limit)),
    limit,
    ...(Number.isFinite(waitMs) && { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) }),
  };
}

/** What a part of the answer says of a refusal, where it is one. */
export function refusalOfType(value: unknown): Refusal | undefined {
  const { __typename: type = '', code, message } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  return ofType(String(type), value as Readonly<Record<string, unknown>>);
}

function ofType(type: string, details: Readonly<Record<string, unknown>>): Refusal {
  const { code, message, issues = [], retryAfter, retryAfterSeconds = retryAfter } = details;
  const found = (issues as readonly { path: readonly string[]; message: string }[]).map((issue) => ({
    loc: ['body', ...issue.path],
    msg: issue.message,
    type: 'value_error',
  }));
  // It says something of what was sent before, and not of this request alone.
  const reused = code === 'COMMAND_ID_REUSED';
  const refusal =
    type === 'InvalidInput' && !reused
      ? invalid(String(code), String(message), found[0]?.loc[1], found)
      : {
          code: String(code),
          message: String(message),
          status: reused ? CONFLICT : (STATUSES[type] ?? CONFLICT),
        };
  return {
    ...refusal,
    details,
    ...(typeof retryAfterSeconds === 'number' && { retryAfterSeconds }),
  };
}

function invalid(code: string, message: string, field: unknown, issues: readonly Issue[] = []): Refusal {
  const name = typeof field === 'string' ? field : undefined;
  const loc = name === undefined ? ['body'] : ['body', name];
  return refusalOf('REQUEST_INVALID', {
    code: code === 'BAD_USER_INPUT' ? 'REQUEST_INVALID' : code,
    message,
    field: name,
    issues: issues.length > 0 ? issues : [{ loc, msg: message, type: 'value_error' }],
  });
}
