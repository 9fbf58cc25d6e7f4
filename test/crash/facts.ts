import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import { as, START } from '../../src/eventsourcing/event.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import type { UsageEvent, Use } from '../../src/usage/events.js';
import { completeUse } from '../../src/usage/journal/useJson.js';

export async function allEvents(store: EventStore): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (let after = START; ;) {
    const page = await store.readAll(after, 1_000, 4 * 1024 * 1024);
    const last = page.at(-1);
    if (!last) return all;
    all.push(...page);
    after = last.position;
  }
}

/** What the journal holds, folded without any of the read models' code. */
export interface Journalled {
  /** Uses that count, by operation name: stored, less taken back. */
  readonly byOperation: ReadonlyMap<string, number>;
  /** Amounts by `account|environment|meter|period`. */
  readonly amounts: ReadonlyMap<string, number>;
  /** Executed and refused uses, requests and microseconds, over all. */
  readonly totals: { uses: number; requests: number; durationUs: number };
}

export function foldJournal(events: readonly StoredEvent[]): Journalled {
  const byOperation = new Map<string, number>();
  const amounts = new Map<string, number>();
  const totals = { uses: 0, requests: 0, durationUs: 0 };
  const add = (map: Map<string, number>, id: string, amount: number): void => {
    map.set(id, (map.get(id) ?? 0) + amount);
  };
  const count = (account: string, use: Use, sign: number): void => {
    totals.uses += sign * (use.refusal?.count ?? 1);
    totals.requests += sign * (use.meters['requests'] ?? 0);
    totals.durationUs += sign * use.durationUs;
    if (use.status !== 'refused') add(byOperation, use.operation ?? '', sign);
    for (const [meter, amount] of Object.entries(use.meters)) {
      for (const period of use.periods) {
        add(amounts, compositeKey(`${use.environment}:${account}`, meter, period), sign * amount);
      }
    }
  };
  for (const event of events) {
    if (event.type !== 'UsesRecorded' && event.type !== 'UsesCorrected') continue;
    const { type, data } = as<UsageEvent>(event);
    for (const { account, uses } of data.groups) {
      for (const use of uses) count(account, completeUse(use), type === 'UsesCorrected' ? -1 : 1);
    }
  }
  return { byOperation, amounts, totals };
}
