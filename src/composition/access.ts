import type { Queries } from '../../projections/index.js';
import { CAPABILITIES, ENDS, REMEMBERED } from '../capabilities.js';
import type { InMemory, Memory } from '../capability.js';
import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { EventCorrected } from '../eventsourcing/events.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import { StreamCatchUp } from '../following/catchUp.js';
import { Follower } from '../following/follower.js';
import type { Recency } from '../following/freshness.js';
import { ALWAYS_FRESH, Freshness } from '../following/freshness.js';
import { EventReader } from '../following/reader.js';
import type { EnvironmentKeys } from '../keys/environment.js';
import type { Logger } from '../logger.js';
import type { Shutdown } from '../shutdown.js';
import type { Stores } from './stores.js';

/**
 * From one page to the next where other processes end keys and sessions, in milliseconds: it is the most
 * of the time that a revoked key still works elsewhere.
 */
const REST_MS = 25;

/** Who may call and what for, in memory. */
export interface Access extends Memory {
  readonly environmentKeys: EnvironmentKeys;
  readonly follower: Follower;
  /** How old all of this may be (law 8). */
  readonly recency: Recency;
  /** For when it is too old: what single streams say now. */
  readonly catchUp: StreamCatchUp;
  /** Calls back when a key, a session or a membership of an account may have ended. */
  readonly onRevoked: (listener: (accountId: string) => void) => void;
}

/**
 * Loads what capabilities keep in memory from their read models or streams, and follows the events from there on.
 * @param from where the read model stands that is furthest behind: nothing is lost, whichever they load from
 */
export async function followAccess(
  stores: Pick<
    Stores,
    'commands' | 'store' | 'shared' | 'secrets' | 'profile' | 'environmentKeys' | 'clock' | 'billingClock'
  >,
  reader: EventReader,
  from: Position,
  queries: Queries,
  log: Logger,
  shutdown: Shutdown,
): Promise<Access> {
  const { commands, store, shared, environmentKeys } = stores;
  const loaded: Partial<Memory>[] = [];
  for (const capability of CAPABILITIES) {
    loaded.push((await capability.memory?.({ ...stores, queries })) ?? {});
  }
  const memory = Object.assign({}, ...loaded) as Memory;
  const models: readonly InMemory[] = Object.values(memory);

  const listeners: ((accountId: string) => void)[] = [];
  const remember = (events: readonly StoredEvent[]): void => {
    for (const event of events) for (const model of models) model.apply(event);
  };
  const apply = (events: readonly StoredEvent[]): void => {
    remember(events);
    const revoked = new Set(events.flatMap((event) => ENDS.get(event.type)?.(event) ?? []));
    for (const accountId of revoked) for (const listener of listeners) listener(accountId);
  };
  // Pages of its own where it rests less than others: from its small ones they would fall behind.
  const ownReader = shared ? new EventReader(store) : undefined;
  const follower = new Follower({
    name: 'access',
    reader: ownReader ?? reader,
    from,
    handle: async (events) => {
      apply(events);
      for (const stream of correctedStreams(events)) {
        const corrected = await commands.load(stream);
        for (const model of models) model.restart?.(stream);
        apply(corrected);
      }
    },
    onError: (error) => log.error('the key cache is not making progress', error),
    ...(shared && { restMs: REST_MS }),
  });
  follower.start();
  shutdown.add('key cache', () => {
    ownReader?.close();
    return follower.stop();
  });
  // The node that changes something knows it before it answers (law 8).
  commands.onAppended(apply);
  const onRevoked: Access['onRevoked'] = (listener) => void listeners.push(listener);
  const recency = shared ? await proveRecency(store, follower, shutdown) : ALWAYS_FRESH;
  // Listeners wait for the follower: they ask again who calls, which may lead here again.
  const catchUp = new StreamCatchUp({
    load: (stream) => commands.load(stream),
    apply: remember,
    clock: () => performance.now(),
  });
  return { ...memory, environmentKeys, follower, recency, catchUp, onRevoked };
}

/**
 * Streams of which an event says something else from now on: they are applied anew, from the beginning. Only
 * those that are followed here: one of the others may be a whole day of a journal.
 */
function correctedStreams(events: readonly StoredEvent[]): Set<string> {
  const corrections = events.filter(({ type }) => type === 'EventCorrected');
  const streams = corrections.map((stored) => as<EventCorrected>(stored).data.stream);
  return new Set(streams.filter((stream) => REMEMBERED.has(stream.slice(0, stream.indexOf('-')))));
}

/** Where several processes append: what another one has ended is not known here at once. */
async function proveRecency(store: EventStore, follower: Follower, shutdown: Shutdown): Promise<Freshness> {
  const freshness = new Freshness({
    head: () => store.head(),
    reached: (position, timeoutMs) => follower.reached(position, timeoutMs),
    clock: () => performance.now(),
  });
  await freshness.prove();
  freshness.start();
  shutdown.add('freshness of the key cache', () => freshness.stop());
  return freshness;
}
