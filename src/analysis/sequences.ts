/** Characters of an event that a row shows. */
const EXCERPT = 180;

/** What a sequence is made of. */
export interface SequenceEvent {
  readonly index: number;
  readonly contextKey: string;
  readonly fingerprint: string;
  readonly text: string;
  /** Categories, as bits. */
  readonly bits: number;
}

/** An event of the first category and the next one of the second, in the same context and near enough. */
export interface SequenceRow {
  /** Which of the rules' sequences. */
  readonly sequence: number;
  readonly contextKey: string;
  readonly from: SequenceEnd;
  readonly to: SequenceEnd;
}

export interface SequenceEnd {
  readonly index: number;
  readonly fingerprint: string;
  readonly excerpt: string;
}

interface Begun {
  readonly event: SequenceEnd & { readonly contextKey: string };
  /** By sequence: what it waits for (a bit, 0 when nothing), or the end that was found. */
  readonly waits: Int32Array;
  readonly found: (SequenceEnd | undefined)[];
  open: number;
  left: number;
}

/** Follows events for sequences; rows come in order of their first event, then of the rules. */
export class Sequences {
  readonly #begun: Begun[] = [];

  constructor(
    /** Pairs of categories, as bits. */
    private readonly pairs: readonly (readonly [number, number])[],
    private readonly window: number,
    private readonly onRow: (row: SequenceRow) => void,
  ) {}

  add(event: SequenceEvent): void {
    const { contextKey, bits } = event;
    const end = { index: event.index, fingerprint: event.fingerprint, excerpt: excerpt(event.text) };
    for (const begun of this.#begun) {
      begun.left -= 1;
      if (begun.event.contextKey !== contextKey || begun.open === 0) continue;
      begun.waits.forEach((bit, sequence) => {
        if ((bit & bits) === 0) return;
        begun.waits[sequence] = 0;
        begun.found[sequence] = end;
        begun.open -= 1;
      });
    }
    this.#flush(false);
    const waits = Int32Array.from(this.pairs, ([first, second]) => (first & bits ? second : 0));
    const open = waits.filter((bit) => bit !== 0).length;
    if (open > 0) {
      this.#begun.push({ event: { ...end, contextKey }, waits, found: [], open, left: this.window });
    }
  }

  end(): void {
    this.#flush(true);
  }

  #flush(all: boolean): void {
    let done = 0;
    for (const { event, found, open, left } of this.#begun) {
      if (!all && open > 0 && left > 0) break;
      found.forEach((to, sequence) => {
        if (to) this.onRow({ sequence, contextKey: event.contextKey, from: event, to });
      });
      done += 1;
    }
    this.#begun.splice(0, done);
  }
}

/** The beginning of a text, never half of a character. */
function excerpt(text: string): string {
  if (text.length <= EXCERPT) return text;
  return [...text.slice(0, 2 * EXCERPT)].slice(0, EXCERPT).join('');
}
