/**
 * Cost points as a bucket: `amount` of them, refilled evenly over the window (decision 13). Kept is what is
 * owed, in points times milliseconds of the window: so everything is whole numbers, and exact.
 */
export class Bucket {
  #owed: number;
  #at: number;
  /** Refill in points for each window: the limit's amount when the bucket was last looked at. */
  #rate = 0;

  /**
   * @param windowMs in which an empty bucket is full again
   * @param owed points that are spent and not refilled
   * @param at when, milliseconds since the epoch
   */
  constructor(
    private readonly windowMs: number,
    owed: number,
    at: number,
  ) {
    this.#owed = owed * windowMs;
    this.#at = at;
  }

  /** Points that are spent, rounded up. Times must not go backwards. */
  used(now: number, amount: number): number {
    this.#refill(now, amount);
    return Math.ceil(this.#owed / this.windowMs);
  }

  /** When so many points fit, at most `amount`; `now` where they fit now. */
  freeAt(now: number, amount: number, points: number): number {
    this.#refill(now, amount);
    return now + Math.max(0, Math.ceil((this.#owed - (amount - points) * this.windowMs) / amount));
  }

  take(points: number): void {
    this.#owed += points * this.windowMs;
  }

  /**
   * Gives points back. What the refill has made good since the take is no longer owed: given back too, it
   * would be paid with what others have spent since.
   * @param taken points that were taken at `at`, of which `points` come back
   */
  giveBack(now: number, amount: number, points: number, taken: number, at: number): void {
    // The plan may have changed since the take: who looks says at which rate it goes on, not what ends.
    const rate = this.#rate || amount;
    this.#refill(now, rate);
    const open = taken * this.windowMs - (now - at) * Math.max(rate, amount);
    this.#owed -= Math.max(0, Math.min(points * this.windowMs, open, this.#owed));
  }

  #refill(now: number, amount: number): void {
    this.#owed = Math.max(0, this.#owed - (now - this.#at) * (this.#rate || amount));
    this.#at = now;
    this.#rate = amount;
  }
}
