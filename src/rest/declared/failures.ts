import type { ErrorCode } from '../../graphql/kit/errors.js';
import { ERRORS } from '../../graphql/kit/errors.js';
import { isoTime } from '../../isoTime.js';
import type { LimitState } from '../../usage/limits/limiter.js';
import type { Failure } from './file.js';
import type { Issue } from './inputs.js';
import type { Known } from './known.js';
import { INTEGER, leaf, object, TEXT } from './known.js';
import type { JsonSchema } from './known.js';
import type { Names, Template } from './template.js';
import { compileTemplate, TemplateError } from './template.js';

/** Why a route has no answer. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  /** Of the input, where one is at fault. */
  readonly field?: string | undefined;
  /** Of a request that is not what the route asks for. */
  readonly issues?: readonly Issue[];
  /** The limit that is used up. */
  readonly limit?: LimitState | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** What the answer of GraphQL says of it. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Codes of this layer, beside those of GraphQL. */
export const ROUTE_CODES = {
  /** `Authorization` is there and is not `Bearer <credential>`. */
  AUTHORIZATION_MALFORMED: [401, ERRORS.KEY_MALFORMED[1]],
  /** A parameter or the body is not what the route asks for. */
  REQUEST_INVALID: [422, 'The request is not what this address asks for.'],
  /** No variant of the route is for this value. */
  ACTION_UNKNOWN: [400, 'This address does nothing of this name.'],
  /** The process is not ready. */
  NOT_READY: [503, 'The service is temporarily unavailable.'],
} as const satisfies Record<string, readonly [number, string]>;

export function refusalOf(code: ErrorCode | keyof typeof ROUTE_CODES, more: Partial<Refusal> = {}): Refusal {
  const [status, message] =
    code in ROUTE_CODES ? ROUTE_CODES[code as 'NOT_READY'] : ERRORS[code as ErrorCode];
  return { code, status, message, ...more };
}

/** What templates of failures may name, beside the request. */
export const FAILURE_NAMES: Readonly<Record<string, Known>> = {
  status: INTEGER,
  code: TEXT,
  message: TEXT,
  /** The caller's plan. */
  plan: TEXT,
  issues: leaf({
    type: 'array',
    items: {
      type: 'object',
      required: ['loc', 'msg', 'type'],
      properties: {
        loc: { type: 'array', items: { type: ['string', 'integer'] } },
        msg: { type: 'string' },
        type: { type: 'string' },
      },
    },
  }),
  limit: object({ amount: INTEGER, used: INTEGER, window: TEXT, meter: TEXT, resetAt: TEXT }, true),
  retryAfter: INTEGER,
  action: TEXT,
  actions: leaf({ type: 'array', items: { type: 'string' } }),
};

/** How a route says why it has no answer. */
export interface FailureTexts {
  tell(refusal: Refusal, facts: Readonly<Record<string, unknown>>): { status: number; body: unknown };
  /**
   * A status with the schema of its body.
   * @param otherwise the status of a code that is no error of its own
   */
  schemaOf(code: string, otherwise?: number): readonly [status: number, schema: JsonSchema];
}

interface Compiled {
  readonly status: number | undefined;
  readonly message: ((facts: Readonly<Record<string, unknown>>) => string | undefined) | undefined;
  readonly body: Template | undefined;
}

/**
 * @param codes those of the file, then those of the route: the later one stands
 * @param body of every failure
 * @param details what the document asks of refusals
 * @param request names of its parts: they are as they were sent
 * @throws TemplateError
 */
export function compileFailures(
  body: { readonly template: unknown; readonly path: readonly PropertyKey[] },
  codes: readonly {
    readonly failures: Readonly<Record<string, Failure>>;
    readonly path: readonly PropertyKey[];
  }[],
  details: Known,
  request: Names = {},
): FailureTexts {
  const names = { ...FAILURE_NAMES, ...request, refusal: details };
  const whole = compileTemplate(body.template, names, body.path);
  const table = new Map<string, Compiled>();
  for (const { failures, path } of codes) {
    for (const [code, failure] of Object.entries(failures)) {
      const at = [...path, code];
      const { status, message } = failure;
      table.set(code, {
        status,
        message: message === undefined ? undefined : compileText(message, names, [...at, 'message']),
        body: 'body' in failure ? compileTemplate(failure.body, names, [...at, 'body']) : undefined,
      });
    }
  }
  const find = ({ code, field, limit, issues }: Omit<Refusal, 'message' | 'status'>): Compiled | undefined =>
    table.get(`${code}.${field ?? limit?.limit.meter}`) ??
    table.get(code) ??
    (issues ? table.get('REQUEST_INVALID') : undefined);
  return {
    tell: (refusal, facts) => {
      const said = find(refusal);
      const status = said?.status ?? refusal.status;
      const { limit, issues = [] } = refusal;
      const scope = {
        ...facts,
        status,
        code: refusal.code,
        issues,
        limit: limit && {
          ...limit.limit,
          used: limit.usedExactly ?? limit.used,
          resetAt: Number.isFinite(limit.resetAt) ? isoTime(Math.ceil(limit.resetAt / 1000) * 1000) : null,
        },
        retryAfter: refusal.retryAfterSeconds ?? null,
        refusal: refusal.details ?? {},
      };
      const message = said?.message?.(scope) ?? refusal.message;
      return { status, body: (said?.body ?? whole).fill({ ...scope, message }) };
    },
    schemaOf: (code, otherwise = 400) => {
      const said = table.get(code);
      const known = code in ROUTE_CODES ? ROUTE_CODES[code as 'NOT_READY'] : ERRORS[code as ErrorCode];
      return [said?.status ?? known?.[0] ?? otherwise, (said?.body ?? whole).schema];
    },
  };
}

/** `{name}` stands for a value, `{limit.amount}` for a part of one; without the value there is no such text. */
function compileText(
  text: string,
  names: Readonly<Record<string, Known>>,
  path: readonly PropertyKey[],
): (facts: Readonly<Record<string, unknown>>) => string | undefined {
  const pieces = text.split(/\{([^}]*)\}/).map((piece, index) => {
    if (index % 2 === 0) return () => piece;
    if (!/^[a-zA-Z.]+$/.test(piece)) throw new TemplateError(path, `{${piece}} is no name`);
    const value = compileTemplate(`$${piece}`, names, path);
    return (facts: Readonly<Record<string, unknown>>) => {
      const said = value.fill(facts);
      return ['string', 'number', 'bigint'].includes(typeof said) ? String(said) : null;
    };
  });
  return (facts) => {
    const said = pieces.map((piece) => piece(facts));
    return said.includes(null) ? undefined : said.join('');
  };
}
