import type { DocumentNode, ExecutionResult, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { createSourceEventStream, execute as executeDocument } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import type { Gate, GateCall, Outcome } from '../../gate/gate.js';
import type { Logger } from '../../logger.js';
import type { Metrics } from '../../metrics.js';
import { Outage } from '../../outage.js';
import type { Tracing } from '../../telemetry/tracing.js';
import type { Executed } from '../../usage/governor.js';
import type { Header } from '../../usage/limits/headers.js';
import type { LimitState } from '../../usage/limits/limiter.js';
import type { LimitStates } from '../../usage/limits/limitStates.js';
import type { CostExtension, CostMode } from '../cost/report.js';
import { costExtension, costModeOf } from '../cost/report.js';
import { Deadlines } from '../execution/deadlines.js';
import type { Execution } from '../execution/execution.js';
import { execute, publicError, TIMEOUT_MS } from '../execution/execution.js';
import type { Run } from '../execution/executor.js';
import { Executor } from '../execution/executor.js';
import { withoutValue } from '../execution/queryLimits.js';
import type { RequestContext } from '../kit/context.js';
import { limitedOf } from '../kit/context.js';
import { ApiError } from '../kit/errors.js';
import type { OperationShape } from '../kit/metering.js';
import { SubscriptionEvents } from '../kit/subscriptions.js';
import type { Answer, Result } from './responses.js';
import { limitRefusal, refusal, response, statusFor } from './responses.js';

/** Upper bound of a call's estimated cost: for governed calls, and for calls that spend no points. */
const MAX_COST = { governed: 100_000, other: 5_000 } as const;

export interface GovernanceOptions {
  readonly schema: GraphQLSchema;
  readonly gate: Gate;
  readonly limitStates: LimitStates;
  readonly metrics: Metrics;
  /** Whether refusals give no hints at the schema. */
  readonly production: boolean;
  readonly log: Logger;
  readonly tracing?: Tracing | undefined;
  /** Of an answer's data as JSON. */
  readonly maxAnswerBytes: number;
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
  /** Where it was sent to, as records name it; undefined for `/graphql`. */
  readonly endpoint?: string;
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
  async answer(operation: Operation): Promise<Answered> {
    const { tracing, gate } = this.#options;
    const { context } = operation;
    let call: Partial<Pick<GateCall, 'demo' | 'metering'>> = {};
    let answered: Answered;
    try {
      const { shape } = this.#executor.prepare(operation.document, operation.operation);
      call = { demo: isForDemo(shape), metering: shape.metering };
      const work = () => answer(this.#options, this.#executor, operation);
      answered = await (tracing ? traced(tracing, operation, async () => work()) : work());
    } catch (error) {
      answered = failed(this.#options, context, error);
    }
    const { status, headers, states } = answered;
    const result = context.subscriber ? namedIn(answered.result, context) : answered.result;
    const more = gate.headers(context, states, call);
    const all = [...headers, ...(more instanceof Promise ? await more : more)];
    return { status, result, headers: all, ...(states && { states }) };
  }

  /** The headers of an answer to what never came to be an operation. */
  async headersFor(context: RequestContext): Promise<readonly Header[]> {
    return this.#options.gate.headers(context, undefined);
  }
}

/** An answer, and where the limits stand after it where it says so itself. */
export interface Answered extends Answer {
  readonly states?: readonly LimitState[];
}

/** Where one connection has many answers, each names its own request: a header could name one alone. */
const namedIn = (result: Result, { requestId }: RequestContext): Result => ({
  ...result,
  extensions: { ...result.extensions, requestId: requestId.text },
});

/** Whether demo callers may ask for it. */
const isForDemo = ({ kind, metering }: OperationShape): boolean =>
  kind === 'query' && metering === 'governed';

/** The operation's name and type, never its text. */
function traced(
  tracing: Tracing,
  { operation }: Operation,
  work: () => Promise<Answered>,
): Promise<Answered> {
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
  readonly gateCall: GateCall;
}

function answer(options: Governing, executor: Executor, request: Operation): Answered | Promise<Answered> {
  const { schema, metrics, log, production, gate } = options;
  const { context, variables: given } = request;
  const prepared = executor.prepare(request.document, request.operation);
  const { kind, rootFields, anonymousCalls } = prepared.shape;

  const demo = isForDemo(prepared.shape);
  const unfit = gate.unfit(context, { access: prepared.access, demo });
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
  const metering = prepared.shape.meteringWith(coerced);
  const most = MAX_COST[metering === 'governed' ? 'governed' : 'other'];
  if (cost.estimate > most) {
    const message = `The query can cost ${cost.estimate} points; a call may cost at most ${most}. Ask for less.`;
    return refusal(metrics, 'QUERY_COST_EXCEEDED', [], message, { requestedQueryCost: cost.estimate, most });
  }
  const gateCall: GateCall = {
    access: prepared.access,
    demo: demo && metering === 'governed',
    // What is only reckoned takes nothing, and is guarded like all that is free.
    metering: mode === 'validate' ? 'guarded' : metering,
    anonymousCalls: mode === 'validate' ? [] : anonymousCalls,
    operation: request.operation.name?.value ?? null,
    rootFields,
    endpoint: request.endpoint ?? '/graphql',
    method: request.method ?? 'WEBSOCKET',
    writes: kind === 'mutation',
    cost: { estimate: cost.estimate, version: prepared.cost.version },
  };
  const call: Call = { request, prepared, cost, mode, variables: { given, coerced }, gateCall };
  if (mode === 'validate') return reckon(options, call);
  if (kind === 'subscription') return subscribe(options, call);
  return charge(options, call, context, gateCall, () => execute(options, call, context, prepared.run));
}

/** Says what a call would cost. */
async function reckon(options: Governing, call: Call): Promise<Answered> {
  const { gate, limitStates } = options;
  const { context } = call.request;
  const outcome = await gate.run(context, call.gateCall, async () => {
    const states = 'accountId' in context.caller ? await limitStates.of(limitedOf(context)) : [];
    return { result: states, status: 'ok', patterns: [], actualCost: null };
  });
  if (outcome.kind === 'refused') return refusedBy(options, call, outcome);
  return response({ data: null, extensions: { cost: shown(call, null, outcome.result) } }, 200);
}

/**
 * Executes a call, or an event of a subscription, behind the gate.
 * @throws Outage: nothing was billed
 */
async function charge(
  options: Governing,
  call: Call,
  context: RequestContext,
  gateCall: GateCall,
  run: () => Promise<Executed<ExecutionResult>>,
): Promise<Answered> {
  const outcome = await options.gate.run(context, gateCall, run);
  if (outcome.kind === 'refused') return refusedBy(options, call, outcome);
  const { use, actualCost } = outcome;
  const { errors, data } = outcome.result;
  const status = statusFor(outcome);
  if (!use) {
    // Nothing was taken: what it would have cost is said to who asks.
    const reported = call.mode === 'report' && { extensions: { cost: shown(call, actualCost, []) } };
    return response({ errors, data, ...reported }, status);
  }
  const extensions = { cost: shown(call, use.cost?.spent ?? 0, use.states) };
  return { ...response({ errors, data, extensions }, status), states: use.states };
}

function refusedBy(
  { metrics }: GovernanceOptions,
  call: Call,
  { code, retryAfterMs, limit, states = [] }: Extract<Outcome<never>, { kind: 'refused' }>,
): Answered {
  if (limit) {
    return { ...limitRefusal(metrics, { code, limit, retryAfterMs }, shown(call, null, states)), states };
  }
  return refusal(
    metrics,
    code,
    retryAfterMs === undefined ? [] : [['retry-after', String(Math.ceil(retryAfterMs / 1000))]],
  );
}

/** Begins a subscription. Each event goes the way of a call: asked who, charged, recorded, delivered. */
async function subscribe(options: Governing, call: Call): Promise<Answered> {
  const { schema, metrics, log, gate } = options;
  const { request, variables, gateCall } = call;
  const { context: contextValue, document, operationName } = request;
  const { subscriber } = contextValue;
  const args = { schema, document, operationName, variableValues: variables.given };
  // To begin takes nothing: each event does. What they take of a plan stands before no guard.
  const governed = gateCall.metering === 'governed';
  const beginning: GateCall = governed ? { ...gateCall, metering: 'open', continued: true } : gateCall;
  const begun = await gate.run(contextValue, beginning, async () => {
    const result = subscriber && (await createSourceEventStream({ ...args, contextValue }));
    return { result, status: 'ok', patterns: [], actualCost: null };
  });
  if (begun.kind === 'refused') return refusedBy(options, call, begun);
  const source = begun.result;
  if (!subscriber || !source) return refusal(metrics, 'STREAM_REQUIRED');
  if (!(Symbol.asyncIterator in source)) {
    const errors = source.errors?.map((error) => publicError(log, error));
    return response({ errors }, 500);
  }
  const answerTo = async (rootValue: unknown): Promise<Answer> => {
    const context = await subscriber.context();
    const run: Run = () => executeDocument({ ...args, rootValue, contextValue: context });
    const event = { ...gateCall, continued: true };
    const told = await charge(options, call, context, event, () => execute(options, call, context, run));
    return { ...told, result: namedIn(told.result, context) };
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
  { requestId: { text: id } }: RequestContext,
  error: unknown,
): Answer {
  if (error instanceof Outage) {
    log.error('a call was refused for an outage', error, { id });
    return refusal(metrics, 'TRY_AGAIN');
  }
  log.error('a call failed', error, { id });
  return refusal(metrics, 'INTERNAL');
}
