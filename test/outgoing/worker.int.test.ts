import type { Carried, Carrier } from '../../src/outgoing/worker.js';
import { KEPT_MS, OutgoingWorker } from '../../src/outgoing/worker.js';
import type { Delivery } from '../../src/outgoing/outbox.js';
import { Outbox } from '../../src/outgoing/outbox.js';
import { Outage } from '../../src/outage.js';
import { freshSql } from '../support/database.js';

const NOON = Date.parse('2026-11-22T12:00:00Z');
const HOUR_MS = 3_600_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let outbox: Outbox;
let now: number;
/** Time as it passes. */
let passed: number;
let carried: string[];
let ended: { id: string; outcome: string; attempts: number; round: number }[];
/** What the worker tells of, in order. */
let told: string[];
let errors: unknown[];
let carry: (delivery: Delivery) => Promise<Carried>;
let recordEnd: () => Promise<void>;
beforeAll(async () => {
  database = await freshSql();
  outbox = await Outbox.open(database.sql);
});
afterAll(() => database.remove());
beforeEach(async () => {
  await database.sql.query('DELETE FROM vault.deliveries');
  now = NOON;
  passed = 0;
  carried = [];
  ended = [];
  told = [];
  errors = [];
  carry = () => Promise.resolve({ kind: 'delivered', status: 200 });
  recordEnd = () => Promise.resolve();
});

const worker = (): OutgoingWorker => {
  const carrier: Carrier = {
    longestWaitMs: 2 * HOUR_MS,
    retryMs: (_delivery, attempts) => (attempts < 3 ? attempts * HOUR_MS : undefined),
    carry: (delivery) => {
      carried.push(delivery.id);
      return carry(delivery);
    },
    end: async ({ id, round }, outcome, attempts) => {
      await recordEnd();
      ended.push({ id, outcome, attempts, round });
    },
  };
  return new OutgoingWorker({
    outbox,
    carriers: new Map([
      ['test', carrier],
      ['mail', carrier],
    ]),
    clock: () => now,
    elapsed: () => passed,
    onError: (error) => errors.push(error),
    onEnded: ({ id }, outcome) => told.push(`${id} ${outcome}`),
  });
};
const ask = (...ids: string[]): Promise<void> =>
  outbox.ask(
    ids.map((id) => ({ kind: 'test', id, lane: id.replace(/\d+$/, ''), about: { id } })),
    new Date(now),
  );
/** Deliveries of an owner to lanes of its own. */
const askFor = (owner: string, lanes: number, each: number, kind = 'test'): Promise<void> =>
  outbox.ask(
    Array.from({ length: lanes * each }, (_, n) => {
      const lane = `${owner}-${n % lanes}`;
      return { kind, id: `${lane}-${Math.floor(n / lanes)}`, lane, owner, about: {} };
    }),
    new Date(now),
  );
/** A receiver that never answers, until it is told to. */
function silent() {
  const held: { readonly id: string; readonly owner: string; readonly answer: () => void }[] = [];
  let looked = (): void => undefined;
  return {
    held,
    carry: ({ id, owner }: Delivery): Promise<Carried> =>
      new Promise((resolve) => {
        held.push({ id, owner, answer: () => resolve({ kind: 'delivered' }) });
        looked();
      }),
    until: async (holds: () => boolean): Promise<void> => {
      while (!holds()) await new Promise<void>((resolve) => (looked = resolve));
    },
  };
}
const rows = (): Promise<object[]> =>
  database.sql.query('SELECT id, attempts, due_at, outcome FROM vault.deliveries ORDER BY id');
const attempts = (): Promise<object[]> =>
  database.sql.query('SELECT id, round, number, at, status, failure FROM vault.attempts ORDER BY id, number');

describe('what leaves', () => {
  it('is delivered once, however often it is asked for', async () => {
    await ask('a1', 'b1');
    await ask('a1');
    await worker().drain();
    await ask('a1');
    await worker().drain();
    expect(carried.sort()).toEqual(['a1', 'b1']);
    expect(ended.map(({ id, outcome }) => [id, outcome]).sort()).toEqual([
      ['a1', 'DELIVERED'],
      ['b1', 'DELIVERED'],
    ]);
    expect(told.sort()).toEqual(['a1 DELIVERED', 'b1 DELIVERED']);
    await expect(rows()).resolves.toEqual([
      { id: 'a1', attempts: 1, due_at: null, outcome: 'DELIVERED' },
      { id: 'b1', attempts: 1, due_at: null, outcome: 'DELIVERED' },
    ]);
  });

  it('is tried again when its time has come, and given up after the last attempt', async () => {
    carry = () => Promise.resolve({ kind: 'failed', failure: 'STATUS', status: 500 });
    await ask('a1');
    await worker().drain();
    expect(carried).toHaveLength(1);
    now += HOUR_MS - 1;
    await worker().drain();
    expect(carried).toHaveLength(1);
    now += 1;
    await worker().drain();
    expect(carried).toHaveLength(2);
    expect(told).toEqual([]);
    now += 2 * HOUR_MS;
    await worker().drain();
    now += 100 * HOUR_MS;
    await worker().drain();
    expect(carried).toHaveLength(3);
    expect(told).toEqual(['a1 EXHAUSTED']);
    expect(ended).toEqual([{ id: 'a1', outcome: 'EXHAUSTED', attempts: 3, round: 1 }]);
    const at = (hours: number): Date => new Date(NOON + hours * HOUR_MS);
    await expect(attempts()).resolves.toEqual([
      { id: 'a1', round: 1, number: 1, at: at(0), status: 500, failure: 'STATUS' },
      { id: 'a1', round: 1, number: 2, at: at(1), status: 500, failure: 'STATUS' },
      { id: 'a1', round: 1, number: 3, at: at(3), status: 500, failure: 'STATUS' },
    ]);
  });

  it('is delivered again where its record was lost: at least once', async () => {
    await ask('a1');
    recordEnd = () => Promise.reject(new Error('the event store is away'));
    await worker().drain();
    expect(errors).toHaveLength(1);
    expect(ended).toEqual([]);
    recordEnd = () => Promise.resolve();
    now += 5_000;
    await worker().drain();
    expect(carried).toEqual(['a1', 'a1']);
    // What was no fault of the receiver is no attempt, and told of once.
    expect(ended).toEqual([{ id: 'a1', outcome: 'DELIVERED', attempts: 1, round: 1 }]);
    expect(told).toEqual(['a1 DELIVERED']);
  });

  it('is tried later each time where it fails by no fault of the receiver, within a minute in an outage', async () => {
    const one = worker();
    for (const [failure, longestMs] of [
      [new Outage('the event store is away'), 60_000],
      [new Error('cannot be read'), HOUR_MS],
    ] as const) {
      carry = () => Promise.reject(failure);
      await ask(failure.message);
      for (let waitMs = 5_000, last = 0; last < longestMs; waitMs *= 2) {
        await one.drain();
        const [row] = (await rows()) as { due_at: Date; attempts: number }[];
        last = row ? row.due_at.getTime() - now : NaN;
        expect([last, row?.attempts]).toEqual([Math.min(waitMs, longestMs), 0]);
        now += last;
      }
      carry = () => Promise.resolve({ kind: 'delivered' });
      await one.drain();
      expect(ended.pop()).toMatchObject({ id: failure.message, outcome: 'DELIVERED' });
      await database.sql.query('DELETE FROM vault.deliveries');
    }
  });

  it('does not wait for a clock that was ahead when it was asked for or attempted', async () => {
    carry = () => Promise.resolve({ kind: 'failed', failure: 'STATUS' });
    const one = worker();
    now = NOON + 48 * HOUR_MS;
    await ask('attempted');
    await one.drain();
    await ask('asked');
    now = NOON;
    await ask('later');
    carried = [];
    await one.drain();
    expect(carried).toEqual(['later']);
    passed += 60_000;
    await one.drain();
    // What waits for its next attempt goes on waiting.
    expect(carried).toEqual(['later', 'asked', 'attempted']);
  });

  it('is not held up by a receiver that never answers, however much waits for that one', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let running = 0;
    let most = 0;
    carry = async ({ lane }) => {
      if (lane === 'slow') {
        most = Math.max(most, ++running);
        await held;
        running--;
      }
      return { kind: 'delivered' };
    };
    await ask(...Array.from({ length: 300 }, (_, n) => `slow${n}`));
    now += 1;
    await ask(...Array.from({ length: 50 }, (_, n) => `quick${n}`));
    const stop = new AbortController();
    const one = worker();
    const quick = new Promise<void>((resolve) => {
      const before = carry;
      let done = 0;
      carry = async (delivery) => {
        const result = await before(delivery);
        if (delivery.lane === 'quick' && ++done === 50) resolve();
        return result;
      };
    });
    const loop = one.run(stop.signal);
    await quick;
    expect(most).toBe(4);
    release();
    stop.abort();
    await loop;
    expect(errors).toEqual([]);
  });

  it('is not held up by many slow receivers of one owner, whoever waits longer', async () => {
    const slow = silent();
    carry = (delivery) =>
      delivery.owner === 'slow' ? slow.carry(delivery) : Promise.resolve({ kind: 'delivered' });
    await askFor('slow', 20, 30);
    now += 1;
    await askFor('quick', 3, 20);
    await askFor('post', 1, 20, 'mail');
    const stop = new AbortController();
    const one = worker();
    const loop = one.run(stop.signal);
    while (ended.length < 80) await new Promise(setImmediate);
    expect(slow.held).toHaveLength(8);
    stop.abort();
    for (const { answer } of slow.held) answer();
    await loop;
    expect(ended.filter(({ id }) => id.startsWith('slow'))).toHaveLength(8);
    expect(errors).toEqual([]);
  });

  it('takes turns among owners, and leaves mails their places, where slow receivers of many hold all others', async () => {
    const slow = silent();
    carry = (delivery) =>
      delivery.kind === 'mail' ? Promise.resolve({ kind: 'delivered' }) : slow.carry(delivery);
    for (let owner = 10; owner < 20; owner++) await askFor(`slow${owner}`, 4, 30);
    const stop = new AbortController();
    const one = worker();
    const loop = one.run(stop.signal);
    await slow.until(() => slow.held.length === 64);
    now += 1;
    await askFor('post', 1, 5, 'mail');
    while (ended.length < 5) await new Promise(setImmediate);
    const of = (name: string): number => slow.held.filter(({ owner }) => owner === name).length;
    // No turn is left out: some have six places, the others seven.
    for (let owner = 10; owner < 20; owner++) expect([6, 7]).toContain(of(`slow${owner}`));
    // Whoever comes last, and has nothing that runs, is next.
    now += 1;
    await askFor('new', 1, 1);
    slow.held[0]?.answer();
    await slow.until(() => slow.held.length === 65);
    expect(slow.held[64]?.owner).toBe('new');
    stop.abort();
    for (const { answer } of slow.held) answer();
    await loop;
    expect(errors).toEqual([]);
  });

  it('waits in lanes that were slow for one of few places, and leaves the others to everybody else', async () => {
    const slow = silent();
    carry = (delivery) => {
      if (delivery.owner.startsWith('slow') && delivery.attempts === 0) passed += 6_000;
      if (delivery.owner.startsWith('slow') && delivery.attempts > 0) return slow.carry(delivery);
      return Promise.resolve({ kind: 'failed', failure: 'TIMED_OUT' });
    };
    for (let owner = 10; owner < 20; owner++) await askFor(`slow${owner}`, 8, 1);
    const one = worker();
    await one.drain();
    now += HOUR_MS;
    carried = [];
    await askFor('quick', 8, 4);
    const stop = new AbortController();
    const loop = one.run(stop.signal);
    while (carried.filter((id) => id.startsWith('quick')).length < 32) await new Promise(setImmediate);
    await slow.until(() => slow.held.length >= 16);
    expect(slow.held).toHaveLength(16);
    // One that answers makes place for one.
    slow.held[0]?.answer();
    await slow.until(() => slow.held.length >= 17);
    expect(slow.held).toHaveLength(17);
    stop.abort();
    for (const { answer } of slow.held) answer();
    await loop;
    expect(errors).toEqual([]);
  });

  it('is forgotten a month after its end, and not before', async () => {
    carry = ({ id }) =>
      Promise.resolve(id === 'a1' ? { kind: 'delivered' } : { kind: 'failed', failure: 'STATUS' });
    await ask('a1', 'b1');
    await worker().drain();
    await outbox.forget(new Date(now + KEPT_MS - KEPT_MS), 10);
    await expect(rows()).resolves.toHaveLength(2);
    await outbox.forget(new Date(now + 1), 10);
    await expect(rows()).resolves.toMatchObject([{ id: 'b1' }]);
    await expect(attempts()).resolves.toMatchObject([{ id: 'b1' }]);
  });
});
