import type { Limit } from '../../src/plans/profile.js';
import { SLIDING_MS } from '../../src/plans/profile.js';
import { Amounts } from '../../src/usage/amounts.js';
import { isFixed, periodOf } from '../../src/usage/periods.js';

/** One moment: by the clock, and as time passes. */
export interface Moment {
  readonly at: number;
  readonly elapsed: number;
}

interface Call extends Moment {
  readonly cost: number;
  /** What of it was given back, and when, as time passes. */
  back: { readonly points: number; readonly order: number; readonly elapsed: number } | undefined;
  readonly order: number;
  undone: boolean;
}

/** Limits in the plainest form: everything that ever happened, looked through from the beginning. */
export class NaiveLimits {
  readonly #calls: Call[] = [];
  #order = 0;

  constructor(private readonly limits: readonly Limit[]) {}

  fits(now: Moment, cost: number): boolean {
    return this.limits.every((limit) => {
      const points = limit.meter === 'requests' ? 1 : cost;
      return points === 0 || this.#exactlyUsed(limit, now) + points <= limit.amount;
    });
  }

  canNeverFit(cost: number): boolean {
    return this.limits.some(({ meter, amount }) => meter === 'cost' && cost > amount);
  }

  take(now: Moment, cost: number): Call {
    const call: Call = { ...now, cost, back: undefined, order: this.#order++, undone: false };
    this.#calls.push(call);
    return call;
  }

  settle(call: Call, actual: number, elapsed: number): void {
    const points = Math.max(0, call.cost - actual);
    call.back = { points, order: this.#order++, elapsed };
  }

  undo(call: Call, elapsed: number): void {
    call.back = { points: call.cost, order: this.#order++, elapsed };
    call.undone = true;
  }

  used(limit: Limit, now: Moment): number {
    return Math.ceil(this.#exactlyUsed(limit, now));
  }

  /** Whether the clock was set back: later periods may be used up already. */
  wasLater({ at }: Moment): boolean {
    return this.#calls.some((call) => call.at > at);
  }

  /** What a loader finds in the day and the month of that time, by meter and period. */
  periods(at: number): Amounts {
    const names = [periodOf('day', at), periodOf('month', at)];
    const amounts = new Amounts();
    for (const call of this.#calls) {
      const { at: then, cost, back, undone } = call;
      for (const name of [periodOf('day', then), periodOf('month', then)]) {
        if (!names.includes(name)) continue;
        amounts.add('requests', name, undone ? 0 : 1);
        amounts.add('cost', name, cost - (back?.points ?? 0));
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
    const spent = this.#calls
      .filter(({ undone }) => meter === 'cost' || !undone)
      .map(({ at, elapsed, cost, back }) => ({
        at,
        elapsed,
        points: meter === 'requests' ? 1 : cost - (back?.points ?? 0),
      }));
    return spent.some((first, i) => {
      let points = 0;
      return spent.slice(i).some(({ at, elapsed, points: more }) => {
        if (isFixed(window)) {
          if (periodOf(window, at) === periodOf(window, first.at)) points += more;
          return points > amount;
        }
        if (meter === 'requests') {
          if (elapsed < first.elapsed + SLIDING_MS[window]) points += more;
          return points > amount;
        }
        points += more;
        return points * SLIDING_MS[window] > amount * (SLIDING_MS[window] + elapsed - first.elapsed);
      });
    });
  }

  #exactlyUsed(limit: Limit, now: Moment): number {
    const { meter, window, amount } = limit;
    if (meter === 'cost' && !isFixed(window)) {
      return amount - this.#tokens(SLIDING_MS[window], amount, now.elapsed);
    }
    let used = 0;
    for (const { at, elapsed, cost, back, undone } of this.#calls) {
      const counts = isFixed(window)
        ? periodOf(window, at) === periodOf(window, now.at)
        : elapsed > now.elapsed - SLIDING_MS[window];
      if (!counts) continue;
      if (meter === 'requests') used += undone ? 0 : 1;
      else used += cost - (back?.points ?? 0);
    }
    return used;
  }

  /** A bucket as textbooks have it: full at first, refilled as time goes by, never above its size. */
  #tokens(windowMs: number, amount: number, now: number): number {
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
      if (!step.back) {
        tokens -= step.call.cost * windowMs;
        continue;
      }
      // What has been refilled since is not given back a second time.
      const open = Math.max(0, step.call.cost * windowMs - (at - step.call.elapsed) * amount);
      tokens = Math.min(size, tokens + Math.min(step.back.points * windowMs, open));
    }
    if (at !== -Infinity) tokens = Math.min(size, tokens + (now - at) * amount);
    return tokens / windowMs;
  }
}
