import type { ReservationRow } from '../../projections/usage/queries.js';
import type { Use } from '../../src/usage/events.js';
import { LocalLimiter } from '../../src/usage/limits/localLimiter.js';
import { UsagePayers } from '../../src/usage/reports/payers.js';
import type { ReservationsOptions, Reserving } from '../../src/usage/reservations/reservations.js';
import { Reservations } from '../../src/usage/reservations/reservations.js';
import { limit, NOON, NOTHING } from './limiter.contract.js';
import { TestTime } from './testTime.js';

const [MINUTE, HOUR] = [60_000, 3_600_000];
const TERM = 5 * MINUTE;
const limits = [limit('day', 10, 'videos')];
const plan = { id: 'pro', name: 'Pro', prices: [], limits, features: [] };
const payers = new UsagePayers({ key: () => undefined, accounts: async (ids) => new Set(ids) });

let time: TestTime;
let limiter: LocalLimiter;
/** What is stored, as the ledger has it. */
let rows: ReservationRow[];

beforeEach(() => {
  time = new TestTime(NOON);
  limiter = new LocalLimiter({ load: async () => NOTHING, time: () => time.elapsed });
  rows = [];
});

function store(account: string, use: Use): number {
  const { phase = 'final', id, environment, key, endpoint, method, at, meters, periods, reservation } = use;
  rows.push({
    ...{ phase, account, use_id: id, environment, key, endpoint, method, at, meters, periods },
    ...{ label: use.operation, source: use.source, subject: null },
    expires_at: reservation?.expiresAt ?? null,
    on_expiry: reservation?.onExpiry ?? null,
    position: rows.length + 1,
  });
  return rows.length;
}

const opened = (options: Partial<ReservationsOptions> = {}): Reservations =>
  new Reservations({
    journal: { admit: () => undefined, record: async (account, use) => store(account, use) },
    limiter,
    ledger: {
      reservation: async (id) => rows.filter((row) => row.use_id === id),
      reservations: async (ids) => rows.filter((row) => ids.includes(row.use_id)),
      overdue: async (at) =>
        rows.filter(
          ({ phase, use_id, expires_at }) =>
            phase === 'reserved' &&
            (expires_at ?? Infinity) <= at &&
            !rows.some((other) => other.use_id === use_id && other.phase !== 'reserved'),
        ),
    },
    payers,
    subjects: { of: async () => [] },
    planOf: () => ({ plan, version: 1 }) as never,
    shared: false,
    passed: () => time.elapsed,
    ledgerReached: async () => true,
    othersReached: async () => true,
    ...options,
  });

const reserving = (over: Partial<Reserving> = {}): Reserving => ({
  id: 'job',
  named: true,
  payer: { accountId: 'a', environment: 'live', keyId: '' },
  amounts: { videos: 10 },
  work: { endpoint: '/transcribe', method: 'POST', operation: null, source: null },
  terms: { expiresAt: time.clock + TERM, onExpiry: 'release' },
  ...over,
});
const phases = (): string[] => rows.map(({ phase }) => phase);
const used = async (): Promise<number | undefined> =>
  (await limiter.states({ accountId: 'a', environment: 'live', limits, now: time.clock }))[0]?.used;

describe('the time of a reservation', () => {
  it('is what passes: a clock that is an hour ahead for a while ends none', async () => {
    const reservations = opened();
    await reservations.reserve(reserving(), time.clock);
    time.set(HOUR);
    await reservations.expire(time.clock, 10);
    time.pass(TERM - 1);
    await reservations.expire(time.clock, 10);
    expect([phases(), await used()]).toEqual([['reserved'], 10]);
    time.set(-HOUR);
    time.pass(1);
    await reservations.expire(time.clock, 10);
    expect([phases(), await used()]).toEqual([['reserved', 'expired'], 0]);
  });

  it('is not longer where the clock was set back meanwhile', async () => {
    const reservations = opened();
    await reservations.reserve(reserving(), time.clock);
    time.set(-HOUR);
    time.pass(TERM);
    await reservations.expire(time.clock, 10);
    expect([phases(), await used()]).toEqual([['reserved', 'expired'], 0]);
    await reservations.expire(time.clock, 10);
    expect(phases()).toHaveLength(2);
  });

  it('is waited for once more where another process has made it, whose end nobody has seen', async () => {
    await opened().reserve(reserving(), time.clock);
    const other = opened();
    await other.expire(time.clock, 10);
    time.set(HOUR);
    await other.expire(time.clock, 10);
    time.pass(TERM - 1);
    await other.expire(time.clock, 10);
    expect(phases()).toEqual(['reserved']);
    time.pass(1);
    await other.expire(time.clock, 10);
    expect(phases()).toEqual(['reserved', 'expired']);
  });
});

describe('a reservation that is asked for again', () => {
  it('is the first one, and another content is refused', async () => {
    const reservations = opened();
    const final = { id: 'final', final: true, amounts: { videos: 1 } };
    await reservations.reserve(reserving({ amounts: { videos: 3 } }), time.clock);
    await reservations.reserve(reserving(final), time.clock);
    const again = async (over: Partial<Reserving>): Promise<string> => {
      const answers: string[] = [];
      // The process that has it in memory, and one that finds it in the ledger.
      for (const one of [reservations, opened()]) {
        const told = await one.reserve(reserving({ amounts: { videos: 3 }, ...over }), time.clock);
        answers.push(told.kind === 'reserved' ? (told.replayed ? 'replayed' : 'taken') : told.kind);
      }
      return answers.join();
    };
    const { work } = reserving();
    expect(await again({})).toBe('replayed,replayed');
    expect(await again({ work: { ...work, operation: '' } })).toBe('replayed,replayed');
    expect(await again({ terms: { expiresAt: time.clock + HOUR, onExpiry: 'release' } })).toBe(
      'replayed,replayed',
    );
    expect(await again({ ...final })).toBe('replayed,replayed');
    for (const other of [
      { amounts: { videos: 4 } },
      { work: { ...work, endpoint: '/translate' } },
      { work: { ...work, source: 'asr' } },
      { payer: { accountId: 'b', environment: 'live' as const, keyId: '' } },
      // Of a final one nobody settles anything, and what is reserved is not spent yet.
      { final: true },
      { ...final, final: false },
    ]) {
      expect([other, await again(other)]).toEqual([other, 'invalid,invalid']);
    }
    expect(await used()).toBe(4);
  });
});

describe('a reservation that is asked for again of another node', () => {
  /** What the ledger has: all that is stored once somebody has waited for it. */
  let seen: ReservationRow[];
  let waits: number;
  const node = (): Reservations =>
    opened({
      shared: true,
      ledger: {
        reservation: async (id) => seen.filter((row) => row.use_id === id),
        reservations: async (ids) => seen.filter((row) => ids.includes(row.use_id)),
        overdue: async () => [],
      },
      othersReached: async () => {
        waits++;
        seen = [...rows];
        return true;
      },
    });
  beforeEach(() => {
    seen = [];
    waits = 0;
  });

  it.each([false, true])('is the first one where that has left no room, final: %s', async (final) => {
    const [one, other] = [node(), node()];
    const first = await one.reserve(reserving({ final }), time.clock);
    expect(first).toMatchObject({ kind: 'reserved', replayed: false });
    const again = await other.reserve(reserving({ final }), time.clock);
    expect(again).toMatchObject({ kind: 'reserved', replayed: true, reservation: { id: 'job' } });
    const more = reserving({ final, amounts: { videos: 11 } });
    expect(await node().reserve({ ...more, id: 'more' }, time.clock)).toMatchObject({
      code: 'QUERY_COST_EXCEEDED',
    });
    expect(await other.reserve(more, time.clock)).toMatchObject({ refusal: { code: 'COMMAND_ID_REUSED' } });
    expect([rows.length, await used()]).toEqual([1, 10]);
  });

  it('is waited for where it is refused and the caller has named it, and else never', async () => {
    await node().reserve(reserving(), time.clock);
    expect(waits).toBe(0);
    const refused = { kind: 'refused', code: 'QUOTA_EXCEEDED' };
    expect(await node().reserve(reserving({ id: 'new', named: false }), time.clock)).toMatchObject(refused);
    expect(waits).toBe(0);
    expect(await node().reserve(reserving({ id: 'other' }), time.clock)).toMatchObject(refused);
    expect(waits).toBe(1);
  });
});
