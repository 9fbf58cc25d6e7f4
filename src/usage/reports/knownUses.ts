import type { KnownPhase, UsageQueries } from '../../../projections/usage/queries.js';
import type { Refusal } from '../../eventsourcing/decider.js';
import type { Position } from '../../eventsourcing/event.js';
import { START } from '../../eventsourcing/event.js';

/** A record of a use that this process is storing, or has stored. */
export interface Recent {
  /** As `contentOf` has it, of the record that counts. */
  readonly content: string;
  /** Why its id can't be taken, whatever is said. */
  readonly refusal?: Refusal | undefined;
  /** Resolves to the position of its batch; rejects where it could not be stored. */
  readonly stored: Promise<Position>;
}

interface Entry extends Recent {
  readonly hash: string;
  content: string;
  refusal?: Refusal | undefined;
  position: Position | undefined;
}

type Asked = {
  readonly hashes: readonly string[];
  readonly resolve: (known: KnownPhase[]) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * The ids that cannot count once more: those of this process that the ledger has not seen, in memory, and the
 * ledger's. Whoever asks while a look-up is under way shares the next (decision 11).
 */
export class KnownUses {
  readonly #recent = new Map<string, Entry>();
  /** In the order in which they came; from `#oldest` on those that are remembered. */
  #order: Entry[] = [];
  #oldest = 0;
  #asked: Asked[] = [];
  #asking = false;

  constructor(private readonly ledger: Pick<UsageQueries, 'known' | 'seen'>) {}

  /** What this process knows of an id; undefined where only the ledger can. */
  recent(hash: string): Recent | undefined {
    return this.#recent.get(hash);
  }

  /**
   * Remembers records from before they are stored until the ledger has them.
   * @param stored resolves to the newest position of theirs
   */
  add(uses: Iterable<Pick<Entry, 'hash' | 'content'>>, stored: Promise<Position>): void {
    this.#forget();
    const entries = Array.from(uses, ({ hash, content }): Entry => {
      const entry: Entry = { hash, content, stored, position: undefined };
      this.#recent.set(hash, entry);
      return entry;
    });
    this.#order.push(...entries);
    stored.then(
      (position) => {
        for (const entry of entries) entry.position = position;
      },
      // They may come again, as if they had never come.
      () => {
        for (const entry of entries) {
          entry.position = START;
          if (this.#recent.get(entry.hash) === entry) this.#recent.delete(entry.hash);
        }
      },
    );
  }

  /** The ledger knows an id otherwise: whoever repeats what was remembered is told the same. */
  correct(hash: string, known: Pick<Recent, 'content' | 'refusal'>): void {
    const entry = this.#recent.get(hash);
    if (entry) Object.assign(entry, known);
  }

  /** What the ledger knows. */
  ledgerKnows(hashes: readonly string[]): Promise<KnownPhase[]> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ hashes, resolve, reject });
      if (!this.#asking) void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    while (this.#asked.length > 0) {
      const asked = this.#asked;
      this.#asked = [];
      try {
        const known = await this.ledger.known([...new Set(asked.flatMap(({ hashes }) => hashes))]);
        const byHash = new Map<string, KnownPhase[]>();
        for (const one of known) byHash.set(one.hash, [...(byHash.get(one.hash) ?? []), one]);
        for (const { hashes, resolve } of asked) resolve(hashes.flatMap((hash) => byHash.get(hash) ?? []));
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.#asking = false;
  }

  /** What the ledger has seen need not be remembered. */
  #forget(): void {
    const seen = this.ledger.seen();
    for (; this.#oldest < this.#order.length; this.#oldest++) {
      const entry = this.#order[this.#oldest] as Entry;
      if (entry.position === undefined || entry.position > seen) break;
      if (this.#recent.get(entry.hash) === entry) this.#recent.delete(entry.hash);
    }
    // Now and then: each time would copy all that is left.
    if (this.#oldest * 2 < this.#order.length) return;
    this.#order = this.#order.slice(this.#oldest);
    this.#oldest = 0;
  }
}
