/** So many calls at once and no more; the others wait in line. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #onIdle: (() => void)[] = [];

  constructor(private readonly count: number) {
    this.#free = count;
  }

  /** When no call runs any more. */
  async idle(): Promise<void> {
    if (this.#free < this.count) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await call();
    } finally {
      // A slot goes straight to the next in line, past whoever comes at this moment.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
      if (this.#free === this.count) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }
}
