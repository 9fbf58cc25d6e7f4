import { randomUUID } from 'node:crypto';
import type { NewEvent } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { schemaVersionOf } from '../../src/eventsourcing/upcasting.js';
import { median } from '../statistics.js';

export const IN_FLIGHT = [1, 64, 256] as const;

/** Appends single events for about so long, always so many at once; how many a second. */
export type Load = (inFlight: number, ms: number) => Promise<number>;

export interface AppendFigures {
  readonly inFlight: number;
  readonly store: number;
  readonly raw: number;
  /** The median of each round's ratio: both sides of a round met the same noise. */
  readonly overRaw: number;
}

/** An event as large as an issued key: about 300 bytes of data and 200 of metadata. */
export function sampleEvent(): NewEvent {
  const id = randomUUID();
  const data = {
    accountId: id,
    name: 'production',
    environment: 'live',
    scopes: ['read', 'write'],
    hash: '5f0c8b3a9d1e47c26b8fa0d3e5794c1a2b6d8e0f3a5c7d9e1b3f5a7c9d0e2f4a',
    pepperId: 'c1a2b6d8e0f3',
    prefix: 'sk_live_',
    last4: 'Zx9Q',
    expiresAt: null,
  };
  const metadata = {
    schemaVersion: schemaVersionOf('KeyIssued'),
    at: '2026-11-22T17:00:00.000Z',
    environment: 'live',
    correlationId: id,
    caller: 'user:0b9a3e0e-6d5f-5a0c-9c1b-5f3a4c1d7e21',
    commandId: id,
  };
  return { id, type: 'KeyIssued', data: JSON.stringify(data), metadata: JSON.stringify(metadata) };
}

/** Each of the callers appends its next event to its own stream when the last one is stored. */
export function throughStore(store: EventStore): Load {
  return async (inFlight, ms) => {
    const started = performance.now();
    const until = started + ms;
    let stored = 0;
    const caller = async (): Promise<void> => {
      const stream = `key-${randomUUID()}`;
      for (let revision = NO_STREAM; performance.now() < until; stored++) {
        ({ revision } = await store.append(stream, revision, [sampleEvent()]));
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    return (stored * 1000) / (performance.now() - started);
  };
}

/** Ours and the raw store take turns, round after round, and so does who begins. */
export async function compareAppends(
  store: Load,
  raw: Load,
  { rounds, ms }: { rounds: number; ms: number },
): Promise<AppendFigures[]> {
  const figures: AppendFigures[] = [];
  for (const inFlight of IN_FLIGHT) {
    const ours: number[] = [];
    const theirs: number[] = [];
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      const turn = async (load: Load, into: number[]): Promise<void> => {
        const perSecond = await load(inFlight, round === 0 ? ms / 2 : ms);
        if (round > 0) into.push(perSecond);
      };
      if (round % 2 === 0) await turn(store, ours);
      await turn(raw, theirs);
      if (round % 2 === 1) await turn(store, ours);
    }
    figures.push({
      inFlight,
      store: median(ours),
      raw: median(theirs),
      overRaw: median(ours.map((perSecond, i) => perSecond / (theirs[i] as number))),
    });
  }
  return figures;
}
