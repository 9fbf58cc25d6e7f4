/** Up to there sums of amounts are kept as numbers: adding one more is exact. */
const MAX = 2 ** 52;

/** A sum of whole numbers, exact however large it gets. */
export class ExactSum {
  #small = 0;
  #large = 0n;

  /** @param amount at most 2^52 either way */
  add(amount: number): void {
    this.#small += amount;
    if (this.#small > MAX || this.#small < -MAX) {
      this.#large += BigInt(this.#small);
      this.#small = 0;
    }
  }

  /** All digits. */
  toString(): string {
    return this.#large === 0n ? String(this.#small) : String(this.#large + BigInt(this.#small));
  }
}
