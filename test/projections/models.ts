import type { ReadModel } from '../../src/following/readModel.js';
import type { NewEvent, StoredEvent } from '../../src/eventsourcing/event.js';
import { newEvent } from '../eventsourcing/fixtures.js';

/** Ids of events that a `fragile` model cannot handle at present. */
export class Poison {
  readonly ids = new Set<string>();

  /** A new event that is poison until it is cured. */
  event(): NewEvent {
    const event = newEvent();
    this.ids.add(event.id);
    return event;
  }

  /** Which others are poison. */
  also: (event: StoredEvent) => boolean = () => false;

  cure(): void {
    this.ids.clear();
    this.also = () => false;
  }

  in(events: readonly StoredEvent[]): StoredEvent | undefined {
    return events.find((event) => this.ids.has(event.id) || this.also(event));
  }
}

/** A model whose fold throws over poison, or whose database does. */
export function fragile(model: ReadModel, poison: Poison, how: 'fold' | 'write' = 'fold'): ReadModel {
  return {
    ...model,
    fold: (events, t) => {
      const bad = poison.in(events);
      if (bad && how === 'fold') throw new TypeError(`cannot fold ${bad.id}`);
      return [...model.fold(events, t), ...(bad ? [{ text: 'SELECT 1 / 0' }] : [])];
    },
  };
}

/** One row for each event of the type, in the order of their coming. */
export const notes: ReadModel = {
  name: 'notes',
  version: 1,
  tables: ['notes'],
  handles: new Set(['Noted']),
  create: (t) => `CREATE TABLE ${t('notes')} (position bigint PRIMARY KEY, text text NOT NULL);`,
  fold: (events, t) =>
    events.map(({ position, data }) => ({
      text: `INSERT INTO ${t('notes')} VALUES ($1, $2)`,
      params: [position, (data as { text?: string }).text ?? ''],
    })),
};

/** Counts events of a stream: one that is applied twice shows. */
export const tally: ReadModel = {
  name: 'tally',
  version: 1,
  tables: ['counts'],
  handles: new Set(['Noted']),
  create: (t) => `CREATE TABLE ${t('counts')} (stream text PRIMARY KEY, events bigint NOT NULL);`,
  fold: (events, t) =>
    events.map(({ stream }) => ({
      text: `INSERT INTO ${t('counts')} AS c VALUES ($1, 1)
             ON CONFLICT (stream) DO UPDATE SET events = c.events + 1`,
      params: [stream],
    })),
};
