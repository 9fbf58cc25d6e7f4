import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Fastify from 'fastify';
import type { ErrorCode } from '../graphql/kit/errors.js';
import { ApiError, statusOf } from '../graphql/kit/errors.js';
import { EVENT_STREAM } from '../graphql/transport/eventStream.js';
import type { Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import { EXPOSED_HEADERS } from '../usage/limits/headers.js';
import type { RequestIds } from '../usage/requestId.js';
import { RequestId } from '../usage/requestId.js';
import { checkParameters } from './parameters.js';
import { requireHttps } from './httpsOnly.js';
import type { ProxyTrust } from './proxies.js';
import { Proxies } from './proxies.js';
import { readGzip } from './encodings.js';
import { errorBody, SECURITY_HEADERS } from './errorBody.js';
import { answerParserError } from './parserErrors.js';
import type { BodyTime } from './slowBodies.js';
import { refuseSlowBodies } from './slowBodies.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What this route says of a request that the server refuses itself; by default in the shape of GraphQL. */
    readonly refuse?: (error: ApiError) => { readonly status: number; readonly body: unknown };
    /** Of that. */
    readonly contentType?: string;
  }
  interface FastifyRequest {
    /** Of whoever calls, by what trusted proxies say; undefined where nobody knows (`Client.address`). */
    readonly clientAddress: string | undefined;
    /** Names it in the header `X-Request-Id` of its answer. */
    readonly requestId: RequestId;
    /** The same, once somebody has asked for it. */
    ownId?: RequestId;
  }
}

/** Of a parameter in a path, in characters; with more there is no such address. */
const MAX_PARAMETER = 200;

/** Of a request's body, in bytes. */
export const MAX_BODY_BYTES = 100 * 1024;

const REQUEST_ID = 'x-request-id';

/** The answer at an address that there is not. */
export interface NotFound {
  readonly status: number;
  readonly body: object;
}

export interface HttpOptions {
  readonly trustProxy: ProxyTrust;
  /** The address that customers use, an origin: where it is https, nothing else is served. */
  readonly publicUrl: string;
  readonly corsOrigins: readonly string[];
  /** What pages of other origins may read of an answer, beside the headers that all products have. */
  readonly exposedHeaders?: readonly string[];
  /** What is said of an address that there is not; by default in the shape of GraphQL. */
  readonly notFound?: (request: FastifyRequest) => NotFound | undefined | Promise<NotFound | undefined>;
  /** Names requests; by default any name will do. */
  readonly requestIds?: RequestIds;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** How long the head of a request may take, and how long its body, where the route says nothing else. */
  readonly times?: { readonly headMs: number; readonly body: BodyTime };
}

const TIMES = { headMs: 15_000, body: { silence: 15_000, whole: 15_000 } };
/** How often Node looks for heads that take too long. */
const CHECK_MS = 1_000;

const CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BODY_INVALID',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BODY_INVALID',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BODY_INVALID',
  FST_ERR_BAD_URL: 'NOT_FOUND',
  FST_ERR_MAX_PARAM_LENGTH: 'NOT_FOUND',
};

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const CODES_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'BODY_INVALID',
  // A folder of the playground's files.
  403: 'NOT_FOUND',
};

/** How long a browser need not ask again what another origin may send: as long as Chromium keeps it. */
const PREFLIGHT_SECONDS = 7_200;

/** The HTTP server: every failure that it finds itself has the shape of a GraphQL error. */
export async function createHttpServer({
  trustProxy,
  publicUrl,
  corsOrigins,
  exposedHeaders = [],
  notFound = () => undefined,
  requestIds = (given) => RequestId.of(given, randomUUID),
  log,
  metrics,
  times = TIMES,
}: HttpOptions): Promise<FastifyInstance> {
  const tellNotFound = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { status, body } = (await notFound(request)) ?? { status: statusOf('NOT_FOUND'), body: {} };
    return reply.status(status).send({ ...errorBody('NOT_FOUND'), ...body });
  };
  const fastify = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: MAX_PARAMETER },
    connectionTimeout: 30_000,
    http: {
      headersTimeout: times.headMs,
      // Of bodies each route has its own.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(CHECK_MS, times.headMs),
    },
    requestTimeout: 0,
    clientErrorHandler: (error, socket) => answerParserError(error, socket, requestIds(undefined)),
    // What reaches a server that closes is answered like everything else (gracefulStop.ts).
    return503OnClosing: false,
    // What Fastify refuses before it looks for a route.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      const code = CODES[error.code] ?? 'BODY_INVALID';
      const plain = (): void => void reply.status(statusOf(code)).send(errorBody(code));
      // A part of the path is longer than any name.
      if (code === 'NOT_FOUND') tellNotFound(request, reply).catch(plain);
      else plain();
    },
  });
  refuseSlowBodies(fastify, times.body);
  readGzip(fastify);

  const proxies = new Proxies(trustProxy);
  fastify.decorateRequest('clientAddress', {
    getter(this: FastifyRequest) {
      return proxies.clientOf(this.raw).address;
    },
  });

  fastify.decorateRequest('ownId');
  fastify.decorateRequest('requestId', {
    getter(this: FastifyRequest) {
      return (this.ownId ??= requestIds(this.raw.headers[REQUEST_ID]));
    },
  });

  fastify.setErrorHandler((error: FastifyError, request, reply) => {
    const code: ErrorCode =
      CODES[error.code] ??
      CODES_BY_STATUS[error.statusCode ?? 500] ??
      (error instanceof SyntaxError ? 'BODY_INVALID' : 'INTERNAL');
    if (code === 'INTERNAL') log.error('a request failed', error, { id: request.requestId.text });
    return refuse(request, reply, new ApiError(code));
  });
  fastify.setNotFoundHandler(async (request, reply) => {
    const { url } = request;
    const path = url.replace(/[?#].*$/s, '');
    const allowed = METHODS.filter((method) => fastify.hasRoute({ method, url: path }));
    if (allowed.length === 0) return tellNotFound(request, reply);
    const code = 'METHOD_NOT_ALLOWED';
    return reply.status(statusOf(code)).header('allow', allowed.join(', ')).send(errorBody(code));
  });
  checkParameters(fastify, (...refused) => void refuse(...refused));
  // All with callbacks: an asynchronous hook costs every answer a promise.
  fastify.addHook('onResponse', ({ method, routeOptions }, reply, done) => {
    // How long somebody listens says nothing of how fast we are.
    if (reply.getHeader('content-type') === EVENT_STREAM) return done();
    // The route and not the path, which anybody can make up.
    const route = routeOptions.url ?? '';
    metrics.requestSeconds.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    reply.headers(SECURITY_HEADERS);
    reply.header(REQUEST_ID, request.requestId.text);
    // A cache in between knows addresses and not keys: it would give one account's answer to another.
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    // A 401 says how to sign in (RFC 9110, section 15.5.2); browsers ask nobody for a token.
    if (reply.statusCode === 401) reply.header('www-authenticate', 'Bearer');
    done(null, payload);
  });
  if (publicUrl.startsWith('https:')) requireHttps(fastify, publicUrl, proxies);
  if (corsOrigins.length > 0) {
    await fastify.register(cors, {
      origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
      exposedHeaders: [...EXPOSED_HEADERS, ...exposedHeaders],
      // An OPTIONS without the headers of a preflight would be refused as plain text.
      strictPreflight: false,
      maxAge: PREFLIGHT_SECONDS,
    });
  }
  return fastify;
}

/** Refuses a request in the shape that its route promises. */
function refuse({ routeOptions }: FastifyRequest, reply: FastifyReply, error: ApiError): FastifyReply {
  const { status, body } = routeOptions.config.refuse?.(error) ?? {
    status: error.status,
    body: { errors: [error] },
  };
  const { contentType } = routeOptions.config;
  if (contentType !== undefined) reply.type(contentType);
  return reply.status(status).send(body);
}
