import { compositeKey } from '../eventsourcing/compositeKey.js';
import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { START } from '../eventsourcing/event.js';
import type { EventStore } from '../eventsourcing/eventStore.js';

/** One page: a projection's slice on PGlite, which has one connection for everything (decision 18). */
const PAGE_EVENTS = 1_000;
const PAGE_BYTES = 512 * 1024;
/** Pages kept for followers that are not far behind each other. */
const KEPT_PAGES = 8;

/** Pages of the past that are kept, and for how long: enough for rebuilds that were started together. */
const PAST_PAGES = 8;
const PAST_MS = 1_000;

/** All events behind `after`, to the last one of the page. */
interface Page {
  readonly after: Position;
  readonly last: Position;
  readonly events: StoredEvent[];
}

/**
 * The one reader of a process (decision 20): pages the global order, one page at a time, and shares the
 * pages among all followers, each at its own position.
 */
export class EventReader {
  /** Oldest first. */
  readonly #kept: Page[] = [];
  /** Pages whose turn has not come: whoever joins them has all that is stored by now. */
  readonly #queued = new Map<Position, Promise<StoredEvent[]>>();
  #turn: Promise<unknown> = Promise.resolve();
  /** Pages begun since the last wake-up: an earlier one may lack the event that woke. */
  #reading = new Map<Position, Promise<StoredEvent[]>>();
  readonly #past = new Map<string, Promise<StoredEvent[]>>();
  /** The newest correction that was known when the pages were read that are kept. */
  #corrected: Position;
  #wakes = 0;
  readonly #sleepers = new Set<() => void>();
  readonly #unsubscribe: () => void;

  /** @param pollMs safety net for a wake-up that was missed */
  constructor(
    private readonly store: EventStore,
    private readonly pollMs = 1_000,
  ) {
    this.#corrected = this.newestCorrection;
    this.#unsubscribe = store.onWake(() => this.#wakeAll());
  }

  /** Events after `after`, in order; empty at the head. */
  page(after: Position): Promise<StoredEvent[]> {
    this.#forgetUncorrected();
    const known = this.#keptBehind(after);
    if (known) return Promise.resolve(known);
    const shared = this.#reading.get(after) ?? this.#queued.get(after);
    if (shared) return shared;
    const page = this.#turn.then(() => {
      this.#queued.delete(after);
      this.#forgetUncorrected();
      const kept = this.#keptBehind(after);
      if (kept) return kept;
      const reading = this.#reading;
      reading.set(after, page);
      return this.#read(after).finally(() => reading.delete(after));
    });
    this.#queued.set(after, page);
    this.#turn = page.catch(() => undefined);
    return page;
  }

  async #read(after: Position): Promise<StoredEvent[]> {
    const events = await this.store.readAll(after, PAGE_EVENTS, PAGE_BYTES);
    // Learnt from this page, or meanwhile: the next one who asks reads it as it was corrected.
    if (this.#forgetUncorrected()) return events;
    // Only what can't change is kept, not the (still) empty page at the head.
    const last = events.at(-1)?.position;
    if (last !== undefined) this.#kept.push({ after, last, events });
    if (this.#kept.length > KEPT_PAGES) this.#kept.shift();
    return events;
  }

  /**
   * Nobody is shown what was read before a correction became known, whoever read that: a read model that is
   * built now takes it for known.
   * @returns whether one has become known
   */
  #forgetUncorrected(): boolean {
    const newest = this.newestCorrection;
    if (newest === this.#corrected) return false;
    this.#corrected = newest;
    this.#kept.length = 0;
    this.#past.clear();
    this.#reading = new Map();
    return true;
  }

  /** The most that is kept of what follows `after`, also where the page began before it. */
  #keptBehind(after: Position): StoredEvent[] | undefined {
    let furthest: Page | undefined;
    for (const page of this.#kept) {
      const reaches = page.after <= after && after < page.last;
      if (reaches && (!furthest || page.last > furthest.last)) furthest = page;
    }
    if (!furthest || furthest.after === after) return furthest?.events;
    return furthest.events.filter(({ position }) => position > after);
  }

  /**
   * A page of the past, e.g. for a rebuild: events of some types, up to `upTo` (inclusive), which must not
   * be beyond the head: such a page never changes. Shared by whoever asks for the same at about the same time.
   */
  history(
    types: ReadonlySet<string>,
    after: Position,
    upTo: Position,
    events: number,
    bytes: number,
  ): Promise<StoredEvent[]> {
    this.#forgetUncorrected();
    const id = compositeKey(after, upTo, events, bytes, ...[...types].sort());
    const shared = this.#past.get(id);
    if (shared) return shared;
    const page = this.store.readTypes(types, after, upTo, events, bytes);
    const forget = (): void => {
      if (this.#past.get(id) === page) this.#past.delete(id);
    };
    this.#past.set(id, page);
    page.then(() => setTimeout(forget, PAST_MS).unref(), forget);
    if (this.#past.size > PAST_PAGES) this.#past.delete(this.#past.keys().next().value as string);
    return page;
  }

  /** The position of the newest correction that this process knows. */
  get newestCorrection(): Position {
    return this.store.newestCorrection?.() ?? START;
  }

  /** The position of the newest event. */
  head(): Promise<Position> {
    return this.store.head();
  }

  /** Events of one stream, from a revision on. */
  stream(name: string, from: number, limit: number): Promise<StoredEvent[]> {
    return this.store.readStream(name, { from, limit });
  }

  /** How often there was something new: read before a page, it tells whether something came since. */
  get wakes(): number {
    return this.#wakes;
  }

  /** Calls back once when there may be something new, or after the poll interval. */
  onWake(listener: () => void): () => void {
    const timer = setTimeout(listener, this.pollMs);
    this.#sleepers.add(listener);
    return () => {
      clearTimeout(timer);
      this.#sleepers.delete(listener);
    };
  }

  close(): void {
    this.#unsubscribe();
    this.#wakeAll();
  }

  #wakeAll(): void {
    this.#wakes++;
    this.#reading = new Map();
    for (const listener of this.#sleepers) listener();
  }
}
