import { BoundedMap } from '../../boundedMap.js';
import type { Elapsed } from '../../clock.js';
import { elapsed } from '../../clock.js';
import { SLIDING_MS } from '../../plans/profile.js';
import { SlidingWindow } from './slidingWindow.js';

/** What an account needs to help itself: so many a minute, whatever its quota (decision 13). */
export const GUARD_PER_MINUTE = 60;

/** What came of a call before a guard. */
export interface Passage {
  /** Milliseconds to wait; 0 when the call passes. */
  readonly waitMs: number;
  /** Takes back what a call took that passed. */
  giveBack(): void;
}

/** A guard before calls that no plan limits: so many in every window. In memory: a restart forgives. */
export class Guard {
  readonly #windows = new BoundedMap<SlidingWindow>(50_000);

  constructor(
    private readonly amount: number = GUARD_PER_MINUTE,
    private readonly windowMs: number = SLIDING_MS.minute,
    private readonly time: Elapsed = elapsed,
  ) {}

  /** @param amount of this call's kind, where kinds have amounts of their own */
  take(who: string, amount: number = this.amount): Passage {
    let window = this.#windows.get(who);
    if (!window) this.#windows.set(who, (window = new SlidingWindow(this.windowMs)));
    const now = this.time();
    const waitMs = window.freeAt(now, amount) - now;
    if (waitMs > 0) return { waitMs, giveBack: () => undefined };
    window.add(now);
    const counted = window;
    return { waitMs: 0, giveBack: () => counted.remove(now) };
  }
}
