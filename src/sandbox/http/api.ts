import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Engine } from '../engine.js';
import { ApiError, invalid } from '../errors.js';
import type { Faults } from '../faults.js';
import { present } from '../present.js';
import type { Unit } from '../unit.js';
import { API_VERSION, sandboxId } from '../unit.js';
import { expand } from './expand.js';
import { parseForm } from './forms.js';
import { checkParameters } from './parameters.js';
import type { Handler, Routes } from './route.js';
import { renamed } from './versions.js';

/** How long an answer is kept for the same idempotency key, in seconds. */
export const KEPT_SECONDS = 24 * 3_600;

export interface ApiOptions {
  readonly engine: Engine;
  readonly routes: Routes;
  readonly apiKey: string;
  readonly faults: Faults;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly replayed?: boolean;
}

/** Stripe's v1 API on a server: authentication, forms, parameters, idempotency, errors. */
export function serveApi(fastify: FastifyInstance, { engine, routes, apiKey, faults }: ApiOptions): void {
  const inFlight = new Set<string>();

  for (const [route, handler] of Object.entries(routes)) {
    const [method = '', path = ''] = route.split(' ');
    let n = 0;
    fastify.route({
      method: method,
      url: path.replace(/\*/g, () => `:p${n++}`),
      handler: (request, reply) => answer(request, reply, route, handler),
    });
  }

  async function answer(request: FastifyRequest, reply: FastifyReply, route: string, handler: Handler) {
    const id = sandboxId('req');
    void reply.headers({
      'request-id': id,
      'stripe-version': API_VERSION,
      'content-type': 'application/json',
    });
    try {
      authenticate(request, apiKey);
      const key = request.method === 'POST' ? header(request, 'idempotency-key') : undefined;
      if (key !== undefined) void reply.header('idempotency-key', key);
      faults.before(request.method, request.url);
      const { status, body, replayed } = await call(request, route, handler, {
        id,
        idempotency_key: key ?? null,
      });
      faults.after(request.method, request.url);
      if (replayed) void reply.header('idempotent-replayed', 'true');
      return await reply.status(status).send(body);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return await reply.status(error.status).send(JSON.stringify(error.envelope));
    }
  }

  async function call(
    request: FastifyRequest,
    route: string,
    handler: Handler,
    info: { readonly id: string; readonly idempotency_key: string | null },
  ): Promise<Answer> {
    const query = request.url.split('?')[1] ?? '';
    const text = request.method === 'POST' ? ((request.body as string | undefined) ?? '') : query;
    const version = header(request, 'stripe-version');
    const params = checkParameters(route, renamed(route, parseForm(text), version));
    const ids = Object.values(request.params as Record<string, string>);
    const run = (unit: Unit): Answer => {
      const { expand: paths, ...rest } = params;
      const shown = expand(unit, present(handler(unit, rest, ...ids)), paths);
      return { status: 200, body: JSON.stringify(shown, undefined, 2) };
    };
    const key = info.idempotency_key;
    if (key === null) return engine.run(run, info);
    if (key.length > 255) throw invalid('Idempotency keys can be up to 255 characters long.');
    if (inFlight.has(key)) throw inUse(key);
    inFlight.add(key);
    try {
      const asked = createHash('sha256').update(`${request.url}\n${text}`).digest('base64');
      return await engine.run((unit) => once(unit, key, asked, run), info);
    } finally {
      inFlight.delete(key);
    }
  }
}

/** The answer that a key has had already, or a first one, which is stored with what it changes. */
function once(unit: Unit, key: string, asked: string, run: (unit: Unit) => Answer): Answer {
  const saved = unit.find('saved_answer', key);
  if (saved && saved.created > unit.now - KEPT_SECONDS) {
    if (saved.request !== asked) {
      throw new ApiError(400, {
        type: 'idempotency_error',
        message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      });
    }
    return { status: saved.status, body: saved.body, replayed: true };
  }
  const save = ({ status, body }: Answer): void => {
    unit.add('saved_answer', {
      id: key,
      object: 'saved_answer',
      created: unit.now,
      request: asked,
      status,
      body,
    });
  };
  try {
    const answer = run(unit);
    save(answer);
    return answer;
  } catch (error) {
    // What was refused before anything happened may be tried again with the same key.
    if (error instanceof ApiError && error.keepsChanges) {
      save({ status: error.status, body: JSON.stringify(error.envelope) });
    }
    throw error;
  }
}

const inUse = (key: string): ApiError =>
  new ApiError(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message: `There is currently another in-progress request using this Idempotent Key (${key}). Please try again later.`,
  });

/** As the SDK sends it; `curl -u <key>:` works as well. */
function authenticate(request: FastifyRequest, apiKey: string): void {
  const value = header(request, 'authorization') ?? '';
  const given = value.startsWith('Basic ')
    ? Buffer.from(value.slice(6), 'base64').toString().replace(/:$/, '')
    : value.replace(/^Bearer /, '');
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(given), digest(apiKey))) return;
  const message =
    given === ''
      ? 'You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth.'
      : 'Invalid API Key provided: it is not the one of this sandbox.';
  throw new ApiError(401, { type: 'invalid_request_error', message });
}

function header({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** What Stripe says of an address that it doesn't have; without `error` the SDK takes it for a success. */
export const unrecognized = (method: string, url: string): ApiError =>
  new ApiError(404, {
    type: 'invalid_request_error',
    message: `Unrecognized request URL (${method}: ${url.split('?')[0] ?? ''}). The sandbox has not every call of Stripe's.`,
  });
