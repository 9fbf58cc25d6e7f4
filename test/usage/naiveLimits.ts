import type { Aggregation } from '../../src/plans/meters.js';
import type { Limit } from '../../src/plans/profile.js';
import { SLIDING_MS } from '../../src/plans/profile.js';
import { Amounts } from '../../src/usage/limits/amounts.js';
import type { MeterAmounts } from '../../src/usage/limits/limiter.js';
import { kindOf } from '../../src/usage/limits/limiter.js';
import type { Anchors } from '../../src/usage/limits/periods.js';
import { isFixed, LIFETIME, periodAt, periodsOf } from '../../src/usage/limits/periods.js';

/** Two that every profile has, and two of a product. */
const METERS: Readonly<Record<string, Aggregation>> = {
  requests: 'count',
  cost: 'sum',
  jobs: 'count',
  seconds: 'sum',
};
export const aggregationOf = (meter: string): Aggregation | undefined => METERS[meter];

/** One moment: by the clock, and as time passes. */
export interface Moment {
  readonly at: number;
  readonly elapsed: number;
}

interface Call extends Moment {
  readonly amounts: MeterAmounts;
  readonly order: number;
  /** What of it was given back, and when, as time passes. */
  back: { readonly amounts: MeterAmounts; readonly order: number; readonly elapsed: number } | undefined;
}

/** What a call has spent of a meter in the end. */
const spentOf = ({ amounts, back }: Call, meter: string): number =>
  (amounts[meter] ?? 0) - (back?.amounts[meter] ?? 0);

/** Limits in the plainest form: everything that ever happened, looked through from the beginning. */
export class NaiveLimits {
  readonly #calls: Call[] = [];
  #order = 0;

  constructor(
    private readonly limits: readonly Limit[],
    private readonly anchors: Anchors = {},
  ) {}

  fits(now: Moment, amounts: MeterAmounts): boolean {
    return this.limits.every((limit) => {
      const amount = amounts[limit.meter] ?? 0;
      return amount === 0 || this.#exactlyUsed(limit, now) + amount <= limit.amount;
    });
  }

  canNeverFit(amounts: MeterAmounts): boolean {
    return this.limits.some(({ meter, amount }) => (amounts[meter] ?? 0) > amount);
  }

  take(now: Moment, amounts: MeterAmounts): Call {
    const call: Call = { ...now, amounts, back: undefined, order: this.#order++ };
    this.#calls.push(call);
    return call;
  }

  settle(call: Call, actual: MeterAmounts, elapsed: number): void {
    const amounts = Object.fromEntries(
      Object.entries(call.amounts).map(([meter, amount]) => [
        meter,
        Math.max(0, amount - (actual[meter] ?? amount)),
      ]),
    );
    call.back = { amounts, order: this.#order++, elapsed };
  }

  undo(call: Call, elapsed: number): void {
    call.back = { amounts: call.amounts, order: this.#order++, elapsed };
  }

  used(limit: Limit, now: Moment): number {
    return Math.ceil(this.#exactlyUsed(limit, now));
  }

  /** Whether the clock was set back: later periods may be used up already. */
  wasLater({ at }: Moment): boolean {
    return this.#calls.some((call) => call.at > at);
  }

  /** What a loader finds in all periods, by meter and period. */
  periods(): Amounts {
    const amounts = new Amounts();
    for (const call of this.#calls) {
      for (const period of [...periodsOf(call.at, this.anchors), LIFETIME.id]) {
        for (const meter of Object.keys(call.amounts)) amounts.add(meter, period, spentOf(call, meter));
      }
    }
    return amounts;
  }

  /** Law 2, of the log alone: in no interval was more spent than the limit allows. */
  overshoots(): string[] {
    return this.limits.filter((limit) => this.#overshoots(limit)).map(({ id }) => id);
  }

  #overshoots(limit: Limit): boolean {
    const { meter, window, amount } = limit;
    const kind = kindOf(limit, aggregationOf);
    return this.#calls.some((first, i) => {
      let points = 0;
      return this.#calls.slice(i).some((call) => {
        const spent = spentOf(call, meter);
        if (isFixed(window)) {
          if (this.#period(window, call.at) === this.#period(window, first.at)) points += spent;
          return points > amount;
        }
        if (kind === 'window') {
          if (call.elapsed < first.elapsed + SLIDING_MS[window]) points += spent;
          return points > amount;
        }
        points += spent;
        return points * SLIDING_MS[window] > amount * (SLIDING_MS[window] + call.elapsed - first.elapsed);
      });
    });
  }

  #period(window: Parameters<typeof periodAt>[0], at: number): string {
    return periodAt(window, at, this.anchors).id;
  }

  #exactlyUsed(limit: Limit, now: Moment): number {
    const { meter, window, amount } = limit;
    if (isFixed(window)) {
      const id = this.#period(window, now.at);
      return this.#sum(meter, ({ at }) => this.#period(window, at) === id);
    }
    const windowMs = SLIDING_MS[window];
    return kindOf(limit, aggregationOf) === 'bucket'
      ? amount - this.#tokens(meter, windowMs, amount, now.elapsed)
      : this.#sum(meter, ({ elapsed }) => elapsed > now.elapsed - windowMs);
  }

  #sum(meter: string, counts: (call: Call) => boolean): number {
    return this.#calls.filter(counts).reduce((sum, call) => sum + spentOf(call, meter), 0);
  }

  /** A bucket as textbooks have it: full at first, refilled as time goes by, never above its size. */
  #tokens(meter: string, windowMs: number, amount: number, now: number): number {
    const steps = this.#calls
      .flatMap((call) => [
        { order: call.order, at: call.elapsed, call, back: undefined },
        ...(call.back ? [{ order: call.back.order, at: call.back.elapsed, call, back: call.back }] : []),
      ])
      .sort((a, b) => a.order - b.order);
    const size = amount * windowMs;
    let tokens = size;
    let at = -Infinity;
    for (const step of steps) {
      if (step.at > at) tokens = at === -Infinity ? size : Math.min(size, tokens + (step.at - at) * amount);
      at = Math.max(at, step.at);
      const taken = (step.call.amounts[meter] ?? 0) * windowMs;
      if (!step.back) {
        tokens -= taken;
        continue;
      }
      // What has been refilled since is not given back a second time.
      const open = Math.max(0, taken - (at - step.call.elapsed) * amount);
      tokens = Math.min(size, tokens + Math.min((step.back.amounts[meter] ?? 0) * windowMs, open));
    }
    if (at !== -Infinity) tokens = Math.min(size, tokens + (now - at) * amount);
    return tokens / windowMs;
  }
}
