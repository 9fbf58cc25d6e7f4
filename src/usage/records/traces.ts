import type { UsageQueries } from '../../../projections/usage/queries.js';
import type { Position, StoredEvent } from '../../eventsourcing/event.js';
import type { EventStore } from '../../eventsourcing/eventStore.js';
import type { UsageEvent, Use } from '../events.js';
import { usesOf } from '../journal/readUses.js';
import { mintedAt } from '../requestId.js';

/** A record that a request has led to. */
export interface Traced {
  readonly account: string;
  readonly use: Use;
  /** Batch#place, as records are cited (decision 9). */
  readonly record: string;
  readonly position: Position;
}

/** What is asked for. */
export interface Wanted {
  readonly requestId: string;
  /** About when it was, milliseconds since the epoch; an id that was minted here says so itself. */
  readonly around: number;
  /** Where a refusal of this account was only counted, the count of its minute stands for it. */
  readonly accountId: string | undefined;
}

const MINUTE_MS = 60_000;
/** How far a record may stand from the time of its request: calls take their time, and clocks differ. */
const NEAR = {
  minted: { before: MINUTE_MS, after: 5 * MINUTE_MS },
  given: { before: 30 * MINUTE_MS, after: 30 * MINUTE_MS },
};

const BATCHES: ReadonlySet<string> = new Set<UsageEvent['type']>(['UsesRecorded']);
const PAGE = 50;
const PAGE_BYTES = 4_000_000;
/** Batches that one search looks through at most. */
const MAX_BATCHES = 20_000;

/** Finds what requests have led to in the journal, where the time says. */
export class Traces {
  constructor(
    private readonly store: Pick<EventStore, 'readTypes' | 'head'>,
    private readonly ledger: Pick<UsageQueries, 'positionBefore'>,
  ) {}

  async find({ requestId, around, accountId }: Wanted): Promise<Traced[]> {
    const minted = mintedAt(requestId);
    const at = minted ?? around;
    const { before, after } = minted === undefined ? NEAR.given : NEAR.minted;
    const head = await this.store.head();
    const found: Traced[] = [];
    const counted: Traced[] = [];
    let from = await this.ledger.positionBefore(at - before);
    search: for (let batches = 0; batches < MAX_BATCHES;) {
      const page = await this.store.readTypes(BATCHES, from, head, PAGE, PAGE_BYTES);
      const last = page.at(-1);
      if (!last) break;
      for (const stored of page) {
        if (Date.parse(stored.metadata.at) > at + after) break search;
        if (stored.dataText.includes(requestId)) {
          found.push(...tracedIn(stored, (use) => use.id === requestId || use.requestId === requestId));
        } else if (accountId !== undefined && stored.dataText.includes(accountId)) {
          counted.push(...tracedIn(stored, (use) => countsMinute(use, at), accountId));
        }
      }
      batches += page.length;
      from = last.position;
    }
    return found.length > 0 || minted === undefined ? found : counted;
  }
}

/** Whether it is the count of the refusals of that minute. */
const countsMinute = ({ refusal, at }: Use, then: number): boolean =>
  refusal !== null && refusal.count > 1 && Math.floor(at / MINUTE_MS) === Math.floor(then / MINUTE_MS);

function tracedIn(stored: StoredEvent, wanted: (use: Use) => boolean, accountId?: string): Traced[] {
  const { groups } = usesOf(stored);
  let place = 0;
  return groups.flatMap(({ account, uses }) =>
    uses.flatMap((use): Traced[] => {
      const record = `${stored.id}#${place++}`;
      if (!wanted(use) || (accountId !== undefined && account !== accountId)) return [];
      return [{ account, use, record, position: stored.position }];
    }),
  );
}
