import type { Environment, Position } from '../eventsourcing/event.js';
import { Outage } from '../outage.js';
import type { PlanInForce } from '../plans/profile.js';
import type { AddressHashes } from './addresses.js';
import type { RefusedUse, Use, UseStatus } from './events.js';
import type { LimitCode } from './limits/headers.js';
import { refusalCode } from './limits/headers.js';
import { periodOf } from './limits/periods.js';
import type { Journal } from './journal/journal.js';
import type { MeterAmounts, KeyLimits, Limiter, LimitState, NotTaken, Taken } from './limits/limiter.js';
import { isOver } from './limits/limiter.js';
import type { RefusalLog } from './refusalLog.js';
import type { RequestId } from './requestId.js';
import { useRecord } from './journal/useRecord.js';

/** A call that is to be governed, as far as it is known before it is executed. */
export interface Call {
  readonly key: KeyLimits & { readonly accountId: string; readonly environment: Environment };
  readonly plan: PlanInForce;
  readonly now: number;
  readonly operation: string | null;
  readonly rootFields: readonly string[];
  readonly endpoint: string;
  readonly method: string;
  readonly address: string | undefined;
  /** A label that who reports it gave; null for calls of GraphQL. */
  readonly source?: string | null;
  /** Of the request that makes it: its record leads back to it. */
  readonly requestId?: RequestId | undefined;
  /** Whether it may change something. */
  readonly writes: boolean;
  /**
   * Cost points that it can come to at most, and the version of the formula that says so; null where no
   * formula does.
   */
  readonly cost: { readonly estimate: number; readonly version: string } | null;
  /** What it comes to of other meters of the profile, and of requests where that is not one. */
  readonly quantities?: MeterAmounts | undefined;
}

/** What the execution of a call came to. */
export interface Executed<R> {
  readonly result: R;
  readonly status: Exclude<UseStatus, 'refused'>;
  /** Ids of the patterns that were read. */
  readonly patterns: readonly string[];
  /** Cost points of the answer; null where they were not measured: the estimate then stands. */
  readonly actualCost: number | null;
  /** Whether it was done before: of meters other than requests and cost it then comes to nothing. */
  readonly repeated?: boolean;
}

/** When it was taken, and what it counts in. */
interface Placed {
  readonly at: number;
  readonly periods: readonly string[];
  readonly overLimit?: true;
}

/** What its record is called. */
type Named = ReturnType<RequestId['next']>;

interface Outcome {
  readonly status: UseStatus;
  readonly patterns: readonly string[];
  readonly durationUs: number;
  readonly actualCost: number | null;
  readonly repeated?: boolean;
  readonly refusal?: RefusedUse;
}

export type Governed<R> =
  | {
      readonly kind: 'answered';
      readonly result: R;
      readonly status: Executed<R>['status'];
      /** With what was given back. */
      readonly states: readonly LimitState[];
      /** Cost points; null where no formula says. */
      readonly cost: { readonly estimate: number; readonly spent: number } | null;
      /** Of its record. */
      readonly useId: string;
    }
  | {
      readonly kind: 'refused';
      readonly code: LimitCode;
      readonly limit: LimitState;
      /** Undefined where it never passes. */
      readonly retryAfterMs: number | undefined;
      readonly states: readonly LimitState[];
    };

/**
 * The order of a governed call (decision 7): admit, take, execute, record, and only then answer. What was
 * taken above the actual cost goes back once the record is stored.
 */
export class Governor {
  readonly #mint = (): string => this.journal.mintUseId();

  constructor(
    private readonly journal: Journal,
    private readonly limiter: Limiter,
    private readonly refusals: RefusalLog,
    private readonly addresses: AddressHashes,
  ) {}

  /** @throws Outage: nothing was billed, the caller may try again */
  async run<R>(call: Call, execute: () => Promise<Executed<R>> | Executed<R>): Promise<Governed<R>> {
    this.journal.admit();
    const { key, now, writes } = call;
    const { accountId, environment } = key;
    const { limits } = call.plan.plan;
    const cost = call.cost?.estimate ?? null;
    const named = call.requestId?.next(this.#mint) ?? { id: this.#mint() };
    const { id: useId } = named;
    const amounts = estimated(call);
    const { anchors } = call.plan;
    const asked = { accountId, environment, limits, anchors, key, now, useId, amounts, writes };
    const pending = this.limiter.take(asked);
    const take = pending instanceof Promise ? await pending : pending;
    if (take.kind !== 'taken') return this.#refused(call, named, take);

    const started = performance.now();
    const durationUs = (): number => Math.round((performance.now() - started) * 1000);
    let executed: Executed<R>;
    try {
      executed = await execute();
    } catch (error) {
      // Nothing was delivered and nothing is billed. What failed for another reason stays spent.
      if (error instanceof Outage) take.undo();
      else {
        const outcome = { status: 'error', patterns: [], actualCost: null } as const;
        await this.#record(call, named, take, { ...outcome, durationUs: durationUs() });
      }
      throw error;
    }
    const { status, patterns, actualCost, repeated = false } = executed;
    const outcome = { status, patterns, actualCost, repeated, durationUs: durationUs() };
    const states = await this.#record(call, named, take, outcome);
    const spent = cost === null ? null : { estimate: cost, spent: costSpent(cost, outcome) };
    return { kind: 'answered', result: executed.result, status, states, cost: spent, useId };
  }

  /** @returns where the limits stand once what was not spent is given back */
  async #record(call: Call, named: Named, take: Taken, outcome: Outcome): Promise<readonly LimitState[]> {
    const { at, periods, states } = take;
    const placed = isOver(states, estimated(call)) ? ({ at, periods, overLimit: true } as const) : take;
    const use = this.#use(call, named, placed, outcome);
    let position: Position;
    try {
      position = await this.journal.record(call.key.accountId, use);
    } catch (error) {
      take.undo();
      throw error;
    }
    return take.settle(use.meters, position);
  }

  #refused(call: Call, named: Named, take: NotTaken): Governed<never> {
    const { limit, states } = take;
    const code = take.kind === 'never' ? 'QUERY_COST_EXCEEDED' : refusalCode(limit);
    const passes = take.kind === 'refused' && Number.isFinite(take.retryAfterMs);
    const retryAfterMs = passes ? take.retryAfterMs : undefined;
    const refusal = { amount: limit.limit.amount, code, count: 1, limit: limit.limit.id, used: limit.used };
    const outcome = { status: 'refused', patterns: [], durationUs: 0, actualCost: null, refusal } as const;
    this.refusals.add(call.key.accountId, this.#use(call, named, { at: take.at, periods: [] }, outcome));
    return { kind: 'refused', code, limit, retryAfterMs, states };
  }

  #use(call: Call, { id, requestId }: Named, { at, periods, overLimit }: Placed, outcome: Outcome): Use {
    return useRecord({
      actualCost: call.cost && outcome.actualCost,
      address: this.addresses.of(call.address, periodOf('month', at)),
      at,
      costVersion: call.cost?.version ?? null,
      durationUs: outcome.durationUs,
      endpoint: call.endpoint,
      environment: call.key.environment,
      estimatedCost: call.cost?.estimate ?? null,
      id,
      key: call.key.id,
      meters: metersOf(call, outcome),
      method: call.method,
      operation: call.operation,
      ...(overLimit && { overLimit }),
      patterns: outcome.patterns,
      periods,
      plan: call.plan.plan.id,
      planVersion: call.plan.version,
      refusal: outcome.refusal ?? null,
      ...(requestId !== undefined && { requestId }),
      rootFields: call.rootFields,
      source: call.source ?? null,
      status: outcome.status,
    });
  }
}

/** What a call may come to at most. */
const estimated = ({ cost, quantities }: Call): MeterAmounts =>
  cost ? { requests: 1, ...quantities, cost: cost.estimate } : { requests: 1, ...quantities };

/** What it came to; meters in the order of their names, as a record has them. */
function metersOf({ cost, quantities }: Call, outcome: Outcome): Use['meters'] {
  if (outcome.status === 'refused') return {};
  const requests = quantities?.['requests'] ?? 1;
  const own: MeterAmounts = cost ? { cost: costSpent(cost.estimate, outcome), requests } : { requests };
  if (!quantities) return own;
  const nothing = outcome.status === 'error' || outcome.repeated;
  const all: Record<string, number> = {};
  for (const meter of Object.keys({ ...quantities, ...own }).sort()) {
    const amount = Object.hasOwn(own, meter) ? own[meter] : nothing ? 0 : quantities[meter];
    all[meter] = amount as number;
  }
  return all;
}

/** Cost points that stay spent (decision 7): never more than were taken. */
function costSpent(estimate: number, { status, actualCost }: Outcome): number {
  // What was answered beside an error has its price; an execution that threw has answered nothing.
  return Math.min(estimate, actualCost ?? (status === 'error' ? 0 : estimate));
}
