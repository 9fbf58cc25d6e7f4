/**
 * The times of what was counted lately: in every interval of the window's length there is at most `amount`
 * of it. Exact, at eight bytes for each within the window.
 */
export class SlidingWindow {
  /** A ring: `count` times from `first` on, oldest first. */
  #times = new Float64Array(8);
  #first = 0;
  #count = 0;

  constructor(private readonly windowMs: number) {}

  /** How much the window that ends now holds. */
  used(now: number): number {
    while (this.#count > 0 && this.#at(0) <= now - this.windowMs) {
      this.#first = (this.#first + 1) % this.#times.length;
      this.#count--;
    }
    return this.#count;
  }

  /**
   * When so much more fits; not later than `now` where it fits now.
   * @param amount the limit, at least `more`
   */
  freeAt(now: number, amount: number, more = 1): number {
    const used = this.used(now);
    return used + more <= amount ? now : this.#at(used + more - amount - 1) + this.windowMs;
  }

  /** Adds what is counted at that time. Times must not go backwards. */
  add(at: number, amount = 1): void {
    for (let i = 0; i < amount; i++) {
      if (this.#count === this.#times.length) this.#grow();
      this.#times[(this.#first + this.#count) % this.#times.length] = at;
      this.#count++;
    }
  }

  /** Takes back so much of what was counted at that time, as far as it is still in the window. */
  remove(at: number, amount = 1): void {
    let end = this.#count;
    while (end > 0 && this.#at(end - 1) > at) end--;
    let begin = end;
    while (begin > 0 && end - begin < amount && this.#at(begin - 1) === at) begin--;
    const removed = end - begin;
    for (let i = end; i < this.#count; i++) {
      this.#times[(this.#first + i - removed) % this.#times.length] = this.#at(i);
    }
    this.#count -= removed;
  }

  #at(index: number): number {
    return this.#times[(this.#first + index) % this.#times.length] as number;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    for (let i = 0; i < this.#count; i++) times[i] = this.#at(i);
    this.#times = times;
    this.#first = 0;
  }
}
