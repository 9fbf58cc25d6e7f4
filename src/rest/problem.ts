import { STATUS_CODES } from 'node:http';
import type { ApiError } from '../graphql/kit/errors.js';
import type { Reply } from './route.js';

export const PROBLEM = 'application/problem+json';

/** A body as in RFC 9457: what went wrong, by its `code`, and more of it by the names of `extra`. */
export function problemBody(
  status: number,
  code: string,
  detail: string,
  extra: Readonly<Record<string, unknown>> = {},
): object {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code, ...extra };
}

/** An answer that says why there is none. */
export const problem = (
  status: number,
  code: string,
  detail: string,
  extra?: Readonly<Record<string, unknown>>,
): Reply => ({
  status,
  headers: { 'content-type': PROBLEM },
  body: problemBody(status, code, detail, extra),
});

/** What the gate or the server refuses. */
export const problemOf = (error: ApiError): { readonly status: number; readonly body: object } => {
  const { code: _, ...extra } = error.extensions;
  return { status: error.status, body: problemBody(error.status, error.code, error.message, extra) };
};
