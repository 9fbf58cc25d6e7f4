import type { Limit } from '../../src/plans/profile.js';
import { SLIDING_MS } from '../../src/plans/profile.js';
import { isFixed, periodOf } from '../../src/usage/periods.js';

interface Call {
  readonly at: number;
  readonly cost: number;
  /** What of it was given back, and at what time of the log. */
  back: { readonly points: number; readonly order: number; readonly at: number } | undefined;
  readonly order: number;
  undone: boolean;
}

/** Limits in the plainest form: everything that ever happened, looked through from the beginning. */
export class NaiveLimits {
  readonly #calls: Call[] = [];
  #order = 0;
  #latest = -Infinity;

  constructor(private readonly limits: readonly Limit[]) {}

  /** The time that counts: it never goes backwards. */
  at(now: number): number {
    return (this.#latest = Math.max(this.#latest, now));
  }

  fits(now: number, cost: number): boolean {
    return this.limits.every((limit) => {
      const points = limit.meter === 'requests' ? 1 : cost;
      return points === 0 || this.#exactlyUsed(limit, now) + points <= limit.amount;
    });
  }

  canNeverFit(cost: number): boolean {
    return this.limits.some(({ meter, amount }) => meter === 'cost' && cost > amount);
  }

  take(at: number, cost: number): Call {
    const call: Call = { at, cost, back: undefined, order: this.#order++, undone: false };
    this.#calls.push(call);
    return call;
  }

  settle(call: Call, actual: number): void {
    const points = Math.max(0, call.cost - actual);
    call.back = { points, order: this.#order++, at: this.#latest };
  }

  undo(call: Call): void {
    call.back = { points: call.cost, order: this.#order++, at: this.#latest };
    call.undone = true;
  }

  used(limit: Limit, now: number): number {
    return Math.ceil(this.#exactlyUsed(limit, now));
  }

  /** Law 2, of the log alone: in no interval was more spent than the limit allows. */
  overshoots(): string[] {
    return this.limits.filter((limit) => this.#overshoots(limit)).map(({ id }) => id);
  }

  #overshoots(limit: Limit): boolean {
    const { meter, window, amount } = limit;
    const spent = this.#calls
      .filter(({ undone }) => meter === 'cost' || !undone)
      .map(({ at, cost, back }) => ({ at, points: meter === 'requests' ? 1 : cost - (back?.points ?? 0) }));
    return spent.some((first, i) => {
      let points = 0;
      return spent.slice(i).some(({ at, points: more }) => {
        if (isFixed(window)) {
          if (periodOf(window, at) === periodOf(window, first.at)) points += more;
          return points > amount;
        }
        if (meter === 'requests') {
          if (at < first.at + SLIDING_MS[window]) points += more;
          return points > amount;
        }
        points += more;
        return points * SLIDING_MS[window] > amount * (SLIDING_MS[window] + at - first.at);
      });
    });
  }

  #exactlyUsed(limit: Limit, now: number): number {
    const { meter, window, amount } = limit;
    if (meter === 'cost' && !isFixed(window)) return amount - this.#tokens(SLIDING_MS[window], amount, now);
    let used = 0;
    for (const { at, cost, back, undone } of this.#calls) {
      const counts = isFixed(window)
        ? periodOf(window, at) === periodOf(window, now)
        : at > now - SLIDING_MS[window];
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
        { order: call.order, at: call.at, call, back: undefined },
        ...(call.back ? [{ order: call.back.order, at: call.back.at, call, back: call.back }] : []),
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
      const open = Math.max(0, step.call.cost * windowMs - (at - step.call.at) * amount);
      tokens = Math.min(size, tokens + Math.min(step.back.points * windowMs, open));
    }
    if (at !== -Infinity) tokens = Math.min(size, tokens + (now - at) * amount);
    return tokens / windowMs;
  }
}
