/**
 * The times of the latest calls: in every interval of the window's length there are at most `amount`
 * of them. Exact, at eight bytes a call within the window.
 */
export class SlidingWindow {
  /** A ring: `count` times from `first` on, oldest first. */
  #times = new Float64Array(8);
  #first = 0;
  #count = 0;

  constructor(private readonly windowMs: number) {}

  /** How many calls the window that ends now holds. */
  used(now: number): number {
    while (this.#count > 0 && this.#at(0) <= now - this.windowMs) {
      this.#first = (this.#first + 1) % this.#times.length;
      this.#count--;
    }
    return this.#count;
  }

  /**
   * When one more call fits, milliseconds since the epoch; not later than `now` where it fits now.
   * @param amount the limit, at least 1
   */
  freeAt(now: number, amount: number): number {
    const used = this.used(now);
    return used < amount ? now : this.#at(used - amount) + this.windowMs;
  }

  /** Adds a call. Times must not go backwards. */
  add(at: number): void {
    if (this.#count === this.#times.length) this.#grow();
    this.#times[(this.#first + this.#count) % this.#times.length] = at;
    this.#count++;
  }

  /** Takes back the newest call at that time, if it is still in the window. */
  remove(at: number): void {
    for (let i = this.#count - 1; i >= 0 && this.#at(i) >= at; i--) {
      if (this.#at(i) !== at) continue;
      for (let j = i; j < this.#count - 1; j++) {
        this.#times[(this.#first + j) % this.#times.length] = this.#at(j + 1);
      }
      this.#count--;
      return;
    }
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
