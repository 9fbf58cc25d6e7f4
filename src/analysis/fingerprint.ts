import { createHash, hash, randomBytes } from 'node:crypto';

/** Digits in base 16. */
const LENGTH = 16;
/** All but visible ASCII and single spaces, of which there is nothing to change. */
const UNUSUAL = /[^ -~]| {2}/;

/** UTF-16 code units that are normalised at once: a text may be the whole file. */
const PIECE = 64 * 1024;

/**
 * Names a text, however it was typed: the first 16 digits of SHA-256 over it in lower case, with plain dashes and
 * quotes and single spaces.
 */
export function fingerprint(text: string): string {
  const lower = text.toLowerCase().trim();
  if (lower.length <= PIECE) return hash('sha256', normal(lower), 'hex').slice(0, LENGTH);
  const digest = createHash('sha256');
  for (const piece of normalPieces(lower)) digest.update(piece);
  return digest.digest('hex').slice(0, LENGTH);
}

/** A text as it is compared, in pieces that join to the whole. @param lower trimmed, in lower case */
function* normalPieces(lower: string): Generator<string> {
  let afterSpace = false;
  for (let start = 0; start < lower.length;) {
    let end = Math.min(start + PIECE, lower.length);
    const last = lower.charCodeAt(end - 1);
    // Not between the halves of a character.
    if (last >= 0xd800 && last < 0xdc00 && end < lower.length) end += 1;
    const piece = normal(lower.slice(start, end));
    yield afterSpace && piece.startsWith(' ') ? piece.slice(1) : piece;
    afterSpace = piece.endsWith(' ');
    start = end;
  }
}

function normal(lower: string): string {
  if (!UNUSUAL.test(lower)) return lower;
  return lower
    .replaceAll('\u2014', '-')
    .replace(/[\u2018\u2019\u201a\u201b]/g, "'")
    .replace(/[\u201c-\u201f]/g, '"')
    .replace(/\s+/g, ' ');
}

/**
 * Texts that came before, in 8 bytes each and room: there may be a million. Those with the same fingerprint are the
 * same. They are known by a quicker hash, of 64 bits as well, since most texts are never named otherwise; it begins
 * with numbers that nobody knows, so that nobody looks for two that collide.
 */
export class SeenTexts {
  readonly #seed = randomBytes(8);
  readonly #first = this.#seed.readInt32LE(0);
  readonly #second = this.#seed.readInt32LE(4);
  /** Pairs of the upper and the lower half; a free place has two zeros. */
  #table = new Uint32Array(2 * 1024);
  #size = 0;
  #zero = false;
  #high = 0;
  #low = 0;

  /** @param lower a text in lower case @returns whether it is new */
  add(lower: string): boolean {
    this.#high = this.#first;
    this.#low = this.#second;
    const trimmed = lower.trim();
    if (trimmed.length <= PIECE) this.#take(normal(trimmed));
    else for (const piece of normalPieces(trimmed)) this.#take(piece);
    return this.addHash(spread(this.#high ^ this.#low), spread(this.#low));
  }

  /** @returns whether these halves of a hash are new */
  addHash(high: number, low: number): boolean {
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

  /** As MurmurHash3 takes its blocks, in two lanes. */
  #take(piece: string): void {
    let high = this.#high;
    let low = this.#low;
    for (let at = 0; at < piece.length; at++) {
      const unit = piece.charCodeAt(at);
      high = Math.imul(((high << 13) | (high >>> 19)) ^ unit, 0xcc9e2d51);
      low = Math.imul(((low << 17) | (low >>> 15)) ^ unit, 0x1b873593);
    }
    this.#high = high;
    this.#low = low;
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

/** MurmurHash3's last step: each bit comes to depend on all. */
function spread(half: number): number {
  let bits = half;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
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
