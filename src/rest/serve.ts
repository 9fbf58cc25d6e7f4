import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Gate, GateCall, Outcome, Visitor } from '../gate/gate.js';
import { ApiError } from '../graphql/kit/errors.js';
import type { Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import { Outage } from '../outage.js';
import type { LimitState } from '../usage/limits/limiter.js';
import { refusedLimit } from '../usage/limits/limiter.js';
import { PROBLEM, problemOf } from './problem.js';
import type { Dialect, Reply, Route } from './route.js';

/** Names what prices a route: its own declaration. */
const PRICED_BY = 'route';

export interface RestOptions {
  readonly gate: Gate;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** The body of an answer that says why there is none; by default of the shape of a GraphQL error. */
  readonly refusalBody?: (error: ApiError) => object;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Serves routes behind the gate: credentials, access, guards, limits and their headers come from there. */
export function serveRoutes(fastify: FastifyInstance, routes: readonly Route[], options: RestOptions): void {
  for (const dialect of new Set(routes.map((route) => route.dialect))) {
    const spoken = routes.filter((route) => route.dialect === dialect);
    if (dialect) void fastify.register((scope) => serveDialect(scope, dialect, spoken, options));
    else for (const route of spoken) serve(fastify, route, options);
  }
}

/** Routes with parsers and hooks of their own: methods that they do not have are refused behind these, too. */
async function serveDialect(
  scope: FastifyInstance,
  dialect: Dialect,
  routes: readonly Route[],
  options: RestOptions,
): Promise<void> {
  await dialect.prepare(scope);
  for (const route of routes) serve(scope, route, options);
  for (const url of new Set(routes.map(({ path }) => path))) {
    const allowed = routes.filter(({ path }) => path === url).map(({ method }) => method);
    scope.route({
      method: METHODS.filter((method) => !allowed.includes(method)),
      url,
      handler: async (_request, reply) =>
        reply.status(405).header('allow', allowed.join(', ')).send(dialect.methodNotAllowed),
    });
  }
}

function serve(fastify: FastifyInstance, route: Route, options: RestOptions): void {
  const { method, path, bodyLimit, bodyTime, plainHttp, problems, dialect } = route;
  fastify.route({
    method,
    url: path,
    ...(bodyLimit !== undefined && { bodyLimit }),
    config: {
      ...(bodyTime && { bodyTime }),
      ...(plainHttp !== undefined && { plainHttp }),
      ...(problems && { refuse: problemOf, contentType: PROBLEM }),
      ...(dialect && { refuse: (error) => dialect.refuse(error) }),
    },
    handler: (request, reply) => answer(options, route, request, reply),
  });
}

async function answer(
  options: RestOptions,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { gate } = options;
  const admitted = gate.admit(request.headers, request.clientAddress, request.requestId);
  const visitor = calling(route, request, admitted instanceof Promise ? await admitted : admitted);
  const call = gateCallOf(route, visitor);
  let outcome: Outcome<Reply | ApiError>;
  try {
    outcome = await gate.run(visitor, call, async () => {
      const patternsRead = new Set<string>();
      const handled = await handle(route, request, reply, visitor, patternsRead);
      const failed = handled instanceof ApiError || (handled.status ?? 200) >= 400;
      const status = failed ? 'error' : 'ok';
      const { cost = null, repeated = false } = handled instanceof ApiError ? {} : handled;
      return { result: handled, status, patterns: [...patternsRead], actualCost: cost, repeated };
    });
  } catch (error) {
    return refuse(options, route, reply, visitor, failed(options, error), undefined, call);
  }
  if (outcome.kind === 'refused') {
    return refuse(options, route, reply, visitor, errorOf(outcome), outcome.states, call);
  }
  const { result, use } = outcome;
  if (result instanceof ApiError) return refuse(options, route, reply, visitor, result, use?.states, call);
  for (const [name, value] of await gate.headers(visitor, use?.states, call)) reply.header(name, value);
  return reply
    .status(result.status ?? 200)
    .headers(result.headers ?? {})
    .send(result.body);
}

/** Whoever calls with a link that says on whose account it is. */
function calling({ caller }: Route, { params, query }: FastifyRequest, visitor: Visitor): Visitor {
  if (!caller) return visitor;
  const { now } = visitor;
  return { ...visitor, caller: caller({ params, query, now } as Parameters<typeof caller>[0]) };
}

function gateCallOf(route: Route, { caller }: Visitor): GateCall {
  const { method, path, metering, access, cost, quantities, perMinute } = route;
  const { demo = metering === 'governed' && method === 'GET' } = route;
  const place = `${method} ${path}`;
  return {
    access: [typeof access === 'function' ? access(caller) : access],
    metering,
    anonymousCalls: metering === 'anonymous' ? [place] : [],
    ...(perMinute !== undefined && { anonymousPerMinute: perMinute }),
    demo,
    operation: null,
    rootFields: [],
    // Of the route and not of the path, which may name what nobody else is to know.
    endpoint: path,
    method,
    writes: method !== 'GET',
    ...(quantities && { quantities }),
    cost: { estimate: cost, version: PRICED_BY },
  };
}

/** What the route answers, and what it refuses: both are answers, and recorded alike. */
async function handle(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  { caller, now, usageTime }: Visitor,
  patternsRead: Set<string>,
): Promise<Reply | ApiError> {
  const { params, query, body, headers } = request;
  const key = headers['idempotency-key'];
  try {
    return await route.handle({
      caller,
      now,
      usageTime,
      params: params as Readonly<Record<string, string>>,
      query: query as Readonly<Record<string, unknown>>,
      body,
      patternsRead,
      idempotencyKey: typeof key === 'string' ? key : undefined,
      http: { request, reply },
    });
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

function errorOf({ code, retryAfterMs, limit }: Extract<Outcome<never>, { kind: 'refused' }>): ApiError {
  const retryAfter = retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new ApiError(code, undefined, {
    ...(limit && refusedLimit(limit)),
    ...(retryAfter !== undefined && { retryAfter }),
  });
}

function failed({ log }: RestOptions, error: unknown): ApiError {
  if (error instanceof Outage) {
    log.error('a call was refused for an outage', error);
    return new ApiError('TRY_AGAIN', undefined, { retryAfter: 1 });
  }
  log.error('a call failed', error);
  return new ApiError('INTERNAL');
}

async function refuse(
  { gate, metrics, refusalBody = graphqlShape }: RestOptions,
  { problems, dialect }: Route,
  reply: FastifyReply,
  visitor: Visitor,
  error: ApiError,
  states: readonly LimitState[] | undefined,
  call: GateCall,
): Promise<FastifyReply> {
  metrics.refused.inc({ code: error.code });
  for (const [name, value] of await gate.headers(visitor, states, call)) reply.header(name, value);
  const retryAfter = error.extensions['retryAfter'];
  if (typeof retryAfter === 'number') reply.header('retry-after', String(retryAfter));
  if (problems) return reply.status(error.status).type(PROBLEM).send(problemOf(error).body);
  return reply.status(error.status).send(dialect?.refuse(error).body ?? refusalBody(error));
}

const graphqlShape = (error: ApiError): object => ({ errors: [error] });
