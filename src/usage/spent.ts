import type { Environment } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import type { UsageEvent } from './events.js';

const PAGE = 200;

/** Times of recent calls by `account|environment`, oldest first. */
export type RecentUses = ReadonlyMap<string, readonly number[]>;

export const recentKey = (account: string, environment: Environment): string => `${account}|${environment}`;

/**
 * Reads the journal's tail: the calls that a sliding window may still hold after a restart. A use is
 * stored after its take, so events are read until one was written before the window began.
 * @param since milliseconds since the epoch
 * @param most how many times are kept for each account, the newest
 */
export async function readRecentUses(store: EventStore, since: number, most: number): Promise<RecentUses> {
  const recent = new Map<string, number[]>();
  // Read backwards, a correction comes before the batch that it corrects.
  const corrected = new Set<string>();
  let before = Number.MAX_SAFE_INTEGER;
  reading: for (;;) {
    const page = await store.readAllBackwards(before, PAGE);
    for (const stored of page) {
      // An event that another caused bears the time of its cause, which may be long ago.
      const { at, causationId } = stored.metadata;
      if (causationId === undefined && Date.parse(at) < since) break reading;
      before = stored.position;
      if (stored.type !== 'UsesRecorded' && stored.type !== 'UsesCorrected') continue;
      const { type, data } = as<UsageEvent>(stored);
      for (const { account, uses } of data.groups) {
        for (const use of uses) {
          if (type === 'UsesCorrected') corrected.add(use.id);
          if (corrected.has(use.id) || use.at < since || !use.meters['requests']) continue;
          const id = recentKey(account, use.environment);
          const times = recent.get(id) ?? [];
          times.push(use.at);
          recent.set(id, times);
        }
      }
    }
    if (page.length < PAGE) break;
  }
  for (const [id, times] of recent) {
    times.sort((a, b) => a - b);
    recent.set(id, times.slice(-most));
  }
  return recent;
}
