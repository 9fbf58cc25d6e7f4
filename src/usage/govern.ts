import type { KnownKey } from '../../projections/keys/queries.js';
import { Outage } from '../outage.js';
import type { PlanInForce } from '../plans/profile.js';
import type { AddressHashes } from './addresses.js';
import type { RefusedUse, Use, UseStatus } from './events.js';
import { refusalCode } from './headers.js';
import { periodOf } from './periods.js';
import type { Journal } from './journal.js';
import type { Limiter, LimitState, Take } from './limiter.js';
import type { RefusalLog } from './refusalLog.js';

/** A call that is to be governed, as far as it is known before it is executed. */
export interface Call {
  readonly key: KnownKey;
  readonly plan: PlanInForce;
  readonly now: number;
  readonly operation: string | null;
  readonly rootFields: readonly string[];
  readonly endpoint: string;
  readonly method: string;
  readonly address: string | undefined;
}

/** What the execution of a call came to. */
export interface Executed<R> {
  readonly result: R;
  readonly status: Exclude<UseStatus, 'refused'>;
  /** Ids of the patterns that were read. */
  readonly patterns: readonly string[];
}

interface Outcome {
  readonly status: UseStatus;
  readonly patterns: readonly string[];
  readonly durationUs: number;
  readonly refusal?: RefusedUse;
}

export type Governed<R> =
  | { readonly kind: 'answered'; readonly result: R; readonly states: readonly LimitState[] }
  | {
      readonly kind: 'refused';
      readonly code: 'RATE_LIMITED' | 'QUOTA_EXCEEDED';
      readonly limit: LimitState;
      readonly retryAfterMs: number;
      readonly states: readonly LimitState[];
    };

/**
 * The order of a governed call (decision 7): admit, take, execute, record, and only then answer.
 */
export class Governor {
  constructor(
    private readonly journal: Journal,
    private readonly limiter: Limiter,
    private readonly refusals: RefusalLog,
    private readonly addresses: AddressHashes,
  ) {}

  /** @throws Outage: nothing was billed, the caller may try again */
  async run<R>(call: Call, execute: () => Promise<Executed<R>> | Executed<R>): Promise<Governed<R>> {
    this.journal.admit();
    const { accountId, environment } = call.key;
    const { limits } = call.plan.plan;
    const pending = this.limiter.take(accountId, environment, limits, call.now);
    const take = pending instanceof Promise ? await pending : pending;
    if (take.kind === 'refused') return this.#refused(call, take);

    const started = performance.now();
    const durationUs = (): number => Math.round((performance.now() - started) * 1000);
    let executed: Executed<R>;
    try {
      executed = await execute();
    } catch (error) {
      // Nothing was delivered and nothing is billed. What failed for another reason stays spent.
      if (error instanceof Outage) take.undo();
      else await this.#record(call, take, { status: 'error', patterns: [], durationUs: durationUs() });
      throw error;
    }
    const { status, patterns } = executed;
    await this.#record(call, take, { status, patterns, durationUs: durationUs() });
    return { kind: 'answered', result: executed.result, states: take.states };
  }

  async #record(call: Call, take: Extract<Take, { kind: 'taken' }>, outcome: Outcome): Promise<void> {
    try {
      await this.journal.record(call.key.accountId, this.#use(call, take, outcome));
    } catch (error) {
      take.undo();
      throw error;
    }
  }

  #refused(call: Call, take: Extract<Take, { kind: 'refused' }>): Governed<never> {
    const { limit, retryAfterMs, states } = take;
    const code = refusalCode(limit);
    const refusal = { amount: limit.limit.amount, code, count: 1, limit: limit.limit.id, used: limit.used };
    const outcome = { status: 'refused' as const, patterns: [], durationUs: 0, refusal };
    this.refusals.add(call.key.accountId, this.#use(call, { at: take.at, periods: [] }, outcome));
    return { kind: 'refused', code, limit, retryAfterMs, states };
  }

  #use(
    call: Call,
    { at, periods }: { readonly at: number; readonly periods: readonly string[] },
    outcome: Outcome,
  ): Use {
    // In the order of the keys' names: a record's JSON is canonical as it is written.
    return {
      actualCost: null,
      address: this.addresses.of(call.address, periodOf('month', at)),
      at,
      costVersion: null,
      durationUs: outcome.durationUs,
      endpoint: call.endpoint,
      environment: call.key.environment,
      estimatedCost: null,
      id: this.journal.mintUseId(),
      key: call.key.id,
      meters: outcome.status === 'refused' ? {} : { requests: 1 },
      method: call.method,
      operation: call.operation,
      patterns: outcome.patterns,
      periods,
      planVersion: call.plan.version,
      refusal: outcome.refusal ?? null,
      rootFields: call.rootFields,
      source: null,
      status: outcome.status,
    };
  }
}
