/** What is spent, by meter and period: whole numbers, exact however large. */
export class Amounts {
  readonly #byMeter = new Map<string, Map<string, bigint>>();

  constructor(entries: Iterable<readonly [meter: string, period: string, amount: number | bigint]> = []) {
    for (const entry of entries) this.add(...entry);
  }

  /** 0 for what nothing was added to; the nearest number above 2^53. */
  of(meter: string, period: string): number {
    return Number(this.exactly(meter, period));
  }

  exactly(meter: string, period: string): bigint {
    return this.#byMeter.get(meter)?.get(period) ?? 0n;
  }

  add(meter: string, period: string, amount: number | bigint): void {
    const periods = this.#byMeter.get(meter) ?? new Map<string, bigint>();
    this.#byMeter.set(meter, periods);
    periods.set(period, (periods.get(period) ?? 0n) + BigInt(amount));
  }

  *[Symbol.iterator](): Generator<readonly [meter: string, period: string, amount: bigint]> {
    for (const [meter, periods] of this.#byMeter) {
      for (const [period, amount] of periods) yield [meter, period, amount];
    }
  }
}
