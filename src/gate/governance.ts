import type { DocumentNode, ExecutionResult, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { createSourceEventStream, execute as executeDocument } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { placeOf } from '../ipAddress.js';
import type { Logger } from '../logger.js';
import type { Metrics } from '../metrics.js';
import { Outage } from '../outage.js';
import type { PlanDirectory } from '../plans/directory.js';
import type { Tracing } from '../telemetry/tracing.js';
import type { Executed, Governor } from '../usage/governor.js';
import type { Guard } from '../usage/guard.js';
import type { Header } from '../usage/headers.js';
import { rateLimitHeaders } from '../usage/headers.js';
import type { LimitState } from '../usage/limiter.js';
import type { LimitStates } from '../usage/limitStates.js';
import { refusedAccess } from '../graphql/kit/access.js';
import type { AddressGuard } from './addressGuard.js';
import { addHeaders } from './answerHeaders.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { limitedOf } from '../graphql/kit/context.js';
import type { CostExtension, CostMode } from '../graphql/cost/report.js';
import { costExtension, costModeOf } from '../graphql/cost/report.js';
import { Deadlines } from '../graphql/execution/deadlines.js';
import { ApiError } from '../graphql/kit/errors.js';
import type { Execution } from '../graphql/execution/execution.js';
import { execute, publicError, TIMEOUT_MS } from '../graphql/execution/execution.js';
import { Executor } from '../graphql/execution/executor.js';
import type { Run } from '../graphql/execution/executor.js';
import { withoutValue } from '../graphql/execution/queryLimits.js';
import type { OperationShape } from '../graphql/kit/metering.js';
import type { Answer } from './responses.js';
import { limitRefusal, refusal, response, statusFor } from './responses.js';
import { SubscriptionEvents } from '../graphql/kit/subscriptions.js';

/** Upper bound of a call's estimated cost: for governed calls, and for calls that spend no points. */
const MAX_COST = { governed: 100_000, other: 5_000 } as const;

export interface GovernanceOptions {
  readonly schema: GraphQLSchema;
  readonly governor: Governor;
  readonly standing: LimitStates;
  readonly guard: Guard;
  readonly addressGuard: AddressGuard;
  readonly plans: PlanDirectory;
  readonly metrics: Metrics;
  /** Whether refusals give no hints at the schema. */
  readonly production: boolean;
  readonly log: Logger;
  readonly tracing?: Tracing | undefined;
}

interface Governing extends GovernanceOptions {
  readonly deadlines: Deadlines;
}

/** A valid operation, on its way. */
export interface Operation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Of HTTP; undefined where it came by a WebSocket. */
  readonly method: string | undefined;
  /** The header GraphQL-Cost. */
  readonly graphqlCost: string | undefined;
  readonly context: RequestContext;
}

/** Who may call, and what it costs: every operation is answered here, whichever way it came. */
export class Governance {
  readonly #executor: Executor;
  readonly #options: Governing;

  constructor(options: GovernanceOptions) {
    this.#executor = new Executor(options.schema);
    this.#options = { ...options, deadlines: new Deadlines(TIMEOUT_MS) };
  }

  /** Never throws: what goes wrong is an answer, too. */
  async answer(operation: Operation): Promise<Answer> {
    const { tracing, plans, standing } = this.#options;
    let demo = false;
    const finished = (answer: Answer) =>
      addHeaders(answer, operation.context, plans.profile.headers, standing, demo);
    try {
      demo =
        operation.context.caller.kind === 'demo' &&
        isForDemo(this.#executor.prepare(operation.document, operation.operation).shape);
      const work = () => answer(this.#options, this.#executor, operation);
      return await finished(await (tracing ? traced(tracing, operation, async () => work()) : work()));
    } catch (error) {
      return finished(failed(this.#options, operation.context, error));
    }
  }

  /** The headers of an answer to what never came to be an operation. */
  async headersFor(context: RequestContext): Promise<readonly Header[]> {
    const { plans, standing } = this.#options;
    const bare = response({}, 400);
    return (await addHeaders(bare, context, plans.profile.headers, standing, false)).headers;
  }
}

/** The operation's name and type, never its text. */
function traced(tracing: Tracing, { operation }: Operation, work: () => Promise<Answer>): Promise<Answer> {
  const type = operation.operation;
  const name = operation.name?.value;
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
    ({ result: { errors = [] } }) => {
      return errors.map(({ extensions }) => String(extensions?.['code'])).find((code) => OURS.has(code));
    },
  );
}

/** Failures that are ours and not the caller's. */
const OURS: ReadonlySet<string> = new Set(['INTERNAL', 'TRY_AGAIN', 'TIMEOUT']);

/** An operation that may be executed. */
interface Call extends Execution {
  readonly request: Operation;
  readonly mode: CostMode | 'none';
}

function answer(options: Governing, executor: Executor, request: Operation): Answer | Promise<Answer> {
  const { schema, metrics, log, production } = options;
  const { context, variables: given } = request;
  const prepared = executor.prepare(request.document, request.operation);
  const { metering } = prepared.shape;

  const unfit = refusedAccess(callerFor(prepared.shape, context), prepared.access);
  if (unfit) return refusal(metrics, unfit);

  // Variables that don't fit are refused before anything is taken.
  const variables = getVariableValues(schema, request.operation.variableDefinitions ?? [], given, {
    maxErrors: 20,
    hideSuggestions: production,
  });
  if (variables.errors) {
    const errors = variables.errors.map((error) => publicError(log, withoutValue(error), 'BAD_USER_INPUT'));
    return response({ errors }, 400);
  }
  const { coerced } = variables;
  const refused = prepared.texts(coerced);
  if (refused) return refusal(metrics, refused.code, [], refused.message, refused.extensions);

  const mode = costModeOf(request.graphqlCost);
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
  const free = metering !== 'governed' || mode === 'validate';
  return free ? guarded(options, call) : carriedOut(options, call);
}

function guarded(options: Governing, call: Call): Answer | Promise<Answer> {
  const { prepared, request, mode } = call;
  const wait = waitOf(options, prepared.shape, request.context, mode);
  if (wait > 0) {
    const headers = [['retry-after', String(Math.ceil(wait / 1000))]] as const;
    return refusal(options.metrics, 'RATE_LIMITED', headers);
  }
  return carriedOut(options, call);
}

function carriedOut(options: Governing, call: Call): Promise<Answer> {
  const { prepared, request, mode } = call;
  if (mode === 'validate') return reckon(options, call);
  if (prepared.shape.kind === 'subscription') return subscribe(options, call);
  const { context } = request;
  return charge(options, call, context, () => execute(options, call, context, prepared.run));
}

const NOBODY = { kind: 'anonymous' } as const;

const isForDemo = ({ kind, metering }: OperationShape): boolean =>
  kind === 'query' && metering === 'governed';

/** Who calls, as far as this operation goes. */
function callerFor(shape: OperationShape, { caller }: RequestContext): RequestContext['caller'] {
  return caller.kind === 'demo' && !isForDemo(shape) ? NOBODY : caller;
}

/** Milliseconds to wait until the guard of what takes nothing of a plan lets it pass; 0 when it does. */
function waitOf(
  { guard, addressGuard }: GovernanceOptions,
  { metering, anonymousCalls }: OperationShape,
  { caller, address }: RequestContext,
  mode: Call['mode'],
): number {
  // Of IPv6 everybody has a network of addresses.
  const place = placeOf(address ?? '') ?? '';
  if (mode !== 'validate') {
    // Whatever stands beside them: somebody signed in may not register others without end, or guess passwords.
    for (const field of anonymousCalls) {
      const wait = addressGuard.take(place, field);
      if (wait > 0) return wait;
    }
    if (metering === 'service' || metering === 'anonymous') return 0;
  }
  return guard.take('accountId' in caller ? `account ${caller.accountId}` : `address ${place}`).waitMs;
}

/** Says what a call would cost. */
async function reckon({ standing }: GovernanceOptions, call: Call): Promise<Answer> {
  const { context } = call.request;
  const { caller } = context;
  const states = 'accountId' in caller ? await standing.of(limitedOf(context)) : [];
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
): Promise<Answer> {
  const { request, prepared, cost, mode } = call;
  const { kind, metering, rootFields } = prepared.shape;
  if (metering !== 'governed') {
    const executed = await run();
    // Nothing was taken: what it would have cost is said to who asks.
    const reported = mode === 'report' && { extensions: { cost: shown(call, executed.actualCost, []) } };
    const { errors, data } = executed.result;
    return response({ errors, data, ...reported }, statusFor(executed));
  }
  if (caller.kind !== 'key' && caller.kind !== 'demo') throw new Error('a governed call without a key');
  const governed = await governor.run(
    {
      key: caller.key,
      plan: plans.planOf(caller.key.accountId),
      now,
      operation: request.operation.name?.value ?? null,
      rootFields,
      endpoint: '/graphql',
      method: request.method ?? 'WEBSOCKET',
      address,
      writes: kind === 'mutation',
      cost: { estimate: cost.estimate, version: prepared.cost.version },
    },
    run,
  );
  const headers = rateLimitHeaders(governed.states, plans.profile.headers);
  if (governed.kind === 'answered') {
    metrics.governed.inc();
    const spent = governed.cost?.spent ?? 0;
    metrics.costPoints.inc(spent);
    const extensions = { cost: shown(call, spent, governed.states) };
    const { errors, data } = governed.result;
    return response({ errors, data, extensions }, statusFor(governed), headers);
  }
  return limitRefusal(metrics, governed, headers, shown(call, null, governed.states));
}

/** Begins a subscription. Each event goes the way of a call: asked who, charged, recorded, delivered. */
async function subscribe(options: Governing, call: Call): Promise<Answer> {
  const { schema, metrics, log } = options;
  const { request, prepared, variables } = call;
  const { context: contextValue, document, operationName } = request;
  const { subscriber } = contextValue;
  if (!subscriber) return refusal(metrics, 'STREAM_REQUIRED');
  const args = { schema, document, operationName, variableValues: variables.given };
  const source = await createSourceEventStream({ ...args, contextValue });
  if (!(Symbol.asyncIterator in source)) {
    const errors = source.errors?.map((error) => publicError(log, error));
    return response({ errors }, 500);
  }
  const answerTo = async (rootValue: unknown): Promise<Answer> => {
    const context = await subscriber.context();
    const unfit = refusedAccess(context.caller, prepared.access);
    if (unfit) return refusal(metrics, unfit);
    const run: Run = () => executeDocument({ ...args, rootValue, contextValue: context });
    return charge(options, call, context, () => execute(options, call, context, run));
  };
  subscriber.deliver(
    new SubscriptionEvents({
      source: source[Symbol.asyncIterator](),
      answer: async (payload) => (await answerTo(payload)).result,
      failed: (error) => failed(options, contextValue, error).result,
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
  return costExtension(priced, states, mode === 'none' ? undefined : cost.fields());
}

function failed(
  { log, metrics }: GovernanceOptions,
  { correlationId: id }: RequestContext,
  error: unknown,
): Answer {
  if (error instanceof Outage) {
    log.error('a call was refused for an outage', error, { id });
    return refusal(metrics, 'TRY_AGAIN');
  }
  log.error('a call failed', error, { id });
  return refusal(metrics, 'INTERNAL');
}
