import { BoundedMap } from '../boundedMap.js';
import { compositeKey } from '../eventsourcing/compositeKey.js';
import { keyedHash } from '../secrets/secrets.js';

/** Addresses in records: a keyed hash under a salt that changes every month, so that months can't be joined. */
export class AddressHashes {
  readonly #hashes = new BoundedMap<string>(10_000);

  constructor(private readonly key: Buffer) {}

  /** @param month e.g. `month:2026-11` */
  of(address: string | undefined, month: string): string | null {
    if (address === undefined) return null;
    const id = compositeKey(month, address);
    let hash = this.#hashes.get(id);
    if (hash === undefined) {
      hash = keyedHash(this.key, `address ${month}`, address).slice(0, 22);
      this.#hashes.set(id, hash);
    }
    return hash;
  }
}
