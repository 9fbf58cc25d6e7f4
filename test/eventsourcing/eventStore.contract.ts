import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { NewEvent, Position, StoredEvent } from '../../src/eventsourcing/event.js';
import { START } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import {
  ConcurrencyConflict,
  EventIdReused,
  EventTooLarge,
  MAX_APPEND_BYTES,
  NO_STREAM,
} from '../../src/eventsourcing/eventStore.js';
import type { FollowerOptions } from '../../src/following/follower.js';
import { Follower } from '../../src/following/follower.js';
import { EventReader } from '../../src/following/reader.js';
import { deferred, newEvent } from './fixtures.js';

/** What an adapter gives the contract: an empty store, through one or more independent instances. */
export interface StoreUnderTest {
  /** Instances that share nothing but the stored events, as on several nodes. */
  readonly instances: readonly [EventStore, ...EventStore[]];
  /** The category of streams that the store may be given, without any events so far. */
  readonly category: string;
  /** How many events the test of bulk is made with. */
  readonly bulk?: number;
  /** Breaks the connections of all instances, once; absent where there are none to break. */
  interrupt?(): Promise<void>;
  remove(): Promise<void>;
}

const PAGE_BYTES = 1_000_000;

/** No follower waits for the safety net: what it would hide must come by a wake-up. */
const NEVER = 3_600_000;
const LONG = 60_000;

const newEvents = (count: number): NewEvent[] => Array.from({ length: count }, () => newEvent());
const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id);

/** The specification of the port: every adapter runs it. */
export function eventStoreContract(adapter: string, setUp: () => Promise<StoreUnderTest>): void {
  describe(`the event store contract on ${adapter}`, () => {
    let subject: StoreUnderTest;
    let store: EventStore;
    beforeAll(async () => {
      subject = await setUp();
      [store] = subject.instances;
    });
    afterAll(() => subject.remove());

    const instance = (n: number): EventStore => subject.instances[n % subject.instances.length] as EventStore;

    const newStream = (): string => `${subject.category}-${randomUUID()}`;

    const readToHead = async (after: Position, limit = 1_000): Promise<StoredEvent[]> => {
      const all: StoredEvent[] = [];
      for (let at = after; ;) {
        const page = await store.readAll(at, limit, PAGE_BYTES);
        if (page.length === 0) return all;
        all.push(...page);
        at = (page.at(-1) as StoredEvent).position;
      }
    };

    it('is at the start when it is empty', async () => {
      expect(await store.head()).toBe(START);
      expect(await store.readAll(START, 10, PAGE_BYTES)).toEqual([]);
      expect(await store.readAllBackwards(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    });

    describe('append', () => {
      it('answers with the last revision, and with the position under which the events are read', async () => {
        const stream = newStream();
        const events = newEvents(3);
        const first = await store.append(stream, NO_STREAM, events.slice(0, 2));
        const second = await store.append(stream, first.revision, events.slice(2));

        const stored = await store.readStream(stream);
        expect(idsOf(stored)).toEqual(idsOf(events));
        expect(stored.map(({ revision }) => revision)).toEqual([0, 1, 2]);
        const [, last, afterwards] = (await readToHead(START)).filter((event) => event.stream === stream);
        expect(first).toMatchObject({ revision: 1, position: last?.position });
        expect(second).toMatchObject({ revision: 2, position: afterwards?.position });
      });

      it('shows events of a stream at a position at which a reader has seen them', async () => {
        const stream = newStream();
        const { position } = await instance(1).append(stream, NO_STREAM, newEvents(2));
        const head = await store.head();
        const last = await store.readLast(stream);
        expect(last?.position).toBeGreaterThanOrEqual(position);
        expect(last?.position).toBeLessThanOrEqual(head);
      });

      it('lets exactly one of 20 racing creators of a stream win', async () => {
        const stream = newStream();
        const racers = newEvents(20);
        const results = await Promise.allSettled(
          racers.map((event, n) => instance(n).append(stream, NO_STREAM, [event])),
        );

        const winners = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []));
        expect(winners).toHaveLength(1);
        expect(idsOf(await store.readStream(stream))).toEqual([racers[winners[0] as number]?.id]);
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(ConcurrencyConflict);
        }
      });

      it.each([
        ['behind', 0],
        ['ahead of', 5],
        ['before the beginning of', NO_STREAM],
      ])('refuses a revision %s the stream, naming both revisions', async (_where, expected) => {
        const stream = newStream();
        await store.append(stream, NO_STREAM, newEvents(3));
        const refused = store.append(stream, expected, newEvents(1));
        await expect(refused).rejects.toBeInstanceOf(ConcurrencyConflict);
        await expect(refused).rejects.toMatchObject({
          stream,
          expectedRevision: expected,
          actualRevision: 2,
        });
        expect(await store.readStream(stream)).toHaveLength(3);
      });

      it('refuses a revision of a stream that does not exist', async () => {
        const refused = store.append(newStream(), 0, newEvents(1));
        await expect(refused).rejects.toMatchObject({ expectedRevision: 0, actualRevision: NO_STREAM });
      });

      it('returns the first result for the same ids at the same revision, also when the stream has grown', async () => {
        const stream = newStream();
        const events = newEvents(2);
        const { position, revision } = await store.append(stream, NO_STREAM, events);
        const repeated = await store.append(stream, NO_STREAM, events);
        expect(repeated).toMatchObject({ position, revision });
        // A store that can't tell says nothing.
        expect(repeated.repeated).not.toBe(false);
        await store.append(stream, 1, newEvents(1));
        expect(await instance(1).append(stream, NO_STREAM, events)).toMatchObject({ position, revision });
        expect(await store.readStream(stream)).toHaveLength(3);
      });

      it('stores the same append once when it is sent ten times at the same moment', async () => {
        const stream = newStream();
        const events = newEvents(2);
        const results = await Promise.all(
          Array.from({ length: 10 }, (_, n) => instance(n).append(stream, NO_STREAM, events)),
        );
        const places = results.map(({ position, revision }) => `${position} ${revision}`);
        expect(new Set(places).size).toBe(1);
        expect(results.filter(({ repeated }) => repeated === false).length).toBeLessThanOrEqual(1);
        expect(idsOf(await store.readStream(stream))).toEqual(idsOf(events));
      });

      it.each([
        ['other data', { data: '{"other":1}' }],
        ['another type', { type: 'Other' }],
      ])('refuses a known id with %s, also once the stream has grown', async (_what, change) => {
        const stream = newStream();
        const original = newEvent();
        const again = [{ ...original, ...change }];
        await store.append(stream, NO_STREAM, [original]);
        await expect(store.append(stream, NO_STREAM, again)).rejects.toBeInstanceOf(EventIdReused);
        await store.append(stream, 0, newEvents(1));
        await expect(instance(1).append(stream, NO_STREAM, again)).rejects.toBeInstanceOf(EventIdReused);
        expect((await store.readStream(stream))[0]).toMatchObject({
          id: original.id,
          dataText: original.data,
        });
      });

      // Two requests under one command id that race: none may be told that its content was stored when
      // the other's was.
      it('lets one of ten contents under the same id win, and refuses the others', async () => {
        const stream = newStream();
        const event = newEvent();
        const contents = Array.from({ length: 10 }, (_, n) => `{"n":${n}}`);
        const results = await Promise.allSettled(
          contents.map((data, n) => instance(n).append(stream, NO_STREAM, [{ ...event, data }])),
        );
        const winners = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [contents[n]] : []));
        expect(winners).toHaveLength(1);
        expect((await store.readStream(stream)).map(({ dataText }) => dataText)).toEqual(winners);
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(EventIdReused);
        }
      });

      it('takes the same content again under other metadata: a repetition comes at another time', async () => {
        const stream = newStream();
        const event = newEvent();
        const first = await store.append(stream, NO_STREAM, [event]);
        const later = { ...event, metadata: newEvent().metadata };
        expect(await instance(1).append(stream, NO_STREAM, [later])).toMatchObject({
          position: first.position,
          revision: 0,
        });
        expect((await store.readLast(stream))?.metadataText).toBe(event.metadata);
      });

      it('refuses an append of which only a part is known', async () => {
        const stream = newStream();
        const [known, fresh] = newEvents(2) as [NewEvent, NewEvent];
        await store.append(stream, NO_STREAM, [known]);
        await expect(store.append(stream, NO_STREAM, [known, fresh])).rejects.toBeInstanceOf(EventIdReused);
        expect(await store.readStream(stream)).toHaveLength(1);
      });

      it('refuses what is too large, and stores what just fits', async () => {
        const stream = newStream();
        const event = newEvent({ metadata: '{}' });
        // Together with its metadata.
        const withBytes = (bytes: number): NewEvent => ({
          ...event,
          data: `{"a":"${'é'.repeat(bytes / 2 - 5)}"}`,
        });
        await expect(
          store.append(stream, NO_STREAM, [withBytes(MAX_APPEND_BYTES + 2)]),
        ).rejects.toBeInstanceOf(EventTooLarge);
        await store.append(stream, NO_STREAM, [withBytes(MAX_APPEND_BYTES)]);
        expect((await store.readLast(stream))?.dataText).toBe(withBytes(MAX_APPEND_BYTES).data);
      });

      it.each<[string, string, (event: NewEvent) => NewEvent[]]>([
        ['an id that is no UUID', 'test-a', (e) => [{ ...e, id: 'x' }]],
        ['an id in upper case', 'test-a', (e) => [{ ...e, id: 'ABCDEF00-0000-4000-8000-000000000000' }]],
        ['no type', 'test-a', (e) => [{ ...e, type: '' }]],
        ['no events', 'test-a', () => []],
        ['the same id twice', 'test-a', (e) => [e, { ...e, data: '{"second":true}' }]],
        ['a stream without a category', 'a', (e) => [e]],
        ['a stream without an id', 'test-', (e) => [e]],
        ['a null character in its data', 'test-a', (e) => [{ ...e, data: '{"a":"\0"}' }]],
        ['a null character in its stream', 'test-a\0', (e) => [e]],
        ['a null character in its type', 'test-a', (e) => [{ ...e, type: 'A\0' }]],
        ['half a surrogate pair in its stream', 'test-\ud83d', (e) => [e]],
        ['half a surrogate pair in its data', 'test-a', (e) => [{ ...e, data: '{"a":"\ud83d"}' }]],
        ['escapes in data that are no JSON', 'test-a', (e) => [{ ...e, data: '{"a":"\\u0041}' }]],
      ])('refuses %s as a mistake of the program', async (_what, stream, change) => {
        await expect(store.append(stream, NO_STREAM, change(newEvent()))).rejects.toBeInstanceOf(TypeError);
      });

      // JSON.stringify writes them as escapes: the store takes those, and every read model stumbles.
      it.each<[string, object]>([
        ['a null character', { reason: 'a\0b' }],
        ['half a surrogate pair', { reason: 'be\ud800cause' }],
        ['the other half', { names: ['a', { name: '\udc00' }] }],
        ['halves in the wrong order', { name: '\ude00\ud83d' }],
        ['half a surrogate pair in a name', { 'a\ud83d': 1 }],
      ])(
        'refuses %s that is escaped, in data and metadata, and stores nothing of it',
        async (_what, value) => {
          const stream = newStream();
          const text = JSON.stringify(value);
          for (const change of [{ data: text }, { metadata: text }]) {
            const refused = store.append(stream, NO_STREAM, [newEvent(), newEvent(change)]);
            await expect(refused).rejects.toBeInstanceOf(TypeError);
          }
          expect(await store.readStream(stream)).toEqual([]);
          // What only looks like it is a text like any other.
          await store.append(stream, NO_STREAM, [newEvent({ data: text.replaceAll('\\u', '\\\\u') })]);
          expect((await store.readStream(stream))[0]?.data).toBeDefined();
        },
      );

      it('keeps appends that share a commit apart: a bad one does not harm the others', async () => {
        const known = newEvent();
        const knownStream = newStream();
        await store.append(knownStream, NO_STREAM, [known]);
        const good = Array.from({ length: 12 }, () => ({ stream: newStream(), events: newEvents(2) }));
        const taken = newStream();

        // All in one tick, so that they wait for the same commit.
        const outcomes = good.flatMap(({ stream, events }, n) => {
          const appended = store.append(stream, NO_STREAM, events);
          if (n === 3) return [appended, store.append(taken, 7, newEvents(1))];
          if (n === 6) {
            return [appended, store.append(knownStream, NO_STREAM, [{ ...known, data: '{"other":1}' }])];
          }
          // What no check foresaw: the database, or its driver, refuses this one.
          if (n === 9) return [appended, store.append(taken, Number.NaN, newEvents(1))];
          return [appended];
        });
        const settled = await Promise.allSettled(outcomes);

        expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(3);
        expect(await store.readStream(taken)).toEqual([]);
        for (const { stream, events } of good) {
          expect(idsOf(await store.readStream(stream))).toEqual(idsOf(events));
        }
      });

      it('stores all events of an append or none, next to each other in the global order', async () => {
        const before = await store.head();
        const appends = Array.from({ length: 12 }, (_, n) => ({
          stream: newStream(),
          events: newEvents(1 + (n % 4)),
        }));
        await Promise.all(
          appends.map(({ stream, events }, n) => instance(n).append(stream, NO_STREAM, events)),
        );
        const order = idsOf(await readToHead(before));
        for (const { events } of appends) {
          const at = order.indexOf(events[0]?.id as string);
          expect(order.slice(at, at + events.length)).toEqual(idsOf(events));
        }
      });
    });

    describe('what was stored', () => {
      it('is read back unchanged, to the character', async () => {
        const storable = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
        await fc.assert(
          fc.asyncProperty(fc.array(storable, { minLength: 1, maxLength: 5 }), async (texts) => {
            const stream = newStream();
            const events = texts.map((text) =>
              // White space, the order of keys and escapes are the writer's business.
              newEvent({ data: `{ "z": ${JSON.stringify(text)},\n "a": "\\u0041\\/\\u0001" }` }),
            );
            await store.append(stream, NO_STREAM, events);
            const stored = await store.readStream(stream);
            expect(stored.map(({ dataText }) => dataText)).toEqual(events.map(({ data }) => data));
            expect(stored.map(({ data }) => (data as { z: string }).z)).toEqual(texts);
          }),
          { numRuns: 25 },
        );
      });
    });

    describe('reading', () => {
      it('reads a stream from a revision, up to a limit', async () => {
        const stream = newStream();
        const events = newEvents(7);
        await store.append(stream, NO_STREAM, events);
        expect(idsOf(await store.readStream(stream, { from: 2, limit: 3 }))).toEqual(
          idsOf(events.slice(2, 5)),
        );
        expect(await store.readStream(stream, { from: 7 })).toEqual([]);
        expect(await store.readStream(newStream())).toEqual([]);
      });

      it('reads the last event of a stream', async () => {
        const stream = newStream();
        expect(await store.readLast(stream)).toBeUndefined();
        const events = newEvents(3);
        await store.append(stream, NO_STREAM, events);
        expect(await store.readLast(stream)).toMatchObject({ id: events[2]?.id, revision: 2, stream });
      });

      it('reads backwards what it reads forwards', async () => {
        await store.append(newStream(), NO_STREAM, newEvents(5));
        const all = idsOf(await readToHead(START)).reverse();
        const newest = await store.readAllBackwards(Number.MAX_SAFE_INTEGER, 3);
        expect(idsOf(newest)).toEqual(all.slice(0, 3));
        const older = await store.readAllBackwards((newest.at(-1) as StoredEvent).position, 2);
        expect(idsOf(older)).toEqual(all.slice(3, 5));
      });

      it('counts what comes after a position, up to a bound', async () => {
        const before = await store.head();
        const { position } = await store.append(newStream(), NO_STREAM, newEvents(2));
        await store.append(newStream(), NO_STREAM, newEvents(3));
        expect(await store.countAfter(before, 100)).toBe(5);
        expect(await store.countAfter(position, 100)).toBe(3);
        expect(await store.countAfter(before, 4)).toBe(4);
        expect(await store.countAfter(await store.head(), 100)).toBe(0);
      });

      it('has its head at the newest event', async () => {
        const { position } = await store.append(newStream(), NO_STREAM, newEvents(2));
        expect(await instance(1).head()).toBe(position);
        expect(await store.readAll(position, 10, PAGE_BYTES)).toEqual([]);
      });

      it('ends a page at about the given bytes, and never before its first event', async () => {
        const before = await store.head();
        const events = Array.from({ length: 20 }, () => newEvent({ data: `"${'x'.repeat(9_998)}"` }));
        await store.append(newStream(), NO_STREAM, events);

        const read: StoredEvent[] = [];
        for (;;) {
          const page = await store.readAll(read.at(-1)?.position ?? before, 1_000, 35_000);
          if (page.length === 0) break;
          expect(page.length).toBeLessThanOrEqual(4);
          read.push(...page);
        }
        expect(idsOf(read)).toEqual(idsOf(events));
        expect(idsOf(await store.readAll(before, 1_000, 1))).toEqual([events[0]?.id]);
      });

      it('reads the events of some types up to a position, page by page', async () => {
        const before = await store.head();
        const typed = (type: string): NewEvent[] => [newEvent({ type }), newEvent({ type: 'Other' })];
        for (let n = 0; n < 3; n++) {
          await store.append(newStream(), NO_STREAM, [...typed('First'), ...typed('Second')]);
        }
        const upTo = await store.head();
        await store.append(newStream(), NO_STREAM, typed('First'));

        const all = (await readToHead(before)).filter(({ position }) => position <= upTo);
        const wanted = all.filter(({ type }) => type !== 'Other');
        const types = new Set(['First', 'Second']);
        for (const limit of [1, 4, 6, 100]) {
          const read: StoredEvent[] = [];
          for (;;) {
            const at = read.at(-1)?.position ?? before;
            const page = await store.readTypes(types, at, upTo, limit, PAGE_BYTES);
            if (page.length === 0) break;
            expect(page.length).toBeLessThanOrEqual(limit);
            read.push(...page);
          }
          expect(read).toEqual(wanted);
        }
        expect(idsOf(await store.readTypes(types, before, upTo, 100, 1))).toEqual([wanted[0]?.id]);
        expect(await store.readTypes(new Set(['Never']), before, upTo, 100, PAGE_BYTES)).toEqual([]);
      });

      it('misses nothing and never goes back when it pages while others write', async () => {
        const before = await store.head();
        const written = new Set<string>();
        let writing = true;
        const writers = Array.from({ length: 8 }, async (_, w) => {
          for (let n = 0; n < 40; n++) {
            const events = newEvents(1 + ((w + n) % 3));
            const lane = w % 2 === 0 ? 'journal' : 'command';
            await instance(w).append(newStream(), NO_STREAM, events, lane);
            for (const { id } of events) written.add(id);
          }
        });
        const read: StoredEvent[] = [];
        const reader = (async () => {
          for (;;) {
            const last = !writing;
            const page = await instance(1).readAll(read.at(-1)?.position ?? before, 7, PAGE_BYTES);
            read.push(...page);
            if (last && page.length === 0) return;
          }
        })();
        await Promise.all(writers);
        writing = false;
        await reader;

        expect(new Set(idsOf(read))).toEqual(written);
        expect(read).toHaveLength(written.size);
        // Positions grow; nothing is said about gaps.
        for (let n = 1; n < read.length; n++) {
          expect((read[n] as StoredEvent).position).toBeGreaterThan((read[n - 1] as StoredEvent).position);
        }
      });

      it('wakes its listeners after an append, until they unsubscribe', async () => {
        let wakes = 0;
        const unsubscribe = store.onWake(() => wakes++);
        await store.append(newStream(), NO_STREAM, newEvents(1));
        expect(wakes).toBeGreaterThan(0);
        unsubscribe();
        const before = wakes;
        await store.append(newStream(), NO_STREAM, newEvents(1));
        expect(wakes).toBe(before);
      });
    });

    describe('following', () => {
      const closing: (() => Promise<void> | void)[] = [];
      afterEach(async () => {
        for (const close of closing.splice(0).reverse()) await close();
      });

      const follow = (options: Partial<FollowerOptions>): Follower => {
        const reader = new EventReader(store, NEVER);
        const follower = new Follower({
          name: 'test',
          reader,
          from: START,
          handle: () => undefined,
          onError: () => undefined,
          ...options,
        });
        closing.push(
          () => reader.close(),
          () => follower.stop(),
        );
        follower.start();
        return follower;
      };

      it('begins with the first event, or behind a position, or now', async () => {
        await store.append(newStream(), NO_STREAM, newEvents(3));
        const position = await store.head();
        await instance(1).append(newStream(), NO_STREAM, newEvents(2));
        const now = await store.head();

        const seen = await Promise.all(
          [START, position, now].map(async (from) => {
            const ids: string[] = [];
            const follower = follow({ from, handle: (events) => void ids.push(...idsOf(events)) });
            expect(await follower.reached(now, LONG)).toBe(true);
            return { ids, follower };
          }),
        );
        const later = await store.append(newStream(), NO_STREAM, newEvents(2));
        for (const { follower } of seen) expect(await follower.reached(later.position, LONG)).toBe(true);

        const all = idsOf(await readToHead(START));
        expect(seen[0]?.ids).toEqual(all);
        expect(seen[1]?.ids).toEqual(all.slice(-4));
        expect(seen[2]?.ids).toEqual(all.slice(-2));
      });

      it('sees every event once and in order although it lags, and its checkpoint never runs ahead', async () => {
        const from = await store.head();
        const entered = deferred();
        const release = deferred();
        const seen: string[] = [];
        const follower: Follower = follow({
          from,
          handle: async (events, last) => {
            expect(follower.position).toBeLessThan(last);
            entered.resolve();
            await release.promise;
            expect(follower.position).toBeLessThan(last);
            seen.push(...idsOf(events));
          },
        });
        await store.append(newStream(), NO_STREAM, newEvents(1));
        await entered.promise;
        // It is held in its first page meanwhile.
        for (let n = 0; n < 30; n++) await instance(n).append(newStream(), NO_STREAM, newEvents(100));
        expect(follower.position).toBe(from);
        expect(seen).toEqual([]);
        release.resolve();
        expect(await follower.reached(await store.head(), LONG)).toBe(true);
        expect(seen).toEqual(idsOf(await readToHead(from)));
        expect(seen).toHaveLength(3_001);
      });

      it('goes on at its checkpoint when it is dropped in the middle of a page', async () => {
        const from = await store.head();
        const streams = Array.from({ length: 8 }, newStream);
        const writing = Promise.all(
          streams.map(async (stream, n) => {
            for (let revision = NO_STREAM; revision < 39; revision += 5) {
              await instance(n).append(stream, revision, newEvents(5));
            }
          }),
        );
        const seen: string[] = [];
        let pages = 0;
        const follower = follow({
          from,
          handle: async (events) => {
            // The first half of every other page is handled for nothing, as when a process is killed.
            if (pages++ % 2 === 0) {
              await subject.interrupt?.();
              throw new Error('dropped');
            }
            seen.push(...idsOf(events));
          },
        });
        await writing;
        const { position } = await store.append(newStream(), NO_STREAM, newEvents(1));
        expect(await follower.reached(position, LONG)).toBe(true);
        expect(seen).toEqual(idsOf(await readToHead(from)));
        expect(seen).toHaveLength(8 * 40 + 1);
      });

      it('hears of what another instance appends, also after a break', async () => {
        const follower = follow({ from: await store.head() });
        for (let n = 0; n < 3; n++) {
          const { position } = await instance(1).append(newStream(), NO_STREAM, newEvents(1));
          expect(await follower.reached(position, LONG)).toBe(true);
          await subject.interrupt?.();
        }
      });
    });

    it('keeps streams apart whose names are alike', async () => {
      const id = randomUUID();
      const { category } = subject;
      await store.append(`${category}-${id}`, NO_STREAM, newEvents(1));
      await store.append(`${category}-${id}-1`, NO_STREAM, newEvents(2));
      expect(await store.readStream(`${category}-${id}`)).toHaveLength(1);
      expect(await store.readLast(`${category}_-${id}`)).toBeUndefined();
    });

    // The last: the tests above read everything that there is.
    it('reads back unchanged what it was given in bulk: 100,000 events, where the adapter names no other number', async () => {
      const perStream = (subject.bulk ?? 100_000) / 20;
      const before = await store.head();
      const run = randomUUID().slice(0, 8);
      const streams = Array.from({ length: 20 }, newStream);
      const perAppend = 500;
      const event = (stream: number, revision: number): NewEvent => ({
        id: `${run}-0000-4000-8000-${(stream * 1_000_000 + revision).toString(16).padStart(12, '0')}`,
        type: `Type${revision % 3}`,
        data: `{"stream":${stream},"revision":${revision},"text":"${'ü'.repeat(revision % 40)}"}`,
        metadata: `{"schemaVersion":1,"at":"2026-11-22T12:00:00.000Z","correlationId":"${revision}"}`,
      });
      await Promise.all(
        streams.map(async (name, stream) => {
          for (let first = 0; first < perStream; first += perAppend) {
            const events = Array.from({ length: perAppend }, (_, n) => event(stream, first + n));
            await instance(stream).append(name, first - 1, events);
          }
        }),
      );

      const numbers = new Map(streams.map((name, stream) => [name, stream]));
      const next = streams.map(() => 0);
      let wrong = 0;
      for (let at = before; ;) {
        const page = await store.readAll(at, 1_000, PAGE_BYTES);
        if (page.length === 0) break;
        for (const read of page) {
          const stream = numbers.get(read.stream) ?? -1;
          const revision = next[stream] ?? 0;
          const expected = event(stream, revision);
          next[stream] = revision + 1;
          // A matcher for each of them would take longer than all the rest.
          const same =
            read.position > at &&
            read.revision === revision &&
            read.id === expected.id &&
            read.type === expected.type &&
            read.dataText === expected.data &&
            read.metadataText === expected.metadata;
          if (!same) wrong++;
          at = read.position;
        }
      }
      expect(wrong).toBe(0);
      expect(next).toEqual(streams.map(() => perStream));
    });
  });
}
