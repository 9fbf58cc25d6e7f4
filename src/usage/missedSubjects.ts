import { appendFile, readFile, rm } from 'node:fs/promises';
import type { Logger } from '../logger.js';
import type { Subject } from './events.js';
import { subjectId } from './events.js';

/**
 * Those whose uses the shared counters do not know of, in a file beside the node's id: it outlives a process that
 * ends while what is shared is away, and the next one of this node has their counters loaded anew.
 */
export class MissedSubjects {
  readonly #byId = new Map<string, Subject>();

  /** @param path undefined to keep them in memory alone */
  private constructor(
    private readonly path: string | undefined,
    private readonly log: Logger,
  ) {}

  static async open(path: string | undefined, log: Logger): Promise<MissedSubjects> {
    const missed = new MissedSubjects(path, log);
    for (const line of path === undefined ? [] : await linesOf(path)) {
      const subject = subjectIn(line);
      if (subject) missed.#byId.set(subjectId(subject), subject);
    }
    return missed;
  }

  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): IterableIterator<Subject> {
    return this.#byId.values();
  }

  /** Resolves when the file has those that it did not have. */
  async add(subjects: readonly Subject[]): Promise<void> {
    const fresh = subjects.filter((subject) => !this.#byId.has(subjectId(subject)));
    for (const subject of fresh) this.#byId.set(subjectId(subject), subject);
    if (this.path === undefined || fresh.length === 0) return;
    try {
      await appendFile(this.path, fresh.map((subject) => `${JSON.stringify(subject)}\n`).join(''), {
        mode: 0o600,
      });
    } catch (error) {
      this.log.error('whose limits have to be loaded anew cannot be kept on disk', error);
    }
  }

  /** What the file says may be said again: those are loaded once more. */
  async delete(subject: Subject): Promise<void> {
    this.#byId.delete(subjectId(subject));
    if (this.#byId.size === 0 && this.path !== undefined) await rm(this.path, { force: true });
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

/** Undefined for a line that the end of its process has cut off. */
function subjectIn(line: string): Subject | undefined {
  try {
    const { accountId, environment, keyId, customerId } = JSON.parse(line) as Subject;
    return typeof accountId === 'string' ? { accountId, environment, keyId, customerId } : undefined;
  } catch {
    return undefined;
  }
}
