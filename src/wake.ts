const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;

export interface Repeating {
  /** Rests so long at most where nothing has failed, in milliseconds; without it, until it is called. */
  readonly restMs?: number;
  readonly onError: (error: unknown) => void;
}

/** Lets a loop rest until there is something to do. A call that comes while it works is not lost. */
export class Wake {
  #stop: (() => void) | undefined;
  #called = false;

  /** There may be something to do. */
  call(): void {
    this.#called = true;
    this.#stop?.();
  }

  /**
   * Works until it is told to stop: again as soon as it is called, after a rest, or after a failure, later each time.
   * @param work returns whether there is something to try again later
   */
  async repeat(
    until: AbortSignal,
    work: () => Promise<boolean>,
    { restMs, onError }: Repeating,
  ): Promise<void> {
    let failures = 0;
    while (!until.aborted) {
      this.looks();
      let failed: boolean;
      try {
        failed = await work();
      } catch (error) {
        onError(error);
        failed = true;
      }
      failures = failed ? failures + 1 : 0;
      await this.rest(until, failed ? Math.min(RETRY_MS_MIN * 2 ** failures, RETRY_MS_MAX) : restMs);
    }
  }

  /** The loop looks at all that there is: calls from here on are for its next round. */
  looks(): void {
    this.#called = false;
  }

  /**
   * Rests until it is called, unless it was called since it last looked.
   * @param until ends it at once
   * @param ms at most; without it, until it is called
   */
  async rest(until: AbortSignal, ms?: number): Promise<void> {
    if (until.aborted || this.#called) return;
    let timer: NodeJS.Timeout | undefined;
    let stop = (): void => undefined;
    await new Promise<void>((resolve) => {
      stop = () => resolve();
      this.#stop = stop;
      until.addEventListener('abort', stop, { once: true });
      if (ms !== undefined) timer = setTimeout(stop, ms);
    });
    this.#stop = undefined;
    until.removeEventListener('abort', stop);
    clearTimeout(timer);
  }
}
