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

/** An event that begins sequences, as long as any of them may be found. */
interface Begun {
  readonly event: SequenceEvent;
  /** The sequences that are still to be found, as bits, and the categories that they wait for. */
  waits: number;
  seconds: number;
  /** By sequence: the event that had its second category. */
  found: (SequenceEvent | undefined)[] | undefined;
  /** The index of the last event that is looked at. */
  readonly last: number;
}

/** Follows events for sequences; rows come in order of their first event, then of the rules. */
export class Sequences {
  /** The oldest first. */
  readonly #begun: Begun[] = [];

  constructor(
    /** Pairs of categories, as bits. */
    private readonly pairs: readonly (readonly [number, number])[],
    private readonly window: number,
    private readonly onRow: (row: SequenceRow) => void,
  ) {}

  add(event: SequenceEvent): void {
    const { bits, contextKey, index } = event;
    for (const begun of this.#begun) {
      if ((begun.seconds & bits) !== 0 && begun.event.contextKey === contextKey) this.#follow(begun, event);
    }
    for (
      let [first] = this.#begun;
      first && (first.waits === 0 || first.last <= index);
      [first] = this.#begun
    ) {
      this.#begun.shift();
      this.#tell(first);
    }
    let waits = 0;
    let seconds = 0;
    for (let sequence = 0; sequence < this.pairs.length; sequence++) {
      const [first, second] = this.pairs[sequence] as readonly [number, number];
      if ((first & bits) === 0) continue;
      waits |= 1 << sequence;
      seconds |= second;
    }
    if (waits === 0) return;
    this.#begun.push({ event, waits, seconds, found: undefined, last: index + this.window });
  }

  end(): void {
    for (const begun of this.#begun.splice(0)) this.#tell(begun);
  }

  #follow(begun: Begun, event: SequenceEvent): void {
    begun.found ??= [];
    begun.seconds = 0;
    for (let sequence = 0; sequence < this.pairs.length; sequence++) {
      if ((begun.waits & (1 << sequence)) === 0) continue;
      const [, second] = this.pairs[sequence] as readonly [number, number];
      if ((second & event.bits) === 0) {
        begun.seconds |= second;
        continue;
      }
      begun.waits &= ~(1 << sequence);
      begun.found[sequence] = event;
    }
  }

  #tell({ event, found }: Begun): void {
    found?.forEach((to, sequence) => {
      if (to) this.onRow({ sequence, contextKey: event.contextKey, from: endOf(event), to: endOf(to) });
    });
  }
}

function endOf({ index, fingerprint, text }: SequenceEvent): SequenceEnd {
  return { index, fingerprint, excerpt: excerpt(text) };
}

/** The beginning of a text, never half of a character. */
function excerpt(text: string): string {
  if (text.length <= EXCERPT) return text;
  return [...text.slice(0, 2 * EXCERPT)].slice(0, EXCERPT).join('');
}
