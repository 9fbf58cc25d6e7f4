/** What an event may say of a body. */
export interface BlobFacts {
  /** SHA-256 in lower-case hex. */
  readonly hash: string;
  readonly bytes: number;
}

/**
 * Where the bodies of blobs lie, encrypted (decision 22). What is written is there after a crash of the process,
 * or it is not: never a part of it.
 */
export interface BlobStore {
  /** Again it replaces what was there. */
  write(id: string, body: Buffer): Promise<void>;
  /** @returns undefined for what is not there */
  read(id: string): Promise<Buffer | undefined>;
  /** What is not there is no error. */
  remove(id: string): Promise<void>;
  /**
   * Ids of what has lain there unchanged since before a time, in their order.
   * @param time milliseconds since the epoch
   * @param after the last id of the page before; empty for the first page
   */
  olderThan(time: number, after: string, limit: number): Promise<readonly string[]>;
}
