import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError } from '../graphql/kit/errors.js';
import type { Logger } from '../logger.js';
import { Outage } from '../outage.js';
import type { Dialect, Reply, RouteCall } from '../rest/route.js';
import { AnalysisFailed, CallerLeft } from './pool.js';
import { AnalysisRefused } from './refused.js';
import { acceptForms } from './upload.js';

/** What is still sent of a body that nobody reads is taken as long: browsers read no answer before. */
const DRAIN_MS = 30_000;

/** What the caller did or lacks, in the shape of FastAPI with the status as `code`. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }
}

/** A form or body that does not say what it has to. */
export class Invalid extends Error {
  constructor(
    readonly loc: readonly (string | number)[],
    readonly msg: string,
    readonly type: string,
  ) {
    super(msg);
  }
}

const Coded = z.object({ detail: z.string(), code: z.string() });
const Issues = z.object({
  detail: z.array(
    z.object({ loc: z.array(z.union([z.string(), z.int()])), msg: z.string(), type: z.string() }),
  ),
});

/** Refusals and failures as clients of FastAPI expect them. */
export const fastApi = (log: Logger): Dialect => ({
  // Who knows FastAPI can read it, and who knows our other routes.
  refuse: (error) => ({
    status: error.status,
    body: { errors: [error], ...coded(error.status, error.message) },
  }),
  methodNotAllowed: { detail: 'Method Not Allowed' },
  failure: z.union([Coded, Issues]),
  prepare: async (scope) => {
    await acceptForms(scope);
    scope.addHook('onRequest', (request, _reply, done) => done(encodingRefused(request)));
    // Another body is one without the fields that are asked for; read as far as any, so that it has an end.
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined));
    scope.setErrorHandler((error: FastifyError, _request, reply) => send(reply, replyOf(error, log)));
    scope.addHook('onResponse', (request, _reply, done) => {
      drain(request);
      done();
    });
  },
});

/** Answers a call; of what is thrown only an outage, and what a `code` of ours says, leaves it. */
export const answering =
  (log: Logger, handle: (call: RouteCall) => Promise<Reply> | Reply) =>
  async (call: RouteCall): Promise<Reply> => {
    try {
      return await handle(call);
    } catch (error) {
      if (error instanceof Outage || error instanceof ApiError) throw error;
      return replyOf(error as FastifyError, log);
    }
  };

function send(reply: FastifyReply, { status = 200, headers = {}, body }: Reply): FastifyReply {
  return reply.status(status).headers(headers).send(body);
}

function replyOf(error: FastifyError, log: Logger): Reply {
  if (error instanceof Invalid) {
    const { loc, msg, type } = error;
    return { status: 422, body: { detail: [{ loc, msg, type }] } };
  }
  if (error instanceof Refused) {
    const { status, detail, headers } = error;
    return { status, headers, body: coded(status, detail) };
  }
  if (error instanceof AnalysisRefused) return { status: 400, body: coded(400, error.message) };
  // Nobody reads this any more, and it is no fault of ours.
  if (error instanceof CallerLeft) return { status: 499, body: coded(499, 'The connection was closed') };
  // What Fastify finds wrong with a request.
  if ((error.statusCode ?? 500) < 500) {
    return {
      status: 422,
      body: { detail: [{ loc: ['body'], msg: 'The body cannot be read', type: 'value_error' }] },
    };
  }
  // Only the name of an error is logged: its message may hold something of the file.
  log.error('an analysis failed', new Error(error instanceof AnalysisFailed ? error.message : error.name));
  return { status: 500, body: coded(500, 'Analysis failed: the file could not be analysed') };
}

const coded = (status: number, detail: string): object => ({ detail, code: String(status) });

/** A form is read as it comes: unpacking it first would take a second bound, on what it comes to. */
function encodingRefused({ headers }: FastifyRequest): Refused | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return undefined;
  return new Refused(415, 'Send the body without Content-Encoding', {
    'accept-encoding': 'identity',
    // Otherwise what is not read would be waited for.
    connection: 'close',
  });
}

/** Takes what still comes of a body that nobody reads, for a while, so that the answer is seen. */
function drain({ raw }: FastifyRequest): void {
  if (raw.complete || raw.socket.destroyed) return;
  raw.unpipe();
  raw.resume();
  const timer = setTimeout(() => raw.socket.destroy(), DRAIN_MS).unref();
  raw.once('end', () => clearTimeout(timer));
}
