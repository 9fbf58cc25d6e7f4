import type { GraphQLResponse } from '@apollo/server';
import { HeaderMap } from '@apollo/server';
import type { ExecutionResult, FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { Metrics } from '../metrics.js';
import type { Executed, Governed } from '../usage/govern.js';
import type { CostExtension } from './cost/report.js';
import type { ErrorCode } from './errors.js';
import { ERRORS, statusOf } from './errors.js';

/** An answer that says why there is none. */
export function refusal(
  metrics: Metrics,
  code: ErrorCode,
  headers: readonly (readonly [string, string])[] = [],
  message: string = ERRORS[code][1],
  details: Readonly<Record<string, unknown>> = {},
  extensions?: Readonly<Record<string, unknown>>,
): GraphQLResponse {
  metrics.refused.inc({ code });
  const all = code === 'TRY_AGAIN' ? [...headers, RETRY_SOON] : headers;
  const errors = [{ message, extensions: { ...details, code } }];
  return response({ errors, extensions }, statusOf(code), all);
}

const RETRY_SOON = ['retry-after', '1'] as const;

/** The same for a limit of the plan. */
export function limitRefusal(
  metrics: Metrics,
  { code, limit, retryAfterMs }: Extract<Governed<never>, { kind: 'refused' }>,
  headers: readonly (readonly [string, string])[],
  cost: CostExtension,
): GraphQLResponse {
  const { id, amount, window } = limit.limit;
  const standing = { limit: id, amount, window, used: limit.used };
  const message = ERRORS[code][1];
  const extensions = { cost };
  if (retryAfterMs === undefined) {
    return refusal(metrics, code, headers, message, standing, extensions);
  }
  const retryAfter = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const timed = [...headers, ['retry-after', String(retryAfter)] as const];
  return refusal(metrics, code, timed, message, { ...standing, retryAfter }, extensions);
}

/** What a response says, its head aside. */
export function resultOf({ body }: GraphQLResponse): FormattedExecutionResult {
  return body.kind === 'single' ? body.singleResult : body.initialResult;
}

interface Result {
  readonly data?: Record<string, unknown> | null | undefined;
  readonly errors?: readonly GraphQLFormattedError[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

export function response(
  { data, errors, extensions }: Result,
  status: number,
  headers: readonly (readonly [string, string])[] = [],
): GraphQLResponse {
  const map = new HeaderMap();
  for (const [name, value] of headers) map.set(name, value);
  const singleResult = {
    ...(errors && { errors }),
    ...(data !== undefined && { data }),
    ...(extensions && { extensions }),
  };
  return { http: { status, headers: map }, body: { kind: 'single', singleResult } };
}

/** The status of an answer that no plan was asked for. */
export function statusFor({ status, result }: Executed<ExecutionResult>): number {
  if (status === 'timeout') return statusOf('TIMEOUT');
  return result.data === undefined ? 500 : 200;
}
