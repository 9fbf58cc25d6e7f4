/** Up to there sums of amounts are kept as numbers: adding one more is exact. */
const MAX = 2 ** 52;

/** A sum of whole numbers, exact however large it gets. */
export class ExactSum {
  #small = 0;
  #large: bigint;

  constructor(from = 0n) {
    this.#large = from;
    this.#settle();
  }

  /** @param amount at most 2^52 either way */
  add(amount: number): void {
    this.#small += amount;
    if (this.#small > MAX || this.#small < -MAX) {
      this.#large += BigInt(this.#small);
      this.#small = 0;
    } else if (this.#large !== 0n) this.#settle();
  }

  /** The nearest number: exact up to 2^53. */
  get rounded(): number {
    return this.#large === 0n ? this.#small : Number(this.exactly);
  }

  get exactly(): bigint {
    return this.#large + BigInt(this.#small);
  }

  /** All digits. */
  toString(): string {
    return this.#large === 0n ? String(this.#small) : String(this.exactly);
  }

  /** What a number can hold is kept as one. */
  #settle(): void {
    const all = this.exactly;
    if (all > MAX || all < -MAX) return;
    this.#small = Number(all);
    this.#large = 0n;
  }
}
