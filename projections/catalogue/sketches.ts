import type { Sql } from '../../src/sql/sql.js';
import type { Horizon } from './queries.js';

/** Rows that one statement of a refresh reads. */
const PAGE = 1_000;
const WORD_BITS = 32;
/** Further than any sketch can be. */
const UNSEEN = 0xffff;

interface ChangedRow {
  readonly change: number;
  readonly pattern_id: string;
  readonly tier: string;
  readonly category: string;
  readonly published: number;
  /** '0' and '1', one for each dimension. */
  readonly sketch: string;
}

/**
 * One bit for each dimension of every pattern's vector, its sign, in this process's memory beside what a
 * search filters by: some 250 bytes for a pattern of 384 dimensions. It tells which patterns may be near
 * in a hundredth of the time that the database needs to scan as much. It holds what `PatternVectors` has
 * written, whichever process did, as of the last `refresh`.
 */
export class Sketches {
  readonly #words: number;
  readonly #slots = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #tiers = new Codes();
  readonly #categories = new Codes();
  #bits: Int32Array;
  #tier: Uint16Array;
  #category: Uint16Array;
  #published: Float64Array;
  /** All rows up to this change are here. */
  #known = 0;

  constructor(
    private readonly sql: Sql,
    /** As `PatternVectors` names it. */
    private readonly table: string,
    private readonly dimensions: number,
  ) {
    this.#words = Math.ceil(dimensions / WORD_BITS);
    this.#bits = new Int32Array(PAGE * this.#words);
    this.#tier = new Uint16Array(PAGE);
    this.#category = new Uint16Array(PAGE);
    this.#published = new Float64Array(PAGE);
  }

  /** Takes in what was committed before the call: one statement where there is nothing new. */
  async refresh(): Promise<void> {
    for (let rows = PAGE; rows === PAGE;) rows = await this.#refreshPage();
  }

  async #refreshPage(): Promise<number> {
    const rows = await this.sql.query<ChangedRow>(
      `SELECT change, pattern_id, tier, category, published, binary_quantize(vector)::text AS sketch
         FROM ${this.table} WHERE change > $1 ORDER BY change LIMIT ${PAGE}`,
      [this.#known],
    );
    for (const row of rows) {
      // Another refresh at the same time may have been faster, and seen newer rows.
      if (row.change <= this.#known) continue;
      this.#put(row);
      this.#known = row.change;
    }
    return rows.length;
  }

  /** The ids of the `count` visible patterns with the nearest sketches, or of all if they are fewer; in no order. */
  nearest(
    vector: Float32Array,
    { tiers, published }: Horizon,
    category: string | undefined,
    count: number,
  ): string[] {
    const size = this.#ids.length;
    const sketch = this.#sketchOf((dimension) => (vector[dimension] as number) > 0);
    const visible = this.#tiers.among(tiers);
    const wanted = category === undefined ? undefined : this.#categories.known(category);
    if (category !== undefined && wanted === undefined) return [];
    const distances = new Uint16Array(size).fill(UNSEEN);
    /** How many are as far away as each distance. */
    const counts = new Uint32Array(this.dimensions + 1);
    for (let slot = 0; slot < size; slot++) {
      if (visible[this.#tier[slot] as number] !== 1 || (this.#published[slot] as number) > published)
        continue;
      if (wanted !== undefined && this.#category[slot] !== wanted) continue;
      const distance = this.#distance(sketch, slot);
      distances[slot] = distance;
      (counts[distance] as number)++;
    }
    let radius = 0;
    let within = 0;
    while (radius <= this.dimensions && within + (counts[radius] as number) <= count) {
      within += counts[radius++] as number;
    }
    // Of those exactly as far away as the radius only some have room.
    let room = count - within;
    return this.#ids.filter((_id, slot) => {
      const distance = distances[slot] as number;
      return distance < radius || (distance === radius && room-- > 0);
    });
  }

  /** The Hamming distance: how many signs differ. */
  #distance(sketch: Int32Array, slot: number): number {
    let distance = 0;
    const from = slot * this.#words;
    for (let word = 0; word < this.#words; word++) {
      // Counts the bits of a word in parallel (Warren, Hacker's Delight, 5-1).
      let x = (sketch[word] as number) ^ (this.#bits[from + word] as number);
      x = (x - ((x >>> 1) & 0x55555555)) | 0;
      x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
      x = (x + (x >>> 4)) & 0x0f0f0f0f;
      distance += Math.imul(x, 0x01010101) >>> 24;
    }
    return distance;
  }

  #sketchOf(isPositive: (dimension: number) => boolean): Int32Array {
    const sketch = new Int32Array(this.#words);
    for (let dimension = 0; dimension < this.dimensions; dimension++) {
      if (!isPositive(dimension)) continue;
      const word = Math.floor(dimension / WORD_BITS);
      sketch[word] = (sketch[word] as number) | (1 << (dimension % WORD_BITS));
    }
    return sketch;
  }

  #put({ pattern_id, tier, category, published, sketch }: ChangedRow): void {
    let slot = this.#slots.get(pattern_id);
    if (slot === undefined) {
      slot = this.#ids.push(pattern_id) - 1;
      this.#slots.set(pattern_id, slot);
      if (slot >= this.#published.length) this.#grow();
    }
    this.#bits.set(
      this.#sketchOf((dimension) => sketch[dimension] === '1'),
      slot * this.#words,
    );
    this.#tier[slot] = this.#tiers.codeOf(tier);
    this.#category[slot] = this.#categories.codeOf(category);
    this.#published[slot] = published;
  }

  #grow(): void {
    const grown = <A extends Int32Array | Uint16Array | Float64Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    const size = this.#published.length * 2;
    this.#bits = grown(this.#bits, new Int32Array(size * this.#words));
    this.#tier = grown(this.#tier, new Uint16Array(size));
    this.#category = grown(this.#category, new Uint16Array(size));
    this.#published = grown(this.#published, new Float64Array(size));
  }
}

/** Small numbers for names of which there are few. */
class Codes {
  readonly #codes = new Map<string, number>();

  codeOf(name: string): number {
    const code = this.#codes.get(name) ?? this.#codes.size;
    this.#codes.set(name, code);
    return code;
  }

  known(name: string): number | undefined {
    return this.#codes.get(name);
  }

  /** By code, 1 for those among the names. */
  among(names: readonly string[]): Uint8Array {
    return Uint8Array.from(this.#codes.keys(), (name) => (names.includes(name) ? 1 : 0));
  }
}
