import type { Position as LogPosition } from '@eventstore/db-client';
import type { Position } from '../../eventsourcing/event.js';

/** Kept at most; of more the shortest is forgotten, and found again by whoever reads there. */
const KEPT = 256;

/** Behind `after` and before `to` the log has nothing of ours; at `to` may stand the next. */
interface Gap {
  readonly after: Position;
  /** The same place as `to`. */
  readonly before: Position;
  readonly to: LogPosition;
}

/** Stretches of the log that hold only events of others, as far as they are known: nobody reads them twice. */
export class Gaps {
  /** In order; none overlaps the next. */
  readonly #gaps: Gap[] = [];

  /** Nothing of ours stands behind `after` and before `to`. */
  add(after: Position, to: LogPosition): void {
    const before = Number(to.commit);
    if (before <= after) return;
    const first = this.#firstBeyond(after);
    let merged: Gap = { after, before, to };
    let count = 0;
    for (let gap; (gap = this.#gaps[first + count]) && gap.after < before; count++) {
      const further = gap.before > merged.before ? gap : merged;
      merged = { ...further, after: Math.min(merged.after, gap.after) };
    }
    this.#gaps.splice(first, count, merged);
    if (this.#gaps.length > KEPT) this.#forget();
  }

  /** The first place where something may come behind `after`; undefined where that is not in a known gap. */
  end(after: Position): LogPosition | undefined {
    const gap = this.#gaps[this.#firstBeyond(after)];
    return gap && gap.after <= after ? gap.to : undefined;
  }

  /** Index of the first gap that ends beyond a position. */
  #firstBeyond(position: Position): number {
    let [low, high] = [0, this.#gaps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#gaps[middle] as Gap).before > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #forget(): void {
    const length = ({ after, before }: Gap): number => before - after;
    const shortest = this.#gaps.reduce(
      (least, gap, n) => (length(gap) < length(this.#gaps[least] as Gap) ? n : least),
      0,
    );
    this.#gaps.splice(shortest, 1);
  }
}
