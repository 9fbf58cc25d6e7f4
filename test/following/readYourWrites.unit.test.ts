import { buildSchema, graphql } from 'graphql';
import { Progress } from '../../src/following/progress.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { showMutations } from '../../src/graphql/execution/schema.js';
import { ReadYourWrites } from '../../src/following/readYourWrites.js';

const event = (position: number) => new StoredEvent(position, 's', 0, 'id', 'KeyIssued', '{}', '{}');

/** Read models that move when they are told to. */
function modelsAt(positions: Record<string, number>) {
  const progress = new Map(
    Object.entries(positions).map(([name, from]) => [name, new Progress(from, () => undefined)]),
  );
  const get = (name: string): Progress => progress.get(name) as Progress;
  let asked = 0;
  return {
    moveTo: (name: string, position: number) => get(name).moveTo(position),
    asked: () => asked,
    reached: (name: string, position: number, timeoutMs: number) => {
      asked++;
      return get(name).reached(position, timeoutMs);
    },
    states: () =>
      [...progress].map(([model, { position: checkpoint }]) => ({
        ...{ model, version: 1, generation: 1, changed: 0, replays: 0 },
        checkpoint,
      })),
  };
}

/** Whether a promise is settled once everything that can happen by itself has happened. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

it('waits for every model that is named, and for no other', async () => {
  const models = modelsAt({ keys: 5, teams: 5, usage: 0 });
  const shown = new ReadYourWrites(models, ['keys', 'teams']);
  expect(await settled(shown.wait())).toBe(true);
  shown.appended([event(7), event(8)]);
  const waiting = shown.wait();
  models.moveTo('keys', 8);
  expect(await settled(waiting)).toBe(false);
  models.moveTo('teams', 9);
  expect(await settled(waiting)).toBe(true);
});

it('gives up in time, and does not wait again for a model that stands still', async () => {
  const models = modelsAt({ keys: 5 });
  const shown = new ReadYourWrites(models, ['keys'], 1);
  shown.appended([event(8)]);
  await shown.wait();
  await shown.wait();
  expect(models.asked()).toBe(1);
  models.moveTo('keys', 6);
  const waiting = shown.wait();
  expect(models.asked()).toBe(2);
  models.moveTo('keys', 8);
  await waiting;
});

it('holds a mutation back before anything below it is asked for', async () => {
  const order: string[] = [];
  const schema = buildSchema(
    'type Query { a: Int } type Mutation { change: Changed  ask: Changed } type Changed { list: Int }',
  );
  const fields = (type: string) => schema.getType(type) as unknown as { getFields(): Record<string, object> };
  Object.assign(fields('Mutation').getFields()['ask'] as object, { resolve: () => (order.push('ask'), {}) });
  Object.assign(fields('Mutation').getFields()['change'] as object, {
    resolve: () => (order.push('change'), {}),
  });
  Object.assign(fields('Changed').getFields()['list'] as object, { resolve: () => order.push('list') });
  showMutations(
    schema,
    async () => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push('shown');
    },
    new Set(['ask']),
  );
  await graphql({ schema, source: 'mutation { change { list } }' });
  expect(order).toEqual(['change', 'shown', 'list']);
  await graphql({ schema, source: 'mutation { ask { list } }' });
  expect(order.slice(3)).toEqual(['ask', 'list']);
});
