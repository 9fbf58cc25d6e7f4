import type { KnownPhase, UsageQueries } from '../../projections/usage/queries.js';
import type { Position } from '../eventsourcing/event.js';

/** A record of a use that this process is storing, or has stored. */
export interface Recent {
  /** As `contentOf` has it. */
  readonly content: string;
  /** Resolves to the position of its batch; rejects where it could not be stored. */
  readonly stored: Promise<Position>;
}

interface Entry extends Recent {
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
  /** By hash, in the order in which they came. */
  readonly #recent = new Map<string, Entry>();
  #asked: Asked[] = [];
  #asking = false;

  constructor(private readonly ledger: Pick<UsageQueries, 'known' | 'seen'>) {}

  /** What this process knows of an id; undefined where only the ledger can. */
  recent(hash: string): Recent | undefined {
    return this.#recent.get(hash);
  }

  /** Remembers a record from before it is stored until the ledger has it. */
  add(hash: string, content: string, stored: Promise<Position>): void {
    this.#forget();
    const entry: Entry = { content, stored, position: undefined };
    this.#recent.set(hash, entry);
    stored.then(
      (position) => (entry.position = position),
      // It may come again, as if it had never come.
      () => this.#recent.get(hash) === entry && this.#recent.delete(hash),
    );
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
    for (const [hash, { position }] of this.#recent) {
      if (position === undefined || position > seen) return;
      this.#recent.delete(hash);
    }
  }
}
