import { open, readFile, rename, rm } from 'node:fs/promises';
import type { NewEvent } from '../../eventsourcing/event.js';

/**
 * A batch of which nobody knows whether it is stored, although its callers were told that they are not
 * billed; and what takes it back if it is.
 */
export interface UnconfirmedBatch {
  readonly stream: string;
  /** What the batch was appended behind. */
  readonly revision: number;
  readonly batch: NewEvent;
  /** Null where no caller waited. */
  readonly correction: NewEvent | null;
}

/**
 * The debt of a node, in a file beside its id: it outlives a process that ends before the store answers
 * again.
 */
export class UnconfirmedBatchFile {
  constructor(private readonly path: string) {}

  async read(): Promise<UnconfirmedBatch | undefined> {
    try {
      return JSON.parse(await readFile(this.path, 'utf8')) as UnconfirmedBatch;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async write(debt: UnconfirmedBatch): Promise<void> {
    // Under its name only when it is whole and on disk.
    const file = await open(`${this.path}.new`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(debt));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${this.path}.new`, this.path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}
