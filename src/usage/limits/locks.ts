/** One at a time for each name, in the order in which they came. */
export class Locks {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(name: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const running = before ? before.then(task, task) : task();
    const ended = running.catch(() => undefined);
    this.#last.set(name, ended);
    void ended.then(() => {
      if (this.#last.get(name) === ended) this.#last.delete(name);
    });
    return running;
  }
}
