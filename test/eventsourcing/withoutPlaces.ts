import { StoredEvent } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';

/**
 * A store that does not tell where the events of a stream stand in the global order, as EventStoreDB does not:
 * they bear the position of the head.
 * @param read runs between the stream and the head
 */
export function withoutPlaces(inner: EventStore, read = async (): Promise<void> => undefined): EventStore {
  const atHead = async (events: StoredEvent[]): Promise<StoredEvent[]> => {
    await read();
    const head = await inner.head();
    return events.map(
      ({ stream, revision, id, type, data, metadata }) =>
        new StoredEvent(head, stream, revision, id, type, JSON.stringify(data), JSON.stringify(metadata)),
    );
  };
  const readStream: EventStore['readStream'] = async (...args) => atHead(await inner.readStream(...args));
  const readLast: EventStore['readLast'] = async (stream) => {
    const last = await inner.readLast(stream);
    return last && (await atHead([last]))[0];
  };
  return new Proxy<EventStore>(inner, {
    get: (target, name) => {
      if (name === 'readStream') return readStream;
      if (name === 'readLast') return readLast;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
