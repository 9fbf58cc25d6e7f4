import type { FormattedExecutionResult } from 'graphql';
import { GraphQLError } from 'graphql';
import type { Metrics } from '../../metrics.js';

/** A subscription ends because an event of it was refused; carries the code. */
export class SubscriptionRefused extends GraphQLError {
  constructor({ errors: [first] = [] }: FormattedExecutionResult) {
    super(first?.message ?? 'The subscription has ended.', { extensions: first?.extensions ?? null });
  }
}

export interface SubscriptionOptions<T> {
  /** Source of payloads. Pulled only after the previous event was delivered; `return()` must settle a pending `next()`. */
  readonly source: AsyncIterator<T>;
  /** An event's answer. One without data is a refusal and ends the subscription. */
  readonly answer: (payload: T) => Promise<FormattedExecutionResult>;
  /** What callers may see of an exception. */
  readonly failed: (error: unknown) => FormattedExecutionResult;
  readonly metrics: Metrics;
}

/**
 * The events of a subscription, each made when the transport asks for it, so that none waits in a queue.
 */
export class SubscriptionEvents<T = unknown> implements AsyncIterableIterator<FormattedExecutionResult> {
  #ended = false;

  constructor(private readonly options: SubscriptionOptions<T>) {
    options.metrics.subscriptions.inc();
  }

  /** @throws SubscriptionRefused, and nothing else */
  async next(): Promise<IteratorResult<FormattedExecutionResult, undefined>> {
    const result = await this.#result();
    // Whoever has left meanwhile gets nothing more; a governed event is recorded all the same (decision 7).
    if (result === undefined || this.#ended) return this.return();
    if (result.data === undefined) {
      await this.return();
      throw new SubscriptionRefused(result);
    }
    this.options.metrics.subscriptionEvents.inc();
    return { done: false, value: result };
  }

  /** Ends it, also while somebody waits for the next event. */
  async return(): Promise<IteratorResult<FormattedExecutionResult, undefined>> {
    if (!this.#ended) {
      this.#ended = true;
      this.options.metrics.subscriptions.dec();
      await this.options.source.return?.();
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @returns undefined when there is no further event */
  async #result(): Promise<FormattedExecutionResult | undefined> {
    const { source, answer, failed } = this.options;
    try {
      const happened = await source.next();
      return happened.done === true || this.#ended ? undefined : await answer(happened.value);
    } catch (error) {
      return failed(error);
    }
  }
}
