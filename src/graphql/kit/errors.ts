import { GraphQLError } from 'graphql';

/** Every code that an answer can carry in `errors[].extensions.code`, with status and sentence. */
export const ERRORS = {
  KEY_MISSING: [401, 'Send an API key: "Authorization: Bearer <key>" or "X-API-Key: <key>".'],
  KEY_MALFORMED: [401, 'This is not a valid API key. Check that you copied all of it.'],
  KEY_UNKNOWN: [401, 'This API key does not exist.'],
  KEY_REVOKED: [401, 'This API key has been revoked. Issue a new one.'],
  KEY_ROTATED: [401, 'This API key was rotated and its grace period has ended. Use the new secret.'],
  KEY_EXPIRED: [401, 'This API key has expired. Issue a new one.'],
  SESSION_MISSING: [401, 'Sign in first, then send the session token: "Authorization: Bearer <token>".'],
  SESSION_INVALID: [401, 'This session token is not valid.'],
  SESSION_EXPIRED: [401, 'This session has expired. Sign in again.'],
  SESSION_ENDED: [401, 'This session has ended. Sign in again.'],
  IDENTITY_NOT_LINKED: [
    401,
    'No user is linked to this token yet. First send a token in which the issuer states that the e-mail is verified, such as an ID token.',
  ],
  EMAIL_UNVERIFIED: [
    401,
    'Another user registered this e-mail and has not verified it. Verify it with the token from the registration mail, then try again.',
  ],
  OWN_SESSION_REQUIRED: [
    403,
    'Sessions of an OIDC issuer cannot do this. Sign in with e-mail and password. To end all sessions, use signOutEverywhere.',
  ],
  ACCOUNT_DELETED: [401, 'This account has been deleted.'],
  ACCOUNT_NOT_FOUND: [
    404,
    'You are not a member of an account with this id. List your accounts with `me.accounts`, or omit Tollgraph-Account.',
  ],
  TEAMS_NOT_IN_PLAN: [403, 'The plan of this account does not include teams, so only its owners can use it.'],
  HTTPS_REQUIRED: [403, 'Use https. Replace any credential that was sent over plain HTTP.'],
  SCOPE_MISSING: [403, 'This API key lacks the scope that this field requires.'],
  ENVIRONMENT_MISMATCH: [403, 'This API key belongs to the other environment (live or test).'],
  ROLE_MISSING: [403, 'Your role in this account does not allow this.'],
  OPERATOR_REQUIRED: [403, 'Only operators of the service may do this.'],
  RATE_LIMITED: [429, 'Too many requests. Try again after the number of seconds in Retry-After.'],
  QUOTA_EXCEEDED: [
    429,
    'The quota for this period is used up. It resets after the number of seconds in Retry-After.',
  ],
  QUERY_COST_EXCEEDED: [
    422,
    'This query can cost more points than the plan allows at once. Request fewer items, or split the query.',
  ],
  TRY_AGAIN: [
    503,
    'The service is temporarily unavailable. Nothing was billed. Try again; repeat a command with the same commandId.',
  ],
  STREAM_REQUIRED: [
    406,
    'Subscriptions need a stream. Send "Accept: text/event-stream", or use the graphql-transport-ws protocol.',
  ],
  TOO_MANY_CONNECTIONS: [
    429,
    'This account has reached its maximum of open connections. Close one and try again.',
  ],
  TOO_MANY_OPERATIONS: [
    429,
    'This connection has reached its maximum of running operations. Complete one and try again.',
  ],
  TIMEOUT: [504, 'The call timed out.'],
  INVALID_INPUT: [400, 'An argument is out of range.'],
  QUERY_TOO_LARGE: [400, 'The query is too large.'],
  BODY_TOO_LARGE: [413, 'The request body is too large.'],
  DOCUMENT_UNKNOWN: [400, 'No trusted document has this id. Send the query itself.'],
  REQUEST_MALFORMED: [400, 'The request is not valid HTTP/1.1.'],
  REQUEST_TIMEOUT: [408, 'The request did not arrive in time. Check its Content-Length.'],
  HEADERS_TOO_LARGE: [431, 'The headers and the address are too large: at most 16 KB.'],
  METHOD_NOT_ALLOWED: [405, 'This address does not support this method. See the header Allow.'],
  ENCODING_UNSUPPORTED: [415, 'Send the body uncompressed, or with "Content-Encoding: gzip".'],
  ANSWER_TOO_LARGE: [
    422,
    'The response is too large. Ask for fewer objects or shorter fields, or for one page at a time.',
  ],
  BODY_INVALID: [400, 'The request body is not valid JSON.'],
  SIGNATURE_INVALID: [
    400,
    'The signature is missing, is too old, or does not fit the body. Sign the raw bytes with the secret of this endpoint.',
  ],
  MEDIA_TYPE_UNSUPPORTED: [415, 'Send the request body as application/json.'],
  NOT_FOUND: [404, 'Nothing was found at this address.'],
  INTERNAL: [500, 'An internal error occurred. It was logged under the id in extensions.'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

/** The codes that Apollo Server and graphql-js answer with. */
export const APOLLO_ERRORS = {
  GRAPHQL_PARSE_FAILED: [400, 'The document is not valid GraphQL syntax.'],
  GRAPHQL_VALIDATION_FAILED: [400, 'The document is not valid against the schema.'],
  BAD_USER_INPUT: [400, 'A variable does not match its type.'],
  OPERATION_RESOLUTION_FAILURE: [400, 'The document has several operations, or none with the given name.'],
  BAD_REQUEST: [
    400,
    'This is not a valid GraphQL request over HTTP. 405: mutation or subscription by GET. 406: the client does not accept JSON.',
  ],
  PERSISTED_QUERY_NOT_SUPPORTED: [
    400,
    'Automatic persisted queries are not supported. Send the query itself, or the id of a trusted document.',
  ],
  GRAPHQL_EXECUTION_ERROR: [200, 'An argument does not match its type.'],
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
