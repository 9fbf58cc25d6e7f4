import type { FastifyInstance } from 'fastify';
import { statusOf } from '../graphql/kit/errors.js';
import { readsBody } from './bodies.js';
import { errorBody } from './errorBody.js';

/** How a request's body may take its time, in milliseconds. */
export interface BodyTime {
  /** Without a byte. */
  readonly silence: number;
  /** From the head to the end of the body; Infinity where it goes by silence alone. */
  readonly whole: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    bodyTime?: BodyTime;
  }
}

/**
 * Answers 408 to a body that does not come, such as one that is shorter than its Content-Length says, and
 * closes. A route may have times of its own (`config.bodyTime`): a long upload ends on silence, not on length.
 */
export function refuseSlowBodies(fastify: FastifyInstance, otherwise: BodyTime): void {
  fastify.addHook('preParsing', (request, reply, payload, done) => {
    const { raw, routeOptions } = request;
    const announced =
      raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length']) > 0;
    // Nobody waits for a body that is not read: the route answers meanwhile, for as long as it likes.
    if (!announced || !readsBody(raw.method ?? '')) return done(null, payload);
    const { silence, whole } = routeOptions.config.bodyTime ?? otherwise;
    const { socket } = raw;
    const started = performance.now();
    let seen = socket.bytesRead;
    const look = (): void => {
      if (raw.complete || socket.destroyed || reply.sent || reply.raw.headersSent) return;
      const spent = performance.now() - started;
      if (socket.bytesRead > seen && spent < whole) {
        seen = socket.bytesRead;
        arm(spent);
        return;
      }
      reply.raw.once('finish', () => socket.destroySoon());
      void reply
        .status(statusOf('REQUEST_TIMEOUT'))
        .header('connection', 'close')
        .send(errorBody('REQUEST_TIMEOUT'));
    };
    const arm = (spent: number): void => {
      timer = setTimeout(look, Math.max(1, Math.min(silence, whole - spent))).unref();
    };
    let timer: NodeJS.Timeout;
    arm(0);
    raw.once('close', () => clearTimeout(timer));
    payload.once('end', () => clearTimeout(timer));
    done(null, payload);
  });
}
