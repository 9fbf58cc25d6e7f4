import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import type { Metrics } from '../../metrics.js';
import type { Executed } from '../../usage/governor.js';
import type { LimitState } from '../../usage/limits/limiter.js';
import { refusedLimit } from '../../usage/limits/limiter.js';
import type { Header } from '../../usage/limits/headers.js';
import type { CostExtension } from '../cost/report.js';
import { costText } from '../cost/report.js';
import type { ErrorCode } from '../kit/errors.js';
import { ERRORS, statusOf } from '../kit/errors.js';

/** What a GraphQL response says, in the order in which it says it. */
export interface Result {
  readonly errors?: readonly GraphQLFormattedError[];
  readonly data?: Record<string, unknown> | null;
  readonly extensions?: {
    readonly cost?: CostExtension;
    /** Of an answer that has no header of its own. */
    readonly requestId?: string;
  };
}

/** What an operation is answered, whichever way it came. */
export interface Answer {
  /** Of HTTP. */
  readonly status: number;
  readonly headers: readonly Header[];
  readonly result: Result;
}

/** An answer that says why there is none. */
export function refusal(
  metrics: Metrics,
  code: ErrorCode,
  headers: readonly Header[] = [],
  message: string = ERRORS[code][1],
  details: Readonly<Record<string, unknown>> = {},
  extensions?: Result['extensions'],
): Answer {
  metrics.refused.inc({ code });
  const all = code === 'TRY_AGAIN' ? [...headers, RETRY_SOON] : headers;
  const errors = [{ message, extensions: { ...details, code } }];
  return response({ errors, extensions }, statusOf(code), all);
}

const RETRY_SOON = ['retry-after', '1'] as const;

/** The same for a limit of the plan. */
export function limitRefusal(
  metrics: Metrics,
  {
    code,
    limit,
    retryAfterMs,
  }: { readonly code: ErrorCode; readonly limit: LimitState; readonly retryAfterMs: number | undefined },
  cost: CostExtension,
): Answer {
  const standing = refusedLimit(limit);
  const message = ERRORS[code][1];
  const extensions = { cost };
  if (retryAfterMs === undefined) return refusal(metrics, code, [], message, standing, extensions);
  const retryAfter = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const headers = [['retry-after', String(retryAfter)]] as const;
  return refusal(metrics, code, headers, message, { ...standing, retryAfter }, extensions);
}

/** @param result undefined parts are left out */
export function response(
  {
    errors,
    data,
    extensions,
  }: {
    readonly errors?: readonly GraphQLFormattedError[] | undefined;
    readonly data?: Result['data'] | undefined;
    readonly extensions?: Result['extensions'] | undefined;
  },
  status: number,
  headers: readonly Header[] = [],
): Answer {
  const result = {
    ...(errors && { errors }),
    ...(data !== undefined && { data }),
    ...(extensions && { extensions }),
  };
  return { status, headers, result };
}

/** The same text as `JSON.stringify` makes of it. Of a small answer what it cost is the larger part. */
export function textOf({ errors, data, extensions }: Result): string {
  let text = '{';
  let comma = '';
  const add = (name: string, value: string): void => {
    text += `${comma}"${name}":${value}`;
    comma = ',';
  };
  if (errors) add('errors', JSON.stringify(errors));
  if (data !== undefined) add('data', JSON.stringify(data));
  if (extensions?.cost) add('extensions', `{"cost":${costText(extensions.cost)}}`);
  return `${text}}`;
}

/** The status of HTTP for what the execution came to. */
export function statusFor({ status, result }: Pick<Executed<ExecutionResult>, 'status' | 'result'>): number {
  if (status === 'timeout') return statusOf('TIMEOUT');
  if (result.data !== undefined) return 200;
  const tooLarge = result.errors?.[0]?.extensions['code'] === ('ANSWER_TOO_LARGE' satisfies ErrorCode);
  return tooLarge ? statusOf('ANSWER_TOO_LARGE') : 500;
}
