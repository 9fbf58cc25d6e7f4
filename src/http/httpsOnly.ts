import type { FastifyInstance } from 'fastify';
import { ERRORS, statusOf } from '../graphql/kit/errors.js';
import type { Proxies } from './proxies.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered over plain HTTP too: for probes that come past the proxy. */
    plainHttp?: boolean;
  }
}

/** RFC 6797: a browser that was here once asks by https alone, for a year. Other hosts of the domain are not ours. */
const HSTS = `max-age=${365 * 24 * 3_600}`;

/**
 * Takes calls by https alone, as the trusted proxy tells; what it says nothing of counts as plain HTTP. A reader
 * is sent on to `publicUrl`, whatever host was asked for. Refused is what can't be sent on, and whatever carries a
 * credential, which has been read by all on the way: a redirect would hide that.
 * @param publicUrl an origin
 */
export function requireHttps(fastify: FastifyInstance, publicUrl: string, proxies: Proxies): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (proxies.clientOf(request.raw).secure) {
      reply.header('strict-transport-security', HSTS);
      return done();
    }
    if (request.routeOptions.config.plainHttp === true) return done();
    const { method, headers, url } = request;
    const reads = (method === 'GET' || method === 'HEAD') && headers.upgrade === undefined;
    if (reads && headers.authorization === undefined && headers['x-api-key'] === undefined) {
      // A request's target may be a whole URL (RFC 9112, section 3.2.2), of whatever host.
      return reply.redirect(`${publicUrl}${url.startsWith('/') ? url : '/'}`, 308);
    }
    // An upgrade has taken the socket from the server, which closes it no more.
    if (headers.upgrade !== undefined) reply.raw.once('finish', () => request.raw.socket.destroySoon());
    const code = 'HTTPS_REQUIRED';
    return reply
      .status(statusOf(code))
      .send({ errors: [{ message: ERRORS[code][1], extensions: { code } }] });
  });
}
