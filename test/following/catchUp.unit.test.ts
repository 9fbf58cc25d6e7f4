import type { StreamCatchUpOptions } from '../../src/following/catchUp.js';
import { StreamCatchUp } from '../../src/following/catchUp.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { Outage } from '../../src/outage.js';
import type { Deferred } from '../eventsourcing/fixtures.js';
import { deferred } from '../eventsourcing/fixtures.js';

const LONG = 60_000;

const event = (stream: string): StoredEvent =>
  new StoredEvent(1, stream, 0, `event of ${stream}`, 'Noted', '{}', '{}');

/** A store whose every answer waits until the test gives it. */
function scene(over: Partial<StreamCatchUpOptions> = {}) {
  const reads: (Deferred<readonly StoredEvent[]> & { readonly stream: string })[] = [];
  const applied: string[] = [];
  const catchUp = new StreamCatchUp({
    load: (stream) => {
      const read = { ...deferred<readonly StoredEvent[]>(), stream };
      reads.push(read);
      return read.promise;
    },
    apply: (events) => applied.push(...events.map(({ id }) => id)),
    clock: () => 0,
    timeoutMs: LONG,
    ...over,
  });
  const answer = (index: number): void => {
    const read = reads[index] as (typeof reads)[number];
    read.resolve([event(read.stream)]);
  };
  return { catchUp, reads, applied, answer };
}

it('has what the streams say in memory before it resolves', async () => {
  const { catchUp, applied, answer } = scene();
  const done = catchUp.of(['key-1', 'account-1']);
  answer(0);
  answer(1);
  await done;
  expect(applied).toEqual(['event of key-1', 'event of account-1']);
});

it('reads a stream once for all who ask meanwhile, and again for who asks afterwards', async () => {
  const { catchUp, reads, applied, answer } = scene();
  const first = [catchUp.of(['key-1']), catchUp.of(['key-1']), catchUp.of(['key-1', 'account-1'])];
  expect(reads.map(({ stream }) => stream)).toEqual(['key-1', 'account-1']);
  answer(0);
  answer(1);
  await Promise.all(first);
  const later = catchUp.of(['key-1']);
  expect(reads).toHaveLength(3);
  answer(2);
  await later;
  expect(applied).toEqual(['event of key-1', 'event of account-1', 'event of key-1']);
});

it('says that nobody can tell while the store does not answer', async () => {
  const { catchUp, reads, answer } = scene();
  const done = [catchUp.of(['key-1']), catchUp.of(['key-1'])];
  reads[0]?.reject(new StoreUnavailable('away'));
  for (const each of done) await expect(each).rejects.toThrow(Outage);
  const next = catchUp.of(['key-1']);
  answer(1);
  await next;
});

/** An answer that comes later may be older than law 8 allows. */
it('believes no answer that comes late, and reads anew for who asks next', async () => {
  const { catchUp, reads, applied, answer } = scene({ timeoutMs: 0 });
  await expect(catchUp.of(['key-1'])).rejects.toThrow(Outage);
  expect(reads).toHaveLength(3);
  const next = catchUp.of(['key-1']);
  expect(reads).toHaveLength(4);
  answer(0);
  await expect(next).rejects.toThrow(Outage);
  expect(applied).toEqual([]);
});

it('believes no answer that is heard late, since the process stood still, and asks again', async () => {
  let now = 0;
  const { catchUp, reads, applied, answer } = scene({ clock: () => now });
  const refused = expect(catchUp.of(['key-1'])).rejects.toThrow(Outage);
  for (let attempt = 0; attempt < 3; attempt++) {
    expect(reads).toHaveLength(attempt + 1);
    now += LONG + 1;
    answer(attempt);
    await new Promise(setImmediate);
    expect(applied).toEqual([]);
  }
  await refused;
});

it('is content when a later attempt is answered in time', async () => {
  let now = 0;
  const { catchUp, applied, answer } = scene({ clock: () => now });
  const done = catchUp.of(['key-1']);
  now += LONG + 1;
  answer(0);
  await new Promise(setImmediate);
  answer(1);
  await done;
  expect(applied).toEqual(['event of key-1']);
});

it('reads no more than 256 streams at once, and goes on when some are read', async () => {
  const { catchUp, reads, answer } = scene();
  const many = Array.from({ length: 256 }, (_, i) => catchUp.of([`key-${i}`]));
  await expect(catchUp.of(['key-x'])).rejects.toThrow(Outage);
  answer(0);
  await many[0];
  const next = catchUp.of(['key-x']);
  expect(reads).toHaveLength(257);
  for (let i = 1; i < 257; i++) answer(i);
  await Promise.all([...many, next]);
});
