/** Describe of the unnamed portal, and its Execute without a limit on rows. */
const DESCRIBE_EXECUTE = Buffer.from('D\0\0\0\x06P\0E\0\0\0\x09\0\0\0\0\0', 'latin1');
const SYNC = Buffer.from('S\0\0\0\x04', 'latin1');

const TEXT = 0;
const BINARY = 1;

/** Of a parameter. */
export type Value = string | Uint8Array | null;

/**
 * Writes the messages that run prepared statements (PostgreSQL's protocol, "Message Formats"), one behind the
 * other, into one buffer that is used again: a batch of the journal is long, and copies of it are most of what
 * the garbage collector would have to do.
 */
export class PipelineWriter {
  #buffer = Buffer.allocUnsafe(64 * 1024);
  #length = 0;

  /** @param values texts in PostgreSQL's text format, bytes in its binary one */
  execute(statement: string, values: readonly Value[]): void {
    let most = statement.length + 32 + DESCRIBE_EXECUTE.length;
    for (const value of values) most += 6 + (value === null ? 0 : Buffer.byteLength(value));
    this.#makeRoomFor(most);
    const begin = this.#length;
    this.#text('B\0\0\0\0\0');
    this.#text(statement);
    this.#text('\0');
    this.#int16(values.length);
    for (const value of values) this.#int16(value instanceof Uint8Array ? BINARY : TEXT);
    this.#int16(values.length);
    for (const value of values) this.#value(value);
    // All results are text.
    this.#int16(0);
    this.#buffer.writeInt32BE(this.#length - begin - 1, begin + 1);
    this.#bytes(DESCRIBE_EXECUTE);
  }

  /** Everything since the last time, with a Sync; valid until the next message is written. */
  finish(): Uint8Array {
    this.#makeRoomFor(SYNC.length);
    this.#bytes(SYNC);
    const messages = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    return messages;
  }

  #value(value: Value): void {
    const place = this.#length;
    this.#length += 4;
    if (typeof value === 'string') this.#text(value);
    else if (value) this.#bytes(value);
    this.#buffer.writeInt32BE(value === null ? -1 : this.#length - place - 4, place);
  }

  #text(text: string): void {
    this.#length += this.#buffer.write(text, this.#length);
  }

  #int16(number: number): void {
    this.#length = this.#buffer.writeInt16BE(number, this.#length);
  }

  #bytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #makeRoomFor(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const before = this.#buffer;
    this.#buffer = Buffer.allocUnsafe(needed * 2);
    before.copy(this.#buffer, 0, 0, this.#length);
  }
}
