import { GraphQLError } from 'graphql';

/** Every code that an answer can carry in `errors[].extensions.code`, with status and sentence. */
export const ERRORS = {
  KEY_MISSING: [401, 'Send an API key: "Authorization: Bearer <key>" or "X-API-Key: <key>".'],
  KEY_MALFORMED: [401, 'This is not an API key of ours: check that it was copied whole.'],
  KEY_UNKNOWN: [401, 'This API key does not exist.'],
  KEY_REVOKED: [401, 'This API key has been revoked. Issue a new one.'],
  KEY_ROTATED: [401, 'This API key has been replaced by a new one, and its grace period is over.'],
  KEY_EXPIRED: [401, 'This API key has expired. Issue a new one.'],
  SESSION_MISSING: [401, 'Sign in first: send the session token as "Authorization: Bearer <token>".'],
  SESSION_INVALID: [401, 'This session token is not valid.'],
  SESSION_EXPIRED: [401, 'This session has expired. Sign in again.'],
  SESSION_ENDED: [401, 'This session has ended. Sign in again.'],
  IDENTITY_NOT_LINKED: [
    401,
    'No user belongs to this token yet. Send a token once whose issuer says that the e-mail is verified, such as its ID token.',
  ],
  EMAIL_NOT_VERIFIED: [
    401,
    'A user has the e-mail of this token already and has not verified it. Verify it by the mail that came on registration, then send the token again.',
  ],
  OWN_SESSION_REQUIRED: [
    403,
    'This session belongs to the issuer of its token, where it is ended too. Here, use signOutEverywhere, or sign in with e-mail and password for this.',
  ],
  ACCOUNT_DELETED: [401, 'This account has been deleted.'],
  ACCOUNT_NOT_FOUND: [
    404,
    'You work in no account with this id: leave out Tollgraph-Account, or ask `me.accounts`.',
  ],
  TEAMS_NOT_IN_PLAN: [
    403,
    'The plan of this account has no teams at present: only its owners can work in it.',
  ],
  SCOPE_MISSING: [403, 'This API key does not have the scope that this field needs.'],
  ENVIRONMENT_MISMATCH: [403, 'This API key is of the other environment, live or test.'],
  ROLE_MISSING: [403, 'Your role in this account does not allow this.'],
  OPERATOR_REQUIRED: [403, 'This is for operators of the service.'],
  RATE_LIMITED: [429, 'Too many requests. Try again after the seconds in Retry-After.'],
  QUOTA_EXCEEDED: [
    429,
    'The quota of this period is used up. It is renewed after the seconds in Retry-After.',
  ],
  QUERY_COST_EXCEEDED: [
    422,
    'The query can cost more points than the plan ever allows at once. Ask for less, or in several queries.',
  ],
  TRY_AGAIN: [
    503,
    'The service cannot take this call at the moment. Nothing was billed; try again, a command under the same commandId.',
  ],
  STREAM_REQUIRED: [
    406,
    'A subscription is answered by a stream: send "Accept: text/event-stream", or use graphql-transport-ws.',
  ],
  TOO_MANY_CONNECTIONS: [429, 'This account has as many connections open as it may have. Close one first.'],
  TOO_MANY_OPERATIONS: [
    429,
    'This connection has as many operations under way as it may have. Complete one first.',
  ],
  TIMEOUT: [504, 'The call took too long and was given up.'],
  INVALID_INPUT: [400, 'An argument is out of its range.'],
  QUERY_TOO_LARGE: [400, 'The query is too large.'],
  BODY_TOO_LARGE: [413, 'The request body is too large.'],
  DOCUMENT_UNKNOWN: [400, 'There is no trusted document with this id. Send the query itself.'],
  BODY_INVALID: [400, 'The request body is not valid JSON.'],
  MEDIA_TYPE_UNSUPPORTED: [415, 'Send the request as application/json.'],
  NOT_FOUND: [404, 'There is nothing at this address.'],
  INTERNAL: [500, 'Something went wrong on our side. It has been logged under the id in extensions.'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

/** The codes that Apollo Server and graphql-js answer with. */
export const APOLLO_ERRORS = {
  GRAPHQL_PARSE_FAILED: [400, 'The document cannot be read: it is not GraphQL.'],
  GRAPHQL_VALIDATION_FAILED: [400, 'The document does not fit the schema.'],
  BAD_USER_INPUT: [400, 'A variable does not fit its type.'],
  OPERATION_RESOLUTION_FAILURE: [
    400,
    'The document has several operations, or none of the name that is given.',
  ],
  BAD_REQUEST: [
    400,
    'The request is not one of GraphQL over HTTP. 405 for a mutation or subscription by GET, 406 for a client that takes no JSON.',
  ],
  PERSISTED_QUERY_NOT_SUPPORTED: [
    400,
    'Queries are not kept by their hash on demand. Send the query itself, or the id of a trusted document.',
  ],
  GRAPHQL_EXECUTION_ERROR: [200, 'An argument does not fit its field.'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type ErrorCode = keyof typeof ERRORS;

export const statusOf = (code: ErrorCode): number => ERRORS[code][0];

/** An error that callers may see, with its public sentence or a more exact one. */
export class ApiError extends GraphQLError {
  constructor(
    readonly code: ErrorCode,
    message: string = ERRORS[code][1],
    extensions: Readonly<Record<string, unknown>> = {},
  ) {
    super(message, { extensions: { ...extensions, code } });
  }

  get status(): number {
    return statusOf(this.code);
  }
}

/** @throws ApiError INVALID_INPUT that names the argument */
export function invalidInput(field: string, message: string): ApiError {
  return new ApiError('INVALID_INPUT', message, { field });
}
