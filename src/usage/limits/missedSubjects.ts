import { appendFile, readFile, rm } from 'node:fs/promises';
import type { Logger } from '../../logger.js';
import type { Subject } from '../events.js';
import { subjectId } from '../events.js';

/**
 * Those whose uses the shared counters do not know of, in a file beside the node's id: it outlives a process that
 * ends while what is shared is away, and the next one of this node has their counters loaded anew. The data directory
 * is locked, so that one process at a time writes it.
 */
export class MissedSubjects {
  /** Missed once more, one is another object. */
  readonly #byId = new Map<string, Subject>();
  /** Those that the file is known to have. */
  readonly #onDisk = new Set<string>();
  /** Those that it is to have with the next write. */
  #unwritten = new Map<string, Subject>();
  /** What is done with the file, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #failing = false;

  /** @param path undefined to keep them in memory alone */
  private constructor(
    private readonly path: string | undefined,
    private readonly log: Logger,
  ) {}

  static async open(path: string | undefined, log: Logger): Promise<MissedSubjects> {
    const missed = new MissedSubjects(path, log);
    for (const line of path === undefined ? [] : await linesOf(path)) {
      const subject = subjectIn(line);
      if (!subject) continue;
      missed.#byId.set(subjectId(subject), subject);
      missed.#onDisk.add(subjectId(subject));
    }
    return missed;
  }

  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): IterableIterator<Subject> {
    return this.#byId.values();
  }

  /** Resolves when the file has them all, or cannot: they are written with whoever comes next then. */
  async add(subjects: readonly Subject[]): Promise<void> {
    let fresh = false;
    for (const subject of subjects) {
      const id = subjectId(subject);
      this.#byId.set(id, { ...subject });
      if (this.path === undefined || this.#onDisk.has(id)) continue;
      this.#unwritten.set(id, subject);
      fresh = true;
    }
    // Also where another call is about to write them: that has to be over first.
    if (fresh) await this.#inTurn((path) => this.#write(path));
  }

  /**
   * What the file says may be said again: those are loaded once more.
   * @param subject as it was iterated over: one that was missed again meanwhile stays
   */
  async delete(subject: Subject): Promise<void> {
    const id = subjectId(subject);
    if (this.#byId.get(id) !== subject) return;
    this.#byId.delete(id);
    this.#unwritten.delete(id);
    if (this.#byId.size === 0) await this.#inTurn((path) => this.#empty(path));
  }

  #inTurn(work: (path: string) => Promise<void>): Promise<void> {
    const { path } = this;
    if (path === undefined) return Promise.resolve();
    return (this.#turn = this.#turn.then(async () => {
      try {
        await work(path);
        this.#failing = false;
      } catch (error) {
        // Once for an outage of the disk, and not each time.
        if (!this.#failing)
          this.log.error('whose limits have to be loaded anew cannot be kept on disk', error);
        this.#failing = true;
      }
    }));
  }

  /** All that wait, with one write. */
  async #write(path: string): Promise<void> {
    const subjects = this.#unwritten;
    if (subjects.size === 0) return;
    this.#unwritten = new Map();
    // Each begins a line of its own: the one before may have been cut off.
    const lines = [...subjects.values()].map((subject) => `\n${JSON.stringify(subject)}`);
    try {
      await appendFile(path, lines.join(''), { mode: 0o600 });
    } catch (error) {
      for (const [id, subject] of subjects) if (this.#byId.has(id)) this.#unwritten.set(id, subject);
      throw error;
    }
    for (const id of subjects.keys()) this.#onDisk.add(id);
  }

  async #empty(path: string): Promise<void> {
    if (this.#byId.size > 0) return;
    // Before it is gone: who is missed from now on is written again, behind this.
    this.#onDisk.clear();
    await rm(path, { force: true });
  }
}

async function linesOf(path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined for a line that was cut off, by the end of its process or of the disk. */
function subjectIn(line: string): Subject | undefined {
  try {
    const { accountId, environment, keyId, customerId } = JSON.parse(line) as Subject;
    return typeof accountId === 'string' ? { accountId, environment, keyId, customerId } : undefined;
  } catch {
    return undefined;
  }
}
