import { randomUUID } from 'node:crypto';
import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import { GraphQLError } from 'graphql';
import type { Logger } from '../../logger.js';
import type { Metrics } from '../../metrics.js';
import { Outage } from '../../outage.js';
import type { Executed } from '../../usage/governor.js';
import type { RequestContext } from '../kit/context.js';
import type { Cost } from '../cost/formula.js';
import type { ErrorCode } from '../kit/errors.js';
import { ApiError, ERRORS } from '../kit/errors.js';
import { withoutFields } from './answered.js';
import { fitsBytes } from './answerBytes.js';
import type { Deadlines } from './deadlines.js';
import type { PreparedOperation, Run } from './executor.js';

/** A call that is still running then is given up, in milliseconds; it is billed, for its work was done. */
export const TIMEOUT_MS = 10_000;

/** What is executed. */
export interface Execution {
  readonly prepared: PreparedOperation;
  readonly cost: Cost;
  readonly variables: {
    readonly given: Readonly<Record<string, unknown>>;
    readonly coerced: Readonly<Record<string, unknown>>;
  };
}

/** @throws Outage when that is why there is no result */
export async function execute(
  {
    log,
    metrics,
    deadlines,
    maxAnswerBytes,
  }: {
    readonly log: Logger;
    readonly metrics: Metrics;
    readonly deadlines: Deadlines;
    readonly maxAnswerBytes: number;
  },
  { prepared, cost, variables }: Execution,
  context: RequestContext,
  run: Run,
): Promise<Executed<ExecutionResult>> {
  const running = run(context, variables.given, variables.coerced);
  const outcome = running instanceof Promise ? await deadlines.within(running) : running;
  if (outcome === 'timeout') {
    const errors = [publicError(log, new ApiError('TIMEOUT'))];
    return { result: { errors } as never, status: 'timeout', patterns: [], actualCost: null };
  }
  const patterns = [...context.patternsRead];
  const errors = outcome.errors ?? [];
  const outage = errors.find(({ originalError }) => originalError instanceof Outage);
  if (outage && !hasChanged(prepared, outcome)) throw outage.originalError as Outage;
  const shown = errors.map((error) => publicError(log, error));
  const failed = shown.filter(({ extensions }) => OURS.has(extensions?.['code']));
  const answered = withoutFields(
    outcome.data,
    failed.map(({ path = [] }) => path),
  );
  const nothing = failed.length > 0 && Object.values(answered ?? {}).every((value) => value === undefined);
  const actualCost = nothing ? 0 : cost.actual(answered);
  if (actualCost > cost.estimate) {
    // A list did not keep its bound. Nobody pays for more than they were told.
    metrics.costOverruns.inc();
    const { rootFields } = prepared.shape;
    log.warn('an answer cost more than its estimate', { rootFields, actualCost, estimate: cost.estimate });
  }
  if (!fitsBytes(outcome.data, maxAnswerBytes)) {
    // Its work was done, and is billed as what was asked for.
    const tooLarge = [
      publicError(log, new ApiError('ANSWER_TOO_LARGE', undefined, { maxBytes: maxAnswerBytes })),
    ];
    return { result: { errors: tooLarge } as never, status: 'error', patterns, actualCost };
  }
  if (!outcome.errors) return { result: outcome, status: 'ok', patterns, actualCost };
  return {
    result: { ...outcome, errors: shown as never },
    status: shown.some(({ extensions }) => extensions?.['code'] === 'INTERNAL') ? 'error' : 'ok',
    patterns,
    actualCost,
  };
}

/** Codes of fields that failed on our side: they cost nothing. */
const OURS: ReadonlySet<unknown> = new Set(['INTERNAL', 'TRY_AGAIN'] satisfies ErrorCode[]);

/** A mutation of which a part was done: its results are shown once, so they are not withheld. */
function hasChanged({ shape }: PreparedOperation, { data }: ExecutionResult): boolean {
  return shape.kind === 'mutation' && Object.values(data ?? {}).some((value) => value !== null);
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
