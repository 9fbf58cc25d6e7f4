/** Lets a loop rest until there is something to do. A call that comes while it works is not lost. */
export class Wake {
  #stop: (() => void) | undefined;
  #called = false;

  /** There may be something to do. */
  call(): void {
    this.#called = true;
    this.#stop?.();
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
