import type { CsvName } from './answer.js';

/** A piece of a CSV, as it stands within a string of JSON, in UTF-8. */
export interface Piece {
  readonly csv: CsvName;
  readonly json: Uint8Array;
}

/** Bytes that answers hold which nobody has read yet. */
export class Ahead {
  #held = 0;

  /**
   * @param own of one answer
   * @param all of all together
   */
  constructor(
    private readonly own: number,
    private readonly all: number,
  ) {}

  move(bytes: number): void {
    this.#held += bytes;
  }

  /** Whether an answer that holds so much may take more. */
  allows(own: number): boolean {
    return own < this.own && this.#held < this.all;
  }
}

/**
 * The pieces of an answer between the thread that makes them and whoever reads them: so many are taken from
 * the thread that a slow reader does not hold it, unless the answer is very long.
 */
export class ReadAhead {
  readonly #queue: Piece[] = [];
  #bytes = 0;
  #end: { readonly error: Error | undefined } | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(private readonly ahead: Ahead) {}

  /** Resolves when there is room for another piece, or nobody reads any more. */
  async write(piece: Piece): Promise<void> {
    if (this.#end) return;
    this.#queue.push(piece);
    this.#move(piece.json.length);
    this.#wakeReader?.();
    while (!this.#end && this.#queue.length > 0 && !this.ahead.allows(this.#bytes)) {
      await new Promise<void>((resolve) => (this.#wakeWriter = resolve));
    }
  }

  /** No piece follows. */
  end(): void {
    this.#end ??= { error: undefined };
    this.#wakeReader?.();
  }

  /** Nobody writes, or nobody reads, any more: the reader gets this error, and what is held is dropped. */
  fail(error: Error): void {
    this.#end = { error };
    this.#queue.length = 0;
    this.#move(-this.#bytes);
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  async *read(): AsyncGenerator<Piece> {
    for (;;) {
      const piece = this.#queue.shift();
      if (piece) {
        this.#move(-piece.json.length);
        this.#wakeWriter?.();
        yield piece;
      } else if (this.#end) {
        if (this.#end.error) throw this.#end.error;
        return;
      } else await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
  }

  #move(bytes: number): void {
    this.#bytes += bytes;
    this.ahead.move(bytes);
  }
}
