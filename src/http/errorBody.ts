import type { ErrorCode } from '../graphql/kit/errors.js';
import { ERRORS } from '../graphql/kit/errors.js';

/** Headers of every answer. */
export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
};

/** What a request is answered that the server refuses itself: the shape of a GraphQL error. */
export function errorBody(code: ErrorCode, message: string = ERRORS[code][1]): object {
  return { errors: [{ message, extensions: { code } }] };
}
