import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Span, Tracing } from '../telemetry/tracing.js';

/** What balancers and Prometheus ask for every few seconds. */
const UNTRACED: ReadonlySet<string> = new Set(['/health', '/health/live', '/health/ready', '/metrics']);

/**
 * A span for each request, within the caller's trace where it sends a `traceparent`. Paths and addresses
 * are left out: anybody can put anything into a path, and an address is personal.
 */
export function traceRequests(fastify: FastifyInstance, tracing: Tracing): void {
  const spans = new WeakMap<FastifyRequest, Span>();
  fastify.addHook('onRequest', (request, { raw }, done) => {
    const { method, headers, protocol, routeOptions } = request;
    const route = routeOptions.url;
    // A WebSocket lasts; its operations have spans of their own.
    if ((route !== undefined && UNTRACED.has(route)) || headers.upgrade !== undefined) return done();
    const { traceparent } = headers;
    const span = tracing.begin({
      name: route === undefined ? method : `${method} ${route}`,
      kind: 'server',
      parent: typeof traceparent === 'string' ? traceparent : null,
      attributes: {
        'http.request.method': method,
        'url.scheme': protocol,
        'network.protocol.version': request.raw.httpVersion,
        ...(route !== undefined && { 'http.route': route }),
      },
    });
    spans.set(request, span);
    // Also where the caller is gone before the answer.
    raw.once('close', () => {
      if (!raw.writableFinished) return span.end('aborted');
      const status = raw.statusCode;
      span.set({ 'http.response.status_code': status });
      span.end(status >= 500 ? String(status) : undefined);
    });
    done();
  });
  // Behind the body: it is read in the context of the connection, not of the request.
  fastify.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span) span.within(done);
    else done();
  });
}
