import type { UseBatchQueries } from '../../../projections/useBatches/queries.js';
import type { BatchesAsked, BatchPlace } from '../../../projections/useBatches/queries.js';
import type { UsageQueries } from '../../../projections/usage/queries.js';
import type { Position, StoredEvent } from '../../eventsourcing/event.js';
import type { EventStore } from '../../eventsourcing/eventStore.js';
import type { Use } from '../events.js';
import { listedUses, usesOf } from '../journal/readUses.js';

/** Batches that are read at once, and for one page: each has up to 512 uses of whomever. */
const BATCHES = { once: 10, page: 60 } as const;

/** Which uses are asked for. */
export interface UsesWanted extends BatchesAsked {
  /** Beside those: whether one is wanted. */
  readonly matches: (use: Use) => boolean;
}

/** Where a use stands: in the batch of that position, from 0 on. */
export interface UsePlace {
  readonly position: Position;
  readonly index: number;
}

export interface PlacedUse {
  readonly place: UsePlace;
  readonly use: Use;
}

export interface UsePage {
  readonly uses: readonly PlacedUse[];
  /** Where to go on; undefined where there are no more. */
  readonly next: UsePlace | undefined;
}

/** Single uses, as the journal has them: the last that was stored comes first. */
export class UseLog {
  constructor(
    private readonly index: UseBatchQueries,
    private readonly store: Pick<EventStore, 'readStream'>,
    private readonly ledger: Pick<UsageQueries, 'duplicatesAt'>,
  ) {}

  /**
   * A page of uses that count, or were refused, and of those that take one back. Where few of many are wanted it
   * may have fewer than were asked for, though there are more.
   * @param after the place of the last use of the page before
   */
  async page(wanted: UsesWanted, first: number, after: UsePlace | undefined): Promise<UsePage> {
    const uses: PlacedUse[] = [];
    let next = after;
    for (let read = 0; read < BATCHES.page; read += BATCHES.once) {
      const batches = await this.index.batches(wanted, next && before(next), BATCHES.once);
      for (const found of await this.#usesOf(batches, wanted)) {
        if (after && !isBehind(found.place, after)) continue;
        if (uses.length === first) return { uses, next: uses.at(-1)?.place };
        uses.push(found);
      }
      const last = batches.at(-1);
      if (!last || batches.length < BATCHES.once) return { uses, next: undefined };
      next = { position: last.position, index: 0 };
    }
    return { uses, next };
  }

  /** The uses of batches that are wanted, the last first. */
  async #usesOf(batches: readonly BatchPlace[], wanted: UsesWanted): Promise<PlacedUse[]> {
    if (batches.length === 0) return [];
    const { account } = wanted;
    const [events, takenBack, duplicates] = await Promise.all([
      Promise.all(batches.map(({ stream, revision }) => this.#event(stream, revision))),
      this.#takenBack(batches),
      this.ledger.duplicatesAt(
        account,
        batches.map(({ position }) => position),
      ),
    ]);
    return events.flatMap((event) => (event ? listed(event, wanted, takenBack, duplicates) : []));
  }

  async #event(stream: string, revision: number): Promise<StoredEvent | undefined> {
    const [event] = await this.store.readStream(stream, { from: revision, limit: 1 });
    return event?.revision === revision ? event : undefined;
  }

  /** Ids of uses that were stored although their callers had been told to try again. */
  async #takenBack(batches: readonly BatchPlace[]): Promise<ReadonlySet<string>> {
    const corrections = await this.index.corrections(batches.map(({ event }) => event));
    const events = await Promise.all(
      corrections.map(({ stream, revision }) => this.#event(stream, revision)),
    );
    return new Set(
      events
        .flatMap((event) => (event ? usesOf(event).groups : []))
        .flatMap(({ uses }) => uses.map(({ id }) => id)),
    );
  }
}

/** The newest position that has uses behind this place. */
const before = ({ position, index }: UsePlace): Position => (index > 0 ? position : position - 1);

const isBehind = (place: UsePlace, after: UsePlace): boolean =>
  place.position < after.position || (place.position === after.position && place.index < after.index);

/** @param duplicates places among the uses of a batch whose ids may come again, as `<position>.<place>` */
function listed(
  event: StoredEvent,
  { account, environment, key, endpoint, from = -Infinity, to = Infinity, matches }: UsesWanted,
  takenBack: ReadonlySet<string>,
  duplicates: ReadonlySet<string>,
): PlacedUse[] {
  const { position } = event;
  const found: PlacedUse[] = [];
  let [index, phased] = [0, 0];
  for (const group of listedUses(event)) {
    for (const use of group.uses) {
      const place = { position, index: index++ };
      const isDuplicate = use.phase !== undefined && duplicates.has(`${position}.${phased++}`);
      // A reservation is no use yet.
      if (group.account !== account || use.phase === 'reserved' || isDuplicate) continue;
      if (use.environment !== environment || (key !== undefined && use.key !== key)) continue;
      if (endpoint !== undefined && use.endpoint !== endpoint) continue;
      if (use.at < from || use.at >= to || takenBack.has(use.id) || !matches(use)) continue;
      found.push({ place, use });
    }
  }
  return found.reverse();
}
