import type { Decline } from './rules/cards.js';

interface ErrorBody {
  readonly type: 'invalid_request_error' | 'card_error' | 'idempotency_error' | 'api_error';
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
  readonly [more: string]: unknown;
}

/** What Stripe's API answers instead of an object. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly body: ErrorBody,
    /** A charge was tried and failed: what was changed on the way stands. */
    readonly keepsChanges = false,
  ) {
    super(body.message);
    this.name = 'ApiError';
  }

  /** The envelope, without which the SDK takes a failure for a success. */
  get envelope(): { error: ErrorBody } {
    const { code } = this.body;
    const doc =
      code === undefined ? {} : { doc_url: `https://stripe.com/docs/error-codes/${code.replace(/_/g, '-')}` };
    return { error: { ...this.body, ...doc } };
  }
}

/** 400: more than one payment can be. */
export const tooLarge = (param = 'amount'): ApiError =>
  invalid('Amount must be no more than $999,999.99', param, 'amount_too_large');

/** 400: the request is wrong. */
export const invalid = (message: string, param?: string, code?: string): ApiError =>
  new ApiError(400, {
    type: 'invalid_request_error',
    message,
    ...(code !== undefined && { code }),
    ...(param !== undefined && { param }),
  });

/** There is no such object: 404 where the path names it, 400 where a parameter does. */
export const missing = (what: string, id: string, param = 'id'): ApiError =>
  new ApiError(param === 'id' ? 404 : 400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${what}: '${id}'`,
    param,
  });

/** 402: the card was not charged. */
export const cardError = (decline: Decline, more: Record<string, unknown> = {}): ApiError =>
  new ApiError(402, { type: 'card_error', ...decline, ...more }, true);
