import { createHmac, timingSafeEqual } from 'node:crypto';
import { compositeKey } from '../../eventsourcing/compositeKey.js';
import { invalidInput } from './errors.js';

const MAC_BYTES = 6;
/** No place is longer. */
const MAX_BYTES = 120;

/** The values that a list is ordered by, at one of its entries. */
export type Place = readonly (string | number)[];

/** Opaque, signed cursors: one that was tampered with, or of another list, is refused instead of paging at random. */
export class Cursors {
  constructor(private readonly key: Buffer) {}

  /** @param list names the list that it is a place of */
  encode(list: string, place: Place): string {
    const body = Buffer.from(JSON.stringify(place));
    return Buffer.concat([this.#mac(list, body), body]).toString('base64url');
  }

  /** @returns the place's values as text, undefined for what is no cursor of this list */
  decode(list: string, text: string): string[] | undefined {
    const bytes = Buffer.from(text, 'base64url');
    const body = bytes.subarray(MAC_BYTES);
    if (bytes.length <= MAC_BYTES || bytes.length > MAX_BYTES) return undefined;
    if (!timingSafeEqual(this.#mac(list, body), bytes.subarray(0, MAC_BYTES))) return undefined;
    return (JSON.parse(body.toString()) as (string | number)[]).map(String);
  }

  /** The argument `after` of a list. @throws ApiError INVALID_INPUT */
  after(list: string, cursor: string | null | undefined): string[] | undefined {
    if (cursor == null) return undefined;
    const place = this.decode(list, cursor);
    if (!place) {
      throw invalidInput('after', '"after" is not a cursor of this list. Use the endCursor of a page.');
    }
    return place;
  }

  #mac(list: string, body: Buffer): Buffer {
    const mac = createHmac('sha256', this.key).update(compositeKey('cursor', list)).update(body);
    return mac.digest().subarray(0, MAC_BYTES);
  }
}
