/** The newest numbers of a series, by invoice: those that a read model has not seen yet. */
export class NewestNumbers {
  /** In the order of the numbers: all from the first one that was not seen to the last. */
  readonly #byInvoice = new Map<string, number>();
  #seen = 0;
  #last = 0;

  /** The last number that is known; 0 for none. */
  get last(): number {
    return this.#last;
  }

  /** How many are in memory. */
  get size(): number {
    return this.#byInvoice.size;
  }

  of(invoiceId: string): number | undefined {
    return this.#byInvoice.get(invoiceId);
  }

  /** The next number is this invoice's. */
  add(invoiceId: string): number {
    this.#last++;
    this.#byInvoice.set(invoiceId, this.#last);
    return this.#last;
  }

  /**
   * The read model has all numbers up to this one: they are forgotten here. Where it knows of more than we do, or of
   * less than before, as while it is rebuilt, what comes after that number is unknown: `last` is that number.
   */
  forgetUpTo(seen: number): void {
    if (seen < this.#seen || seen > this.#last) {
      this.#byInvoice.clear();
      this.#last = seen;
    }
    this.#seen = seen;
    for (const [invoiceId, number] of this.#byInvoice) {
      if (number > seen) break;
      this.#byInvoice.delete(invoiceId);
    }
  }
}
