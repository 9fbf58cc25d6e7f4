/** What a caller makes of an answer, whichever client brought it. */
export interface Outcome {
  readonly data: Readonly<Record<string, unknown>> | null | undefined;
  /** `extensions.code` of each error. */
  readonly codes: readonly unknown[];
}

/** A client as docs/clients.md shows it, with its own defaults. */
export interface TestedClient {
  /** Sends a query or mutation. */
  ask(query: string, variables?: Record<string, unknown>): Promise<Outcome>;
  /** Subscribes; each event, and in the end why it ended, if it was refused. */
  subscribe?(query: string): AsyncIterableIterator<Outcome>;
  close(): unknown;
}

/** @param headers the credential, under the names of the HTTP headers */
export type Connect = (url: string, headers: Record<string, string>) => TestedClient;

interface Coded {
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

export const codesOf = (errors: readonly Coded[] = []): unknown[] =>
  errors.map(({ extensions }) => extensions?.['code']);

/** What is pushed, to be pulled: of clients that call back. */
export class Pulled<T> implements AsyncIterableIterator<T> {
  readonly #waiting: T[] = [];
  #wake: () => void = () => undefined;
  #ended = false;

  constructor(private readonly stop: () => void = () => undefined) {}

  push(value: T): void {
    this.#waiting.push(value);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const value = this.#waiting.shift();
    return value === undefined ? { done: true, value: undefined } : { done: false, value };
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.stop();
    this.end();
    return this.next();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
