import fc from 'fast-check';
import { READ_MODELS } from '../../src/capabilities.js';
import type { NewEvent } from '../../src/eventsourcing/event.js';
import { Historian, history } from './histories.js';

/** The types of the events of so many histories. */
async function typesOf(histories: number): Promise<ReadonlySet<string>> {
  const types = new Set<string>();
  let position = 0;
  const store = {
    append: (_stream: string, expected: number, events: readonly NewEvent[]) => {
      for (const { type } of events) types.add(type);
      position += events.length;
      return Promise.resolve({ position, revision: expected + events.length });
    },
  };
  for (const sample of fc.sample(history, { numRuns: histories, seed: 1 }))
    await new Historian(store).write(sample);
  return types;
}

it('the histories that laws are tried on have every event type that a read model folds', async () => {
  const generated = await typesOf(1_000);
  for (const { name, handles } of READ_MODELS) {
    expect([name, [...handles].filter((type) => !generated.has(type))]).toEqual([name, []]);
  }
});
