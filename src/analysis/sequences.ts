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
  readonly event: SequenceEvent;
  /** By sequence: the second category, as a bit, 0 where it waits for none; and the event that had it. */
  readonly waits: number[];
  readonly found: (SequenceEvent | undefined)[];
  open: number;
  left: number;
}

/** Follows events for sequences; rows come in order of their first event, then of the rules. */
export class Sequences {
  readonly #begun: Begun[] = [];
  /** The categories that begin any. */
  readonly #firsts: number;

  constructor(
    /** Pairs of categories, as bits. */
    private readonly pairs: readonly (readonly [number, number])[],
    private readonly window: number,
    private readonly onRow: (row: SequenceRow) => void,
  ) {
    this.#firsts = pairs.reduce((firsts, [first]) => firsts | first, 0);
  }

  add(event: SequenceEvent): void {
    for (const begun of this.#begun) {
      begun.left -= 1;
      if (begun.open > 0 && begun.event.contextKey === event.contextKey) follow(begun, event);
    }
    if (this.#begun.length > 0) this.#flush(false);
    if ((event.bits & this.#firsts) === 0) return;
    const waits = this.pairs.map(([first, second]) => (first & event.bits ? second : 0));
    const open = waits.filter((bit) => bit !== 0).length;
    this.#begun.push({ event, waits, found: [], open, left: this.window });
  }

  end(): void {
    this.#flush(true);
  }

  #flush(all: boolean): void {
    let done = 0;
    for (const { event, found, open, left } of this.#begun) {
      if (!all && open > 0 && left > 0) break;
      found.forEach((to, sequence) => {
        if (to) this.onRow({ sequence, contextKey: event.contextKey, from: endOf(event), to: endOf(to) });
      });
      done += 1;
    }
    this.#begun.splice(0, done);
  }
}

function follow(begun: Begun, event: SequenceEvent): void {
  begun.waits.forEach((bit, sequence) => {
    if ((bit & event.bits) === 0) return;
    begun.waits[sequence] = 0;
    begun.found[sequence] = event;
    begun.open -= 1;
  });
}

function endOf({ index, fingerprint, text }: SequenceEvent): SequenceEnd {
  return { index, fingerprint, excerpt: excerpt(text) };
}

/** The beginning of a text, never half of a character. */
function excerpt(text: string): string {
  if (text.length <= EXCERPT) return text;
  return [...text.slice(0, 2 * EXCERPT)].slice(0, EXCERPT).join('');
}
