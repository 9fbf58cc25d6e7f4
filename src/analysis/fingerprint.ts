import { createHash, hash } from 'node:crypto';

/** Digits in base 16. */
const LENGTH = 16;
/** All but visible ASCII and single spaces, of which there is nothing to change. */
const UNUSUAL = /[^ -~]| {2}/;

/** UTF-16 code units that are normalised at once: a text may be the whole file. */
const PIECE = 64 * 1024;

/**
 * Tells whether a text came before, however it was typed: the first 16 digits of SHA-256 over it in lower
 * case, with plain dashes and quotes and single spaces.
 */
export function fingerprint(text: string): string {
  const lower = text.toLowerCase().trim();
  if (lower.length <= PIECE) return hash('sha256', normal(lower), 'hex').slice(0, LENGTH);
  const digest = createHash('sha256');
  let afterSpace = false;
  for (let start = 0; start < lower.length;) {
    let end = Math.min(start + PIECE, lower.length);
    const last = lower.charCodeAt(end - 1);
    // Not between the halves of a character.
    if (last >= 0xd800 && last < 0xdc00 && end < lower.length) end += 1;
    const piece = normal(lower.slice(start, end));
    digest.update(afterSpace && piece.startsWith(' ') ? piece.slice(1) : piece);
    afterSpace = piece.endsWith(' ');
    start = end;
  }
  return digest.digest('hex').slice(0, LENGTH);
}

function normal(lower: string): string {
  if (!UNUSUAL.test(lower)) return lower;
  return lower
    .replaceAll('\u2014', '-')
    .replace(/[\u2018\u2019\u201a\u201b]/g, "'")
    .replace(/[\u201c-\u201f]/g, '"')
    .replace(/\s+/g, ' ');
}

/** A set of fingerprints in 8 bytes each and room: there may be a million. */
export class Fingerprints {
  /** Pairs of the upper and the lower half; a free place has two zeros. */
  #table = new Uint32Array(2 * 1024);
  #size = 0;
  #zero = false;

  /** Whether it is new. */
  add(digits: string): boolean {
    const high = parseInt(digits.slice(0, 8), 16);
    const low = parseInt(digits.slice(8), 16);
    if (high === 0 && low === 0) {
      const added = !this.#zero;
      this.#zero = true;
      return added;
    }
    if (!insert(this.#table, high, low)) return false;
    this.#size += 1;
    if (this.#size * 4 > this.#table.length) this.#grow();
    return true;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const high = old[at] as number;
      const low = old[at + 1] as number;
      if (high !== 0 || low !== 0) insert(this.#table, high, low);
    }
  }
}

function insert(table: Uint32Array, high: number, low: number): boolean {
  const places = table.length / 2;
  for (let place = low & (places - 1); ; place = (place + 1) & (places - 1)) {
    const at = 2 * place;
    if (table[at] === high && table[at + 1] === low) return false;
    if (table[at] === 0 && table[at + 1] === 0) {
      table[at] = high;
      table[at + 1] = low;
      return true;
    }
  }
}
