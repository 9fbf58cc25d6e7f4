import { BoundedMap } from '../boundedMap.js';
import { SLIDING_MS } from '../plans/profile.js';
import { SlidingWindow } from './slidingWindow.js';

/** What an account needs to help itself: so many a minute, whatever its quota (decision 13). */
export const GUARD_PER_MINUTE = 60;

/** A guard before calls that no plan limits: so many in every window. In memory: a restart forgives. */
export class Guard {
  readonly #windows = new BoundedMap<SlidingWindow>(50_000);

  constructor(
    private readonly amount: number = GUARD_PER_MINUTE,
    private readonly windowMs: number = SLIDING_MS.minute,
  ) {}

  /** @returns milliseconds to wait; 0 when the call passes */
  take(who: string, now: number): number {
    let window = this.#windows.get(who);
    if (!window) this.#windows.set(who, (window = new SlidingWindow(this.windowMs)));
    const wait = window.freeAt(now, this.amount) - now;
    if (wait === 0) window.add(now);
    return wait;
  }

  /** Takes back what a call took at `at`. */
  giveBack(who: string, at: number): void {
    this.#windows.get(who)?.remove(at);
  }
}
