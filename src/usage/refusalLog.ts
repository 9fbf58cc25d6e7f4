import { compositeKey } from '../eventsourcing/compositeKey.js';
import type { Use } from './events.js';

const DETAILED = 10;
const MINUTE_MS = 60_000;

interface Minute {
  readonly minute: number;
  count: number;
  /** The newest refusal that was counted only. */
  latest: { readonly account: string; readonly use: Use } | undefined;
}

/**
 * Refusals are records too, but must not be a way to fill the journal: ten for a key, code and
 * minute, then one record with the count of the rest (decision 8).
 */
export class RefusalLog {
  readonly #minutes = new Map<string, Minute>();

  /** @param note stores a record that nobody waits for */
  constructor(private readonly note: (account: string, use: Use) => void) {}

  add(account: string, use: Use): void {
    const id = compositeKey(account, use.key, use.refusal?.code);
    const minute = Math.floor(use.at / MINUTE_MS);
    let current = this.#minutes.get(id);
    if (current?.minute !== minute) {
      if (current) this.#summarise(current);
      current = { minute, count: 0, latest: undefined };
      this.#minutes.set(id, current);
    }
    if (++current.count <= DETAILED) this.note(account, use);
    else current.latest = { account, use };
  }

  /** Writes the counts of minutes that are over; called at least once a minute. */
  sweep(now: number): void {
    const minute = Math.floor(now / MINUTE_MS);
    for (const [id, entry] of this.#minutes) {
      if (entry.minute === minute) continue;
      this.#summarise(entry);
      this.#minutes.delete(id);
    }
  }

  #summarise({ latest, count }: Minute): void {
    if (!latest?.use.refusal) return;
    const refusal = { ...latest.use.refusal, count: count - DETAILED };
    this.note(latest.account, { ...latest.use, refusal });
  }
}
