import type { FastifyRequest } from 'fastify';
import type { Credentials } from '../../gate/authenticate.js';
import { BAD_COMMAND_ID } from '../../eventsourcing/commandId.js';
import type { Gate, GateCall } from '../../gate/gate.js';
import type { RequestContext } from '../../graphql/kit/context.js';
import type { Governance } from '../../graphql/transport/governance.js';
import type { CreateContext } from '../../graphql/transport/operations.js';
import type { Logger } from '../../logger.js';
import type { Metrics } from '../../metrics.js';
import type { PlanDirectory } from '../../plans/directory.js';
import type { Header } from '../../usage/limits/headers.js';
import type { CompiledRoute, CompiledRoutes, RouteCall } from './compile.js';
import type { Refusal } from './failures.js';
import { refusalOf } from './failures.js';
import type { Issue, Parts } from './inputs.js';
import { refusalIn, refusalOfType } from './refused.js';
import { commandIdIn, partsOf, unfitCode } from './request.js';
import type { Scope } from './template.js';

export interface DeclaredOptions {
  readonly compiled: CompiledRoutes;
  readonly gate: Gate;
  /** Answers an operation behind the gate. */
  readonly governance: Governance;
  readonly createContext: CreateContext;
  readonly plans: PlanDirectory;
  /** What keeps the process from serving; empty when it is ready. */
  readonly problems: () => readonly string[];
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** What a request came to. */
export interface Answered {
  readonly status: number;
  readonly body: unknown;
  readonly headers: readonly Header[];
}

/** A failure that the route tells. */
export class Refused extends Error {
  constructor(
    readonly refusal: Refusal,
    /** Of the answer of GraphQL, where there is one. */
    readonly headers?: readonly Header[],
  ) {
    super(refusal.code);
  }
}

/**
 * Asks what a route asks, in its order.
 * @throws Refused
 */
export async function answerOf(
  options: DeclaredOptions,
  route: CompiledRoute,
  request: FastifyRequest,
  visitor: RequestContext,
  sent: Credentials,
  common: Scope,
): Promise<Answered> {
  const { gate, createContext } = options;
  const { declared, calls, access } = route;
  const [first] = calls;
  const demo =
    first !== undefined &&
    first.document.shape.kind === 'query' &&
    first.document.shape.metering === 'governed';
  const admit = (of: RequestContext): void => {
    const needed = declared.counted && of.caller.kind === 'anonymous' ? [] : access;
    const unfit = gate.unfit(of, { access: needed, demo });
    if (unfit !== undefined) throw new Refused(refusalOf(unfitCode(unfit, sent, options.plans.profile.keys)));
  };
  admit(visitor);
  const checked = route.inputs.check(partsOf(request));
  if (Array.isArray(checked)) {
    throw new Refused(refusalOf('REQUEST_INVALID', { issues: checked, field: fieldOf(checked) }));
  }
  const parts = checked as Parts;
  const commandId = calls.some(({ document }) => document.commands.length > 0)
    ? commandIdIn(request)
    : undefined;
  if (commandId === null) {
    const issue = { loc: ['header', 'idempotency-key'], msg: BAD_COMMAND_ID, type: 'value_error' };
    throw new Refused(refusalOf('REQUEST_INVALID', { issues: [issue] }));
  }
  let scope: Scope = { ...common, ...parts, requestId: visitor.correlationId };
  let context = visitor;
  const from = { address: request.clientAddress, requestId: request.requestId };
  const account = route.account?.fill(scope);
  if (typeof account === 'string') {
    const credentials = { ...sent, 'tollgraph-account': account };
    context = await createContext({ credentials, ...from });
    admit(context);
  }
  let headers: readonly Header[] | undefined;
  if (declared.counted && context.caller.kind !== 'anonymous') {
    headers = await count(options, route, context);
  }
  const named: Record<string, unknown> = {};
  for (const call of calls) {
    const asked = call.if?.fill(scope) ?? call.if === undefined;
    const credential = call.as?.fill(scope);
    if (asked === false || credential === null) continue;
    const by =
      typeof credential === 'string'
        ? await createContext({
            credentials: { authorization: `Bearer ${credential}` },
            ...from,
          })
        : context;
    const answered = await ask(options, route, call, by, scope, commandId);
    headers = answered.headers;
    if (call.name !== undefined) named[call.name] = answered.data;
    scope = { ...scope, data: call.name === undefined ? answered.data : { ...named } };
  }
  headers ??= await gate.headers(context, undefined);
  if (route.found?.fill(scope) === null) throw new Refused(refusalOf('NOT_FOUND'), headers);
  const refusal = refusalOfType(route.refusal?.fill(scope));
  if (refusal) throw new Refused(refusal, headers);
  if (declared.health && scope['healthy'] !== true) throw new Refused(refusalOf('NOT_READY'), headers);
  const address = route.redirect?.fill(scope);
  if (typeof address === 'string' && (request.headers.accept ?? '').includes('text/html')) {
    return { status: 303, body: null, headers: [...headers, ['location', address]] };
  }
  return { status: declared.status, body: route.answer.fill(scope), headers };
}

/** The one field that all issues are about; undefined where there are several. */
function fieldOf(issues: readonly Issue[]): string | undefined {
  const [field, ...others] = new Set(issues.map(({ loc: [, name] }) => name));
  return others.length === 0 && typeof field === 'string' ? field : undefined;
}

/** Takes one request of the plan for a call that no document answers. */
async function count(
  { gate }: DeclaredOptions,
  { declared, access, method }: CompiledRoute,
  context: RequestContext,
): Promise<readonly Header[]> {
  const call: GateCall = {
    access,
    metering: 'governed',
    demo: false,
    operation: null,
    rootFields: [],
    endpoint: pathOf(declared.route),
    method,
    writes: false,
    cost: null,
  };
  const outcome = await gate.run(context, call, () => ({
    result: undefined,
    status: 'ok',
    patterns: [],
    actualCost: null,
  }));
  if (outcome.kind === 'answered') return gate.headers(context, outcome.use?.states);
  const { code, limit, states, retryAfterMs } = outcome;
  throw new Refused(
    refusalOf(code, {
      limit,
      ...(retryAfterMs !== undefined && { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) }),
    }),
    await gate.headers(context, states),
  );
}

const pathOf = (route: string): string => route.slice(route.indexOf(' ') + 1);

async function ask(
  { governance, compiled }: DeclaredOptions,
  { declared, method }: CompiledRoute,
  { document, variables }: RouteCall,
  context: RequestContext,
  scope: Scope,
  commandId: string | undefined,
): Promise<{ data: Readonly<Record<string, unknown>>; headers: readonly Header[] }> {
  const given: Record<string, unknown> = {};
  for (const [name, template] of variables) {
    const value = template.fill(scope);
    // The document's own default stands for what was not sent.
    if (value !== null) given[name] = withoutNulls(value);
  }
  if (commandId !== undefined) {
    for (const name of document.commands) given[name] = { ...(given[name] as object), commandId };
  }
  const answered = await governance.answer({
    document: document.document,
    operation: document.operation,
    operationName: document.operation.name?.value ?? null,
    variables: given,
    method,
    endpoint: pathOf(declared.route),
    graphqlCost: undefined,
    context,
  });
  const refusal = refusalIn(document, answered, compiled.file.failures.first);
  if (refusal)
    throw new Refused(
      refusal,
      answered.headers.filter(([name]) => name !== 'retry-after'),
    );
  return { data: answered.result.data ?? {}, headers: answered.headers };
}

/** What was not sent is left out of inputs too: their defaults stand for it. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => one !== null).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) => (one === null ? [] : [[name, withoutNulls(one)]])),
  );
}
