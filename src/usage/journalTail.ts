import type { Position } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import { Amounts } from './amounts.js';
import type { UsageEvent, Use } from './events.js';
import type { Spend, Spent } from './limiter.js';
import { subjectId } from './events.js';

const PAGE = 200;
/** So many events in a row from before a time are no slip of a clock that was behind for a moment. */
const ROW = 20;

/** Amounts that the ledger may not have seen yet. */
interface Change {
  readonly position: Position;
  readonly meters: Readonly<Record<string, number>>;
  readonly periods: readonly string[];
  /** -1 for what was taken back. */
  readonly sign: 1 | -1;
}

interface SubjectTail {
  /** Calls that count, oldest first. */
  readonly recent: readonly Spend[];
  readonly changes: readonly Change[];
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** The end of the journal: what windows may still hold, and what the ledger may not have. */
export interface JournalTail {
  readonly since: number;
  /** By `subjectId`: of accounts, and of keys, which may have limits of their own. */
  readonly subjects: ReadonlyMap<string, SubjectTail>;
}

/**
 * Reads the journal's tail. A use is stored after its take, so events are read until ROW of them in a row
 * were written before the time asked for.
 * @param since milliseconds since the epoch
 * @param ledger the last event that the ledger has seen
 * @param most how many calls are kept of each subject, the newest; at least 1
 */
export async function readJournalTail(
  store: EventStore,
  since: number,
  ledger: Position,
  most: number,
): Promise<JournalTail> {
  const found = new Map<string, { readonly recent: Spend[]; readonly changes: Change[] }>();
  // Read backwards, a correction comes before the batch that it corrects.
  const corrected = new Set<string>();
  const note = (id: string, use: Use, position: Position, sign: 1 | -1): void => {
    let tail = found.get(id);
    if (!tail) found.set(id, (tail = { recent: [], changes: [] }));
    const { at, meters, periods } = use;
    if (position > ledger) tail.changes.push({ position, meters, periods, sign });
    if (corrected.has(use.id) || at < since || !meters['requests']) return;
    tail.recent.push({ at, cost: meters['cost'] ?? 0 });
  };
  let before = Number.MAX_SAFE_INTEGER;
  let row = 0;
  reading: for (;;) {
    const page = await store.readAllBackwards(before, PAGE);
    for (const stored of page) {
      const { position } = stored;
      // An event that another caused bears the time of its cause, which may be long ago.
      const { at, causationId } = stored.metadata;
      const old = position <= ledger && causationId === undefined && Date.parse(at) < since;
      row = old ? row + 1 : 0;
      if (row === ROW) break reading;
      before = position;
      if (stored.type !== 'UsesRecorded' && stored.type !== 'UsesCorrected') continue;
      const { type, data } = as<UsageEvent>(stored);
      const sign = type === 'UsesCorrected' ? -1 : 1;
      for (const { account, uses } of data.groups) {
        for (const use of uses) {
          const { environment, key } = use;
          if (sign === -1) corrected.add(use.id);
          note(subjectId({ accountId: account, environment, keyId: undefined }), use, position, sign);
          note(subjectId({ accountId: account, environment, keyId: key }), use, position, sign);
        }
      }
    }
    if (page.length < PAGE) break;
  }
  const subjects = new Map<string, SubjectTail>();
  for (const [id, { recent: all, changes }] of found) {
    const recent = all.sort((a, b) => a.at - b.at).slice(-most);
    subjects.set(id, {
      recent,
      changes,
      since: recent.length < all.length ? (recent[0]?.at ?? since) : since,
    });
  }
  return { since, subjects };
}

/**
 * What a subject has spent: the ledger's amounts, and what the tail has that the ledger has not.
 * @param seen the last event that is in them, not before the one that the tail was read with
 * @param asOf what the clock says now by which the tail was read
 */
export function spentOf(
  tail: JournalTail,
  /** As `subjectId` names it. */
  id: string,
  { amounts, seen }: { readonly amounts: Amounts; readonly seen: Position },
  asOf: number,
): Spent {
  const subject = tail.subjects.get(id);
  const periods = new Amounts(amounts);
  for (const change of subject?.changes ?? []) {
    if (change.position <= seen) continue;
    for (const [meter, amount] of Object.entries(change.meters)) {
      for (const period of change.periods) periods.add(meter, period, change.sign * amount);
    }
  }
  return { periods, recent: subject?.recent ?? [], since: subject?.since ?? tail.since, asOf };
}

/** Reads of the journal's tail, one at a time: who asks while one is under way shares the next. */
export class JournalTails {
  #reading: Promise<unknown> = Promise.resolve();
  #next: Promise<JournalTail> | undefined;

  constructor(private readonly begin: () => Promise<JournalTail>) {}

  /** @returns what was stored when this was called, or later */
  read(): Promise<JournalTail> {
    return (this.#next ??= this.#afterCurrent());
  }

  async #afterCurrent(): Promise<JournalTail> {
    await this.#reading;
    this.#next = undefined;
    const tail = this.begin();
    this.#reading = tail.catch(() => undefined);
    return tail;
  }
}
