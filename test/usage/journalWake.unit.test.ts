import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { silentLogger } from '../../src/logger.js';
import type { Use } from '../../src/usage/events.js';
import { Journal } from '../../src/usage/journal/journal.js';

/** A store that takes everything; what is tried here is the journal's own queue. */
function takesEverything(): Pick<EventStore, 'append' | 'readLast'> {
  let position = 0;
  return {
    readLast: async () => undefined,
    append: async (_stream, expected) => ({ position: ++position, revision: expected + 1 }),
  };
}

const use = { id: 'u' } as Use;

/**
 * A use that comes in the very turn in which the queue ran empty: it was put behind a flush that had
 * just ended, and waited there until the next use came, for ever where none did.
 */
it.each([0, 1, 2, 3, 4, 5])('stores a use that comes %i microtasks after the last one', async (ticks) => {
  const store = takesEverything() as EventStore;
  const journal = new Journal({ store, node: 'n', clock: Date.now, log: silentLogger, flushMs: 0 });
  await journal.record('a', use);
  for (let i = 0; i < ticks; i++) await Promise.resolve();
  await expect(journal.record('a', use)).resolves.toBe(2);
  await journal.close();
});
