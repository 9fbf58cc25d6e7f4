/** From one look at what is running to the next, in milliseconds: a call may run so much longer. */
const LOOK_MS = 250;

interface Running {
  /** When it is given up, on `performance.now()`. */
  readonly until: number;
  giveUp(): void;
}

/** Gives up what runs for too long. One timer looks at all of it: a timer for each call costs a small call a tenth. */
export class Deadlines {
  readonly #running = new Set<Running>();
  #looking: NodeJS.Timeout | undefined;

  /** @param ms how long something may run, in milliseconds */
  constructor(private readonly ms: number) {}

  /** What `work` comes to; `timeout` when it takes too long: it is then left to itself. */
  within<R>(work: Promise<R>): Promise<R | 'timeout'> {
    return new Promise((resolve, reject) => {
      const running: Running = {
        until: performance.now() + this.ms,
        giveUp: () => resolve('timeout'),
      };
      this.#running.add(running);
      this.#looking ??= setInterval(() => this.#look(), LOOK_MS).unref();
      work.then(
        (result) => {
          this.#running.delete(running);
          resolve(result);
        },
        (error: Error) => {
          this.#running.delete(running);
          reject(error);
        },
      );
    });
  }

  #look(): void {
    const now = performance.now();
    for (const running of this.#running) {
      // Behind it come only those that began later.
      if (running.until > now) break;
      this.#running.delete(running);
      running.giveUp();
    }
    if (this.#running.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}
