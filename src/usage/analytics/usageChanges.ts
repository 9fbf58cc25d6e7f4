import { setTimeout as delay } from 'node:timers/promises';
import type { Environment, Position, StoredEvent } from '../../eventsourcing/event.js';
import { as, START } from '../../eventsourcing/event.js';
import type { ParkedUseEvent, UsageEvent, UseGroup, UseReversal } from '../events.js';
import { subjectId } from '../events.js';
import { usesOf } from '../journal/readUses.js';

/** From one event of a subscriber to the next, at least, in milliseconds. */
const INTERVAL_MS = 1_000;

export interface UsageChangesOptions {
  /** Position of the newest batch that this node has stored. */
  readonly journalPosition: () => Position;
  readonly intervalMs?: number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

const subscriberId = (accountId: string, environment: Environment): string =>
  subjectId({ accountId, environment, keyId: undefined });

/** Tells whoever waits that an account's usage has moved, by the batches of the journals of all nodes. */
export class UsageChanges {
  readonly #watched = new Map<string, Set<Moves>>();

  #seen: Position = START;

  constructor(private readonly options: UsageChangesOptions) {}

  /** Whether anybody waits: otherwise no batch has to be read. */
  get watched(): boolean {
    return this.#watched.size > 0;
  }

  /** Takes a page of events: where anybody waits, once the ledger has seen them. */
  apply(events: readonly StoredEvent[], last: Position): void {
    this.#seen = last;
    if (!this.watched) return;
    for (const stored of events) {
      for (const group of groupsOf(stored)) this.#moved(group, stored.position);
    }
  }

  /**
   * Positions up to which the usage of an account has to be counted: at once one that has what is known
   * now, then one whenever it has moved. At most one an interval, and then only the newest: who reads
   * slowly has one waiting and no queue.
   */
  watch(account: string, environment: Environment): AsyncIterableIterator<Position> {
    const { journalPosition } = this.options;
    const { intervalMs = INTERVAL_MS, wait = (ms, signal) => delay(ms, undefined, { signal }) } =
      this.options;
    const id = subscriberId(account, environment);
    const moves = new Moves(
      Math.max(this.#seen, journalPosition()),
      (signal) => wait(intervalMs, signal),
      () => {
        const others = this.#watched.get(id);
        others?.delete(moves);
        if (others?.size === 0) this.#watched.delete(id);
      },
    );
    const watching = this.#watched.get(id);
    if (watching) watching.add(moves);
    else this.#watched.set(id, new Set([moves]));
    return moves;
  }

  #moved({ account, uses }: UseGroup, position: Position): void {
    for (const environment of ['live', 'test'] as const) {
      const watching = this.#watched.get(subscriberId(account, environment));
      // A refusal moves nothing.
      const spent = uses.some((use) => use.environment === environment && use.status !== 'refused');
      if (watching && spent) for (const moves of watching) moves.to(position);
    }
  }
}

/** Of whom an event counts something; nothing in a batch that the ledger could not read either. */
function groupsOf(stored: StoredEvent): readonly UseGroup[] {
  const type = stored.type as (UsageEvent | ParkedUseEvent | UseReversal)['type'];
  if (type === 'ParkedUseCorrected' || type === 'UseReversed') {
    const { account, use } = as<Extract<ParkedUseEvent | UseReversal, { type: typeof type }>>(stored).data;
    return [{ account, uses: [use] }];
  }
  if (type !== 'UsesRecorded' && type !== 'UsesCorrected') return [];
  try {
    return usesOf(stored).groups;
  } catch {
    return [];
  }
}

/** Read by one reader, one step after the other. */
class Moves implements AsyncIterableIterator<Position> {
  #newest: Position | undefined;
  #rested: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;
  readonly #end = new AbortController();

  constructor(
    from: Position,
    private readonly rest: (signal: AbortSignal) => Promise<unknown>,
    private readonly onEnd: () => void,
  ) {
    this.#newest = from;
  }

  to(position: Position): void {
    this.#newest = position;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Position, undefined>> {
    await this.#rested;
    const { signal } = this.#end;
    while (this.#newest === undefined && !signal.aborted) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const value = this.#newest;
    if (signal.aborted || value === undefined) return { done: true, value: undefined };
    this.#newest = undefined;
    this.#rested = this.rest(signal).catch(() => undefined);
    return { done: false, value };
  }

  /** Ends it, also while somebody waits for the next move. */
  return(): Promise<IteratorResult<Position, undefined>> {
    this.#end.abort();
    this.#wake?.();
    this.onEnd();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
