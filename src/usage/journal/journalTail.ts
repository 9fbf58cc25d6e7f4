import type { Position, StoredEvent } from '../../eventsourcing/event.js';
import { as, START } from '../../eventsourcing/event.js';
import { compositeKey } from '../../eventsourcing/compositeKey.js';
import type { EventStore } from '../../eventsourcing/eventStore.js';
import { Amounts } from '../limits/amounts.js';
import type { HeldUse, ParkedUseEvent, Phase, UsageEvent, Use, UseReversal } from '../events.js';
import type { Spend, Spent } from '../limits/limiter.js';
import { CountersUnavailable } from '../limits/limiter.js';
import { subjectsOf } from '../events.js';
import { isPartOfLifetime, LIFETIME } from '../limits/periods.js';
import type { Uses } from './readUses.js';
import { usesOf } from './readUses.js';

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
  /** The last event that it has: what the ledger has beyond that it has too. */
  readonly upTo: Position;
  /** How many calls it has of a subject at most. */
  readonly most: number;
  /** By `subjectsOf`: of accounts, and of keys, which may have limits of their own. */
  readonly subjects: ReadonlyMap<string, SubjectTail>;
}

/**
 * Reads the journal's tail. A use is stored after its take, so events are read until ROW of them in a row
 * were written before the time asked for.
 * @param since milliseconds since the epoch
 * @param ledger the last event that the ledger has seen
 * @param most how many calls are kept of each subject, the newest; at least 1
 * @throws CountersUnavailable where a batch that the ledger has not seen cannot be read. One that it has seen is
 *   parked there, or an operator has left it out: the ledger tells
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
  const tailOf = (id: string): { readonly recent: Spend[]; readonly changes: Change[] } => {
    let tail = found.get(id);
    if (!tail) found.set(id, (tail = { recent: [], changes: [] }));
    return tail;
  };
  /** @param calls whether it is a call that counts in windows */
  const note = (
    accountId: string,
    use: HeldUse & Partial<Pick<Use, 'id'>>,
    position: Position,
    sign: 1 | -1,
    calls: boolean,
  ): void => {
    const { at, meters, periods } = use;
    for (const subject of subjectsOf(accountId, use)) {
      const tail = tailOf(subject);
      if (position > ledger) tail.changes.push({ position, meters, periods, sign });
      if (calls && at >= since && counts(meters)) tail.recent.push({ id: use.id ?? '', at, amounts: meters });
    }
  };
  // By account and id, the phases met so far: those that came last.
  const phases = new Map<string, Phase>();
  /**
   * Of a use whose id may come again: as the ledger counts it, but that one which is stored twice counts twice, until
   * the ledger has seen both.
   */
  const notePhase = (account: string, use: Use, phase: Phase, position: Position, sign: 1 | -1): void => {
    const { replaces } = use;
    if (sign === -1 && phase !== 'reserved') return;
    const id = compositeKey(account, use.id);
    const later = phases.get(id);
    if (!later) phases.set(id, phase);
    // A window holds what the use came to in the end.
    const calls = sign === 1 && phase !== 'reversed' && (later === undefined || later === 'reversed');
    note(account, use, position, phase === 'reversed' ? -1 : sign, calls);
    if (replaces) note(account, { ...use, meters: replaces }, position, -1, false);
  };
  const noteBatch = (stored: StoredEvent): void => {
    const read = readable(stored);
    if (!read) {
      if (stored.position > ledger) throw new CountersUnavailable('a batch of the journal cannot be read');
      return;
    }
    const { sign, groups, bad } = read;
    for (const { account, uses } of groups) {
      for (const use of uses) {
        if (use.phase !== undefined) {
          notePhase(account, use, use.phase, stored.position, sign);
          continue;
        }
        if (sign === -1) corrected.add(use.id);
        note(account, use, stored.position, sign, !corrected.has(use.id));
      }
    }
    // What cannot be counted was let through all the same.
    for (const { account, held } of bad) {
      if (account !== null && held) note(account, held, stored.position, sign, sign === 1);
    }
  };
  /** What an operator has decided of a use stands in the place of what was held for it. */
  const noteSettled = (stored: StoredEvent): void => {
    const { type, data } = as<ParkedUseEvent>(stored);
    const { account, held, sign } = data;
    if (type === 'ParkedUseCorrected')
      note(data.account, data.use, stored.position, sign, !held && sign === 1);
    if (account !== null && held) note(account, held, stored.position, sign === 1 ? -1 : 1, false);
  };
  let before = Number.MAX_SAFE_INTEGER;
  let upTo: Position | undefined;
  let row = 0;
  reading: for (;;) {
    const page = await store.readAllBackwards(before, PAGE);
    for (const stored of page) {
      const { position } = stored;
      upTo ??= position;
      const { at, causationId } = stored.metadata;
      // An event that another caused bears the time of its cause, which may be long ago: it tells nothing.
      if (position > ledger) row = 0;
      else if (causationId === undefined) row = Date.parse(at) < since ? row + 1 : 0;
      if (row === ROW) break reading;
      before = position;
      const type = stored.type as (UsageEvent | ParkedUseEvent | UseReversal)['type'];
      if (type === 'UsesRecorded' || type === 'UsesCorrected') noteBatch(stored);
      else if (type === 'ParkedUseCorrected' || type === 'ParkedUseLeftOut') noteSettled(stored);
      else if (type === 'UseReversed') {
        const { account, use } = as<UseReversal>(stored).data;
        note(account, use, position, -1, false);
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
  return { since, most, upTo: upTo ?? START, subjects };
}

/** Whether a use has spent anything: a refused one has not. */
function counts(meters: HeldUse['meters']): boolean {
  for (const meter in meters) if (meters[meter] !== 0) return true;
  return false;
}

function readable(stored: StoredEvent): Uses | undefined {
  try {
    return usesOf(stored);
  } catch {
    return undefined;
  }
}

/**
 * What a subject has spent: the ledger's amounts, also those that it holds for uses that cannot be counted,
 * and what the tail has that the ledger has not.
 * @param seen the last event that is in them, not before the one that the tail was read with
 * @param asOf what the clock says now by which the tail was read
 */
export function spentOf(
  tail: JournalTail,
  /** As `subjectsOf` names it. */
  id: string,
  { amounts, held, seen }: { readonly amounts: Amounts; readonly held: Amounts; readonly seen: Position },
  asOf: number,
): Spent {
  const subject = tail.subjects.get(id);
  const periods = new Amounts([...amounts, ...held]);
  for (const change of subject?.changes ?? []) {
    if (change.position <= seen) continue;
    for (const [meter, amount] of Object.entries(change.meters)) {
      for (const period of change.periods) {
        periods.add(meter, period, change.sign * amount);
        if (isPartOfLifetime(period)) periods.add(meter, LIFETIME.id, change.sign * amount);
      }
    }
  }
  const { since = tail.since, recent = [] } = subject ?? {};
  const upTo = Math.max(tail.upTo, seen);
  return { periods, recent, since, asOf, most: tail.most, upTo };
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
