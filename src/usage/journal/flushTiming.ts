/** How long the first use after a quiet time waits for others, in milliseconds. */
const FIRST_MS = 2;

/**
 * While every turn of the event loop brings more uses, a flush waits for them so many times `flushMs`: then
 * more of them share what it costs. As soon as a turn brings none the loop is idle, and nobody waits for nothing.
 */
const BUSY_RESTS = 4;

/** Time and turns of the process's event loop, in milliseconds. */
export interface EventLoop {
  readonly now: () => number;
  /** Calls back in the next turn. */
  readonly soon: (resume: () => void) => void;
  /** @returns what calls it off */
  readonly after: (ms: number, resume: () => void) => () => void;
}

const eventLoop: EventLoop = {
  now: () => performance.now(),
  soon: (resume) => void setImmediate(resume),
  after: (ms, resume) => {
    const timer = setTimeout(resume, ms);
    return () => clearTimeout(timer);
  },
};

export interface FlushTimingOptions {
  /** Shortest time from the end of one gathering to the end of the next, in milliseconds. */
  readonly flushMs: number;
  /** How many wait by now. */
  readonly size: () => number;
  /** As many as one flush takes. */
  readonly max: number;
  readonly loop?: EventLoop;
}

/** Decides when the uses that wait are flushed together. */
export class FlushTiming {
  readonly #loop: EventLoop;
  #lastEnd = -Infinity;
  /** When the present one ends at the latest. */
  #until = 0;
  #resume: (() => void) | undefined;
  #closed = false;

  constructor(private readonly options: FlushTimingOptions) {
    this.#loop = options.loop ?? eventLoop;
  }

  /**
   * Waits for more uses to share the next flush: `flushMs` from the last one at least, then on while turns
   * bring more.
   * @param quiet whether nothing waited, and nothing was flushed, before what waits now
   */
  async gather(quiet: boolean): Promise<void> {
    const { flushMs, size } = this.options;
    const least = this.#lastEnd + flushMs;
    const most = quiet ? this.#loop.now() + FIRST_MS : this.#lastEnd + BUSY_RESTS * flushMs;
    this.#until = Math.max(least, most);
    const rest = least - this.#loop.now();
    if (rest > 0 && !this.#hasEnough()) await this.#rest(rest);
    for (let before = -1; size() > before && !this.#hasEnough();) {
      before = size();
      await this.#paused(this.#loop.soon);
    }
    this.#lastEnd = this.#loop.now();
  }

  /** To be called for each use that came: a long turn does not hold back what is enough. */
  added(): void {
    if (this.#resume && this.#hasEnough()) this.#resume();
  }

  /** Ends what is gathered, and lets nothing wait any more. */
  close(): void {
    this.#closed = true;
    this.#resume?.();
  }

  async #rest(ms: number): Promise<void> {
    let callOff: (() => void) | undefined;
    await this.#paused((resume) => (callOff = this.#loop.after(ms, resume)));
    callOff?.();
  }

  /** Until `begin` calls back, or there is enough. */
  async #paused(begin: (resume: () => void) => void): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      begin(resolve);
    });
    this.#resume = undefined;
  }

  #hasEnough(): boolean {
    return this.#closed || this.options.size() >= this.options.max || this.#loop.now() >= this.#until;
  }
}
