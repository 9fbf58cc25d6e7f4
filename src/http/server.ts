import cors from '@fastify/cors';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Fastify from 'fastify';
import type { ErrorCode } from '../graphql/kit/errors.js';
import { ERRORS, statusOf } from '../graphql/kit/errors.js';
import { EVENT_STREAM } from '../graphql/transport/eventStream.js';
import type { Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import { EXPOSED_HEADERS } from '../usage/headers.js';
import { checkParameters } from './parameters.js';
import { requireHttps } from './httpsOnly.js';
import type { ProxyTrust } from './proxies.js';
import { Proxies } from './proxies.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of whoever calls, by what trusted proxies say; undefined when the connection has gone already. */
    readonly clientAddress: string | undefined;
  }
}

/** Of a request's body, in bytes. */
export const MAX_BODY_BYTES = 100 * 1024;

export interface HttpOptions {
  readonly trustProxy: ProxyTrust;
  /** The address that customers use, an origin: where it is https, nothing else is served. */
  readonly publicUrl: string;
  readonly corsOrigins: readonly string[];
  readonly log: Logger;
  readonly metrics: Metrics;
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BODY_INVALID',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BODY_INVALID',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BODY_INVALID',
  FST_ERR_BAD_URL: 'NOT_FOUND',
};

const CODES_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'BODY_INVALID',
  // A folder of the playground's files.
  403: 'NOT_FOUND',
};

/** How long a browser need not ask again what another origin may send: as long as Chromium keeps it. */
const PREFLIGHT_SECONDS = 7_200;

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
};

/** The HTTP server: every failure that it finds itself has the shape of a GraphQL error. */
export async function createHttpServer({
  trustProxy,
  publicUrl,
  corsOrigins,
  log,
  metrics,
}: HttpOptions): Promise<FastifyInstance> {
  const fastify = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    connectionTimeout: 30_000,
    requestTimeout: 15_000,
    // What reaches a server that closes is answered like everything else (gracefulStop.ts).
    return503OnClosing: false,
    // What Fastify refuses before it looks for a route.
    frameworkErrors: (error: FastifyError, _request: unknown, reply: FastifyReply) => {
      const code = CODES[error.code] ?? 'BODY_INVALID';
      void reply.status(statusOf(code)).send(body(code));
    },
  });

  const proxies = new Proxies(trustProxy);
  fastify.decorateRequest('clientAddress', {
    getter(this: FastifyRequest) {
      return proxies.clientOf(this.raw).address;
    },
  });

  fastify.setErrorHandler((error: FastifyError, _request, reply) => {
    const code: ErrorCode =
      CODES[error.code] ??
      CODES_BY_STATUS[error.statusCode ?? 500] ??
      (error instanceof SyntaxError ? 'BODY_INVALID' : 'INTERNAL');
    if (code === 'INTERNAL') log.error('a request failed', error);
    return reply.status(statusOf(code)).send(body(code));
  });
  checkParameters(fastify, (reply, error) => {
    void reply.status(error.status).send({ errors: [error] });
  });
  fastify.setNotFoundHandler((_request, reply) => reply.status(404).send(body('NOT_FOUND')));
  // All with callbacks: an asynchronous hook costs every answer a promise.
  fastify.addHook('onResponse', ({ method, routeOptions }, reply, done) => {
    // How long somebody listens says nothing of how fast we are.
    if (reply.getHeader('content-type') === EVENT_STREAM) return done();
    // The route and not the path, which anybody can make up.
    const route = routeOptions.url ?? '';
    metrics.requestSeconds.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    reply.headers(SECURITY_HEADERS);
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
      exposedHeaders: EXPOSED_HEADERS,
      // An OPTIONS without the headers of a preflight would be refused as plain text.
      strictPreflight: false,
      maxAge: PREFLIGHT_SECONDS,
    });
  }
  return fastify;
}

function body(code: ErrorCode): object {
  return { errors: [{ message: ERRORS[code][1], extensions: { code } }] };
}
