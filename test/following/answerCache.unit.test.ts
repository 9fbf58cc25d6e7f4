import { AnswerCache } from '../../src/following/answerCache.js';
import type { ReadModelAccess, ReadModelState } from '../../src/following/readModel.js';
import { deferred } from '../eventsourcing/fixtures.js';

class Model implements ReadModelAccess {
  readonly #state = { model: 'm', version: 1, generation: 1, checkpoint: 1, changed: 1, replays: 0 };
  readonly t = (table: string): string => table;
  readonly state = (): ReadModelState => ({ ...this.#state });
  /** Sees an event that changes nothing. */
  see(): void {
    this.#state.checkpoint++;
  }
  change(): void {
    this.#state.changed = ++this.#state.checkpoint;
  }
  swap(): void {
    this.#state.generation++;
  }
  replay(): void {
    this.#state.replays++;
  }
}

let models: [Model, Model];
let cache: AnswerCache;
let loads: number;
beforeEach(() => {
  models = [new Model(), new Model()];
  cache = new AnswerCache(models);
  loads = 0;
});
const ask = (key = 'k'): Promise<number> => cache.get(key, async () => ++loads);

it('gives an answer again, loaded once, also to those who ask meanwhile', async () => {
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  expect(await ask()).toBe(1);
});

it('keeps the answers of other questions apart', async () => {
  expect([await ask('k'), await ask('l'), await ask('k')]).toEqual([1, 2, 1]);
});

it('keeps an answer while the models see events that do not change them', async () => {
  await ask();
  models[0].see();
  expect(await ask()).toBe(1);
});

it.each<[string, () => void]>([
  ['the first model changes', () => models[0].change()],
  ['the second model changes', () => models[1].change()],
  ['a model is rebuilt', () => models[0].swap()],
  ['parked events are applied late', () => models[0].replay()],
])('drops an answer when %s', async (_what, happen) => {
  await ask();
  happen();
  expect(await ask()).toBe(2);
  expect(await ask()).toBe(2);
});

it('does not keep an answer during whose loading a model changed', async () => {
  const loading = deferred<string>();
  const early = cache.get('k', () => loading.promise);
  models[0].change();
  loading.resolve('old');
  expect(await early).toBe('old');
  expect(await cache.get('k', async () => 'new')).toBe('new');
});

it('does not keep a failure', async () => {
  await expect(cache.get('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  expect(await ask()).toBe(1);
});

/** A load that began before a change and fails after it must not take the newer answer with it. */
it('keeps a newer answer when an older load fails', async () => {
  const loading = deferred<number>();
  const early = cache.get('k', () => loading.promise);
  models[0].change();
  expect(await ask()).toBe(1);
  loading.reject(new Error('down'));
  await expect(early).rejects.toThrow('down');
  expect(await ask()).toBe(1);
});
