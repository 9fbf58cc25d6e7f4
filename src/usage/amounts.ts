/** What is spent, by meter and period. */
export class Amounts {
  readonly #byMeter = new Map<string, Map<string, number>>();

  constructor(entries: Iterable<readonly [meter: string, period: string, amount: number]> = []) {
    for (const entry of entries) this.add(...entry);
  }

  /** 0 for what nothing was added to. */
  of(meter: string, period: string): number {
    return this.#byMeter.get(meter)?.get(period) ?? 0;
  }

  add(meter: string, period: string, amount: number): void {
    const periods = this.#byMeter.get(meter) ?? new Map<string, number>();
    this.#byMeter.set(meter, periods);
    periods.set(period, (periods.get(period) ?? 0) + amount);
  }

  *[Symbol.iterator](): Generator<readonly [meter: string, period: string, amount: number]> {
    for (const [meter, periods] of this.#byMeter) {
      for (const [period, amount] of periods) yield [meter, period, amount];
    }
  }
}
