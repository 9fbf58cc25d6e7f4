import { randomUUID } from 'node:crypto';
import type { ApolloServerPlugin, GraphQLRequestContext, GraphQLResponse } from '@apollo/server';
import { HeaderMap } from '@apollo/server';
import type {
  ExecutionResult,
  FormattedExecutionResult,
  GraphQLFormattedError,
  GraphQLSchema,
} from 'graphql';
import { createSourceEventStream, execute as executeDocument, GraphQLError } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import type { Logger } from '../logger.js';
import type { PlanDirectory } from '../plans/directory.js';
import type { Metrics } from '../metrics.js';
import type { Governor, Executed, Governed } from '../usage/govern.js';
import type { Guard } from '../usage/guard.js';
import type { Tracing } from '../telemetry/tracing.js';
import { rateLimitHeaders } from '../usage/headers.js';
import type { LimitState } from '../usage/limiter.js';
import type { Standing } from '../usage/standing.js';
import { Outage } from '../outage.js';
import type { AddressGuard } from './addressGuard.js';
import { addHeaders } from './answerHeaders.js';
import type { Caller, RequestContext } from './context.js';
import { environmentOf } from './context.js';
import type { Cost } from './cost/formula.js';
import type { CostExtension, CostMode } from './cost/report.js';
import { costExtension, costModeOf } from './cost/report.js';
import type { ErrorCode } from './errors.js';
import { ApiError, ERRORS, statusOf } from './errors.js';
import { Executor } from './executor.js';
import type { PreparedOperation, Run } from './executor.js';
import { checkVariables } from './limits.js';
import type { OperationShape } from './metering.js';
import { SubscriptionEvents } from './subscriptions.js';

/** A call that is still running then is given up; it is billed, for its work was done. */
const TIMEOUT_MS = 10_000;

/** Cost points that a call may come to: whatever the plan allows, and where no points are taken. */
const MAX_COST = { governed: 100_000, other: 5_000 } as const;

export interface GovernanceOptions {
  readonly schema: GraphQLSchema;
  readonly governor: Governor;
  readonly standing: Standing;
  readonly guard: Guard;
  readonly addressGuard: AddressGuard;
  readonly plans: PlanDirectory;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly tracing?: Tracing | undefined;
}

type Request = GraphQLRequestContext<RequestContext>;

/**
 * Who may call, and what it costs. It works in `responseForOperation`, the one hook of Apollo that runs
 * alone and may answer itself: a refusal there is an ordinary answer, and the execution is ours, so
 * that nothing leaves before it is recorded.
 */
export function governance(options: GovernanceOptions): ApolloServerPlugin<RequestContext> {
  const executor = new Executor(options.schema);
  return {
    requestDidStart: async () => ({
      responseForOperation: async (request) => {
        // No operation of the given name: Apollo says so.
        if (!request.operation) return null;
        const { plans, standing } = options;
        const finished = (response: GraphQLResponse) =>
          addHeaders(response, request.contextValue, plans.profile.headers, standing);
        try {
          const answered = await (options.tracing
            ? traced(options.tracing, request, () => answer(options, executor, request))
            : answer(options, executor, request));
          return await finished(answered);
        } catch (error) {
          return finished(failed(options, request, error));
        }
      },
    }),
  };
}

/** The operation's name and type, never its text. */
function traced(
  tracing: Tracing,
  { operation }: Request,
  work: () => Promise<GraphQLResponse>,
): Promise<GraphQLResponse> {
  const type = operation?.operation ?? 'query';
  const name = operation?.name?.value;
  return tracing.run(
    {
      name: type,
      kind: 'server',
      attributes: {
        'graphql.operation.type': type,
        ...(name !== undefined && { 'graphql.operation.name': name }),
      },
    },
    work,
    ({ body }) => {
      const errors = body.kind === 'single' ? (body.singleResult.errors ?? []) : [];
      return errors.map(({ extensions }) => String(extensions?.['code'])).find((code) => OURS.has(code));
    },
  );
}

/** Failures that are ours and not the caller's. */
const OURS: ReadonlySet<string> = new Set(['INTERNAL', 'TRY_AGAIN', 'TIMEOUT']);

/** An operation that may be executed. */
interface Call {
  readonly request: Request;
  readonly prepared: PreparedOperation;
  readonly cost: Cost;
  readonly mode: CostMode | 'none';
  readonly variables: {
    readonly given: Readonly<Record<string, unknown>>;
    readonly coerced: Readonly<Record<string, unknown>>;
  };
}

async function answer(
  options: GovernanceOptions,
  executor: Executor,
  request: Request,
): Promise<GraphQLResponse> {
  const { schema, metrics, log } = options;
  const { contextValue: context, document, operation, queryHash, operationName } = request;
  if (!document || !operation) throw new Error('an operation without a document');
  const prepared = executor.prepare(`${queryHash} ${operationName ?? ''}`, document, operation);
  const { metering, kind } = prepared.shape;

  const unfit = refusalOf(context.caller, metering);
  if (unfit) return refusal(metrics, unfit);

  // Variables that don't fit are refused before anything is taken.
  const given = request.request.variables ?? {};
  const variables = getVariableValues(schema, operation.variableDefinitions ?? [], given, { maxErrors: 20 });
  if (variables.errors) {
    const errors = variables.errors.map((error) => publicError(log, error, 'BAD_USER_INPUT'));
    return response({ errors }, 400);
  }
  const { coerced } = variables;
  const refused = checkVariables(coerced);
  if (refused) return refusal(metrics, refused.code, [], refused.message);

  const mode = costModeOf(request.request.http?.headers.get('graphql-cost'));
  if (mode === undefined) {
    return refusal(metrics, 'INVALID_INPUT', [], 'The header GraphQL-Cost is "report" or "validate".');
  }
  const cost = prepared.cost.of(coerced);
  if (cost instanceof ApiError) return refusal(metrics, cost.code, [], cost.message, cost.extensions);
  const most = MAX_COST[metering === 'governed' ? 'governed' : 'other'];
  if (cost.estimate > most) {
    const message = `The query can cost ${cost.estimate} points; a call may cost at most ${most}. Ask for less.`;
    return refusal(metrics, 'QUERY_COST_EXCEEDED', [], message, { requestedQueryCost: cost.estimate, most });
  }
  const call: Call = { request, prepared, cost, mode, variables: { given, coerced } };

  // What is only reckoned takes nothing, and is guarded like all that is free.
  if (metering !== 'governed' || mode === 'validate') {
    const wait = await waitOf(options, prepared.shape, context, mode);
    if (wait > 0) {
      return refusal(metrics, 'RATE_LIMITED', [['retry-after', String(Math.ceil(wait / 1000))]]);
    }
  }
  if (mode === 'validate') return reckon(options, call);
  if (kind === 'subscription') return subscribe(options, call);
  return charge(options, call, context, () => execute(options, call, context, prepared.run));
}

/** Why this caller may not call what is metered so, if he may not. */
function refusalOf(caller: Caller, metering: OperationShape['metering']): ErrorCode | undefined {
  if (caller.kind === 'refused') return caller.code;
  if (metering === 'governed' && caller.kind !== 'key') return 'KEY_MISSING';
  if (metering === 'guarded' && caller.kind === 'anonymous') return 'SESSION_MISSING';
  return undefined;
}

/** Milliseconds to wait until the guard of what takes nothing of a plan lets it pass; 0 when it does. */
async function waitOf(
  { guard, addressGuard }: GovernanceOptions,
  { metering, rootCalls }: OperationShape,
  { caller, address, now }: RequestContext,
  mode: Call['mode'],
): Promise<number> {
  if (metering === 'anonymous' && mode !== 'validate') {
    for (const field of rootCalls) if (!(await addressGuard.passes(address ?? '', field))) return 60_000;
    return 0;
  }
  return guard.take('accountId' in caller ? `account ${caller.accountId}` : `address ${address}`, now);
}

/** Says what a call would cost. */
async function reckon({ standing }: GovernanceOptions, call: Call): Promise<GraphQLResponse> {
  const { contextValue: context } = call.request;
  const { caller, now } = context;
  const states =
    'accountId' in caller ? await standing.of(caller.accountId, environmentOf(context), now) : [];
  return response({ data: null, extensions: { cost: shown(call, null, states) } }, 200);
}

/**
 * Executes a call, or an event of a subscription: what is governed against the plan, all else as it is.
 * @throws Outage: nothing was billed
 */
async function charge(
  { governor, plans, metrics }: GovernanceOptions,
  call: Call,
  { caller, now, address }: RequestContext,
  run: () => Promise<Executed<ExecutionResult>>,
): Promise<GraphQLResponse> {
  const { request, prepared, cost, mode } = call;
  const { kind, metering, rootFields } = prepared.shape;
  if (metering !== 'governed') {
    const executed = await run();
    // Nothing was taken: what it would have cost is said to who asks.
    const reported = mode === 'report' && { extensions: { cost: shown(call, executed.actualCost, []) } };
    return response({ ...executed.result, ...reported }, statusFor(executed));
  }
  if (caller.kind !== 'key') throw new Error('a governed call without a key');
  if (!caller.key.scopes.includes('read')) return refusal(metrics, 'SCOPE_MISSING');
  const governed = await governor.run(
    {
      key: caller.key,
      plan: plans.planOf(caller.accountId),
      now,
      operation: request.operation?.name?.value ?? null,
      rootFields,
      endpoint: '/graphql',
      method: request.request.http?.method ?? 'WEBSOCKET',
      address,
      writes: kind === 'mutation',
      cost: { estimate: cost.estimate, version: prepared.cost.version },
    },
    run,
  );
  const headers = rateLimitHeaders(governed.states, plans.profile.headers, governed.at);
  if (governed.kind === 'answered') {
    metrics.governed.inc();
    const spent = governed.cost?.spent ?? 0;
    metrics.costPoints.inc(spent);
    const extensions = { cost: shown(call, spent, governed.states) };
    return response(
      { ...governed.result, extensions },
      governed.result.data === undefined ? 500 : 200,
      headers,
    );
  }
  return limitRefusal(metrics, governed, headers, shown(call, null, governed.states));
}

/** Begins a subscription. Each event goes the way of a call: asked who, charged, recorded, delivered. */
async function subscribe(options: GovernanceOptions, call: Call): Promise<GraphQLResponse> {
  const { schema, metrics, log } = options;
  const { request, prepared, variables } = call;
  const { contextValue, document, operationName } = request;
  const { subscriber } = contextValue;
  if (!subscriber) return refusal(metrics, 'STREAM_REQUIRED');
  if (!document) throw new Error('an operation without a document');
  const args = { schema, document, operationName, variableValues: variables.given };
  const source = await createSourceEventStream({ ...args, contextValue });
  if (!(Symbol.asyncIterator in source)) {
    const errors = source.errors?.map((error) => publicError(log, error));
    return response({ errors }, 500);
  }
  const answerTo = async (rootValue: unknown): Promise<GraphQLResponse> => {
    const context = await subscriber.context();
    const unfit = refusalOf(context.caller, prepared.shape.metering);
    if (unfit) return refusal(metrics, unfit);
    const run: Run = () => executeDocument({ ...args, rootValue, contextValue: context });
    return charge(options, call, context, () => execute(options, call, context, run));
  };
  subscriber.deliver(
    new SubscriptionEvents({
      source: source[Symbol.asyncIterator](),
      answer: async (payload) => resultOf(await answerTo(payload)),
      failed: (error) => resultOf(failed(options, request, error)),
      metrics,
    }),
  );
  return response({ data: null }, 200);
}

/** What an answer says of its cost. */
function shown(
  { prepared, cost, mode }: Call,
  actual: number | null,
  states: readonly LimitState[],
): CostExtension {
  const priced = { requested: cost.estimate, actual, version: prepared.cost.version };
  return costExtension(priced, states, breakdown(cost, mode));
}

/** The points by field, for who asks. */
const breakdown = (cost: Cost, mode: CostMode | 'none') => (mode === 'none' ? undefined : cost.fields());

/** @throws Outage when that is why there is no result */
async function execute(
  { log, metrics }: GovernanceOptions,
  { prepared, cost, variables }: Call,
  context: RequestContext,
  run: Run,
): Promise<Executed<ExecutionResult>> {
  const running = run(context, variables.given, variables.coerced);
  const outcome = running instanceof Promise ? await withTimeout(running) : running;
  if (outcome === 'timeout') {
    const errors = [publicError(log, new ApiError('TIMEOUT'))];
    return { result: { errors } as never, status: 'timeout', patterns: [], actualCost: null };
  }
  const patterns = [...context.patternsRead];
  const actualCost = cost.actual(outcome.data);
  if (actualCost > cost.estimate) {
    // A list did not keep its bound. Nobody pays for more than they were told.
    metrics.costOverruns.inc();
    const { rootFields } = prepared.shape;
    log.warn('an answer cost more than its estimate', { rootFields, actualCost, estimate: cost.estimate });
  }
  if (!outcome.errors) return { result: outcome, status: 'ok', patterns, actualCost };
  const outage = outcome.errors.find(({ originalError }) => originalError instanceof Outage);
  if (outage && !hasChanged(prepared, outcome)) throw outage.originalError as Outage;
  let internal = false;
  const errors = outcome.errors.map((error) => {
    const shown = publicError(log, error);
    internal ||= shown.extensions?.['code'] === 'INTERNAL';
    return shown;
  });
  return {
    result: { ...outcome, errors: errors as never },
    status: internal ? 'error' : 'ok',
    patterns,
    actualCost,
  };
}

/** A mutation of which a part was done: its results are shown once, so they are not withheld. */
function hasChanged({ shape }: PreparedOperation, { data }: ExecutionResult): boolean {
  return shape.kind === 'mutation' && Object.values(data ?? {}).some((value) => value !== null);
}

async function withTimeout(running: Promise<ExecutionResult>): Promise<ExecutionResult | 'timeout'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), TIMEOUT_MS);
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}

function statusFor({ status, result }: Executed<ExecutionResult>): number {
  if (status === 'timeout') return statusOf('TIMEOUT');
  return result.data === undefined ? 500 : 200;
}

/** An error as callers see it: known ones as they are, everything else without its inside. */
export function publicError(log: Logger, error: GraphQLError, code?: string): GraphQLFormattedError {
  const { path, locations } = error;
  const place = { ...(locations && { locations }), ...(path && { path }) };
  const original = error.originalError ?? error;
  const coded = (original as { extensions?: { code?: string } }).extensions?.code ?? code;
  // Without a code and without a place in the document it is about a resolver's value, not the request.
  if (original instanceof GraphQLError && (coded ?? original.nodes)) {
    const known = coded ?? 'GRAPHQL_EXECUTION_ERROR';
    return { message: error.message, ...place, extensions: { ...original.extensions, code: known } };
  }
  if (original instanceof Outage) {
    log.error('a call met an outage', original);
    return { message: ERRORS.TRY_AGAIN[1], ...place, extensions: { code: 'TRY_AGAIN' } };
  }
  const id = randomUUID();
  log.error('a resolver failed', original, { id });
  return { message: ERRORS.INTERNAL[1], ...place, extensions: { code: 'INTERNAL', id } };
}

function failed({ log, metrics }: GovernanceOptions, request: Request, error: unknown): GraphQLResponse {
  if (error instanceof Outage) {
    log.error('a call was refused for an outage', error, { id: request.contextValue.correlationId });
    return refusal(metrics, 'TRY_AGAIN', [['retry-after', '1']]);
  }
  log.error('a call failed', error, { id: request.contextValue.correlationId });
  return refusal(metrics, 'INTERNAL');
}

function refusal(
  metrics: Metrics,
  code: ErrorCode,
  headers: readonly (readonly [string, string])[] = [],
  message: string = ERRORS[code][1],
  details: Readonly<Record<string, unknown>> = {},
  extensions?: Readonly<Record<string, unknown>>,
): GraphQLResponse {
  metrics.refused.inc({ code });
  const errors = [{ message, extensions: { ...details, code } }];
  return response({ errors, extensions }, statusOf(code), headers);
}

function limitRefusal(
  metrics: Metrics,
  { code, limit, retryAfterMs }: Extract<Governed<never>, { kind: 'refused' }>,
  headers: readonly (readonly [string, string])[],
  cost: CostExtension,
): GraphQLResponse {
  const { id, amount, window } = limit.limit;
  const standing = { limit: id, amount, window, used: limit.used };
  const message = ERRORS[code][1];
  const extensions = { cost };
  if (retryAfterMs === undefined) {
    return refusal(metrics, code, headers, message, standing, extensions);
  }
  const retryAfter = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const timed = [...headers, ['retry-after', String(retryAfter)] as const];
  return refusal(metrics, code, timed, message, { ...standing, retryAfter }, extensions);
}

/** What a response says, its head aside. */
export function resultOf({ body }: GraphQLResponse): FormattedExecutionResult {
  return body.kind === 'single' ? body.singleResult : body.initialResult;
}

interface Result {
  readonly data?: Record<string, unknown> | null | undefined;
  readonly errors?: readonly GraphQLFormattedError[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

function response(
  { data, errors, extensions }: Result,
  status: number,
  headers: readonly (readonly [string, string])[] = [],
): GraphQLResponse {
  const map = new HeaderMap();
  for (const [name, value] of headers) map.set(name, value);
  const singleResult = {
    ...(errors && { errors }),
    ...(data !== undefined && { data }),
    ...(extensions && { extensions }),
  };
  return { http: { status, headers: map }, body: { kind: 'single', singleResult } };
}
