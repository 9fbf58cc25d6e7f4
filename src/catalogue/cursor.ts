import { createHmac, timingSafeEqual } from 'node:crypto';
import type { PatternCursor } from '../../projections/catalogue/queries.js';

const MAC_BYTES = 6;

/** Opaque, signed cursors: one that was tampered with is refused instead of paging at random. */
export class Cursors {
  constructor(private readonly key: Buffer) {}

  encode({ uses, published }: PatternCursor): string {
    const body = Buffer.from(`${uses}.${published}`);
    return Buffer.concat([this.#mac(body), body]).toString('base64url');
  }

  decode(text: string): PatternCursor | undefined {
    const bytes = Buffer.from(text, 'base64url');
    const body = bytes.subarray(MAC_BYTES);
    if (bytes.length <= MAC_BYTES || bytes.length > 64) return undefined;
    if (!timingSafeEqual(this.#mac(body), bytes.subarray(0, MAC_BYTES))) return undefined;
    const [uses, published] = body.toString().split('.').map(Number);
    return { uses: uses as number, published: published as number };
  }

  #mac(body: Buffer): Buffer {
    return createHmac('sha256', this.key).update('cursor\0').update(body).digest().subarray(0, MAC_BYTES);
  }
}
