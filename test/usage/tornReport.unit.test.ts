import { AsyncLocalStorage } from 'node:async_hooks';
import type { KnownPhase } from '../../projections/usage/queries.js';
import { contentOf, useHash } from '../../src/usage/events.js';
import { JournalUnavailable } from '../../src/usage/journal/journal.js';
import { KnownUses } from '../../src/usage/reports/knownUses.js';
import { CountersUnavailable } from '../../src/usage/limits/limiter.js';
import { LocalLimiter } from '../../src/usage/limits/localLimiter.js';
import { UsagePayers } from '../../src/usage/reports/payers.js';
import { periodsOf } from '../../src/usage/limits/periods.js';
import { notedOfProved } from '../../src/usage/journal/provedUses.js';
import { RecordUsage } from '../../src/usage/reports/reportUsage.js';
import { useRecord } from '../../src/usage/journal/useRecord.js';
import { limit, NOON, NOTHING } from './limiter.contract.js';

const limits = [limit('day', 10, 'videos')];
const plan = { id: 'pro', name: 'Pro', prices: [], limits, features: [] };
const planOf = () => ({ plan, version: 1 }) as never;
const payers = new UsagePayers({ key: () => undefined, accounts: async (ids) => new Set(ids) });
const account = { accountId: 'a', environment: 'live', limits, now: NOON } as const;

let limiter: LocalLimiter;
let refused: ReadonlySet<string>;
/** The ids that were stored with each other. */
let together: string[][];
/** Of the calls that brought what was stored. */
let traces: (string | undefined)[];
const trace = new AsyncLocalStorage<string>();
/** Accounts whose counters cannot be loaded. */
let unknown: ReadonlySet<string>;
/** What the ledger knows, by `useHash`. */
let ledger: Map<string, KnownPhase>;
let recording: RecordUsage;

const used = async (): Promise<number | undefined> => (await limiter.states(account))[0]?.used;
const reportOf = (accountId: string, ...ids: string[]) =>
  recording.execute(
    { accountId: 'operator', environment: 'live', operator: true },
    ids.map((useId) => ({ useId, accountId, meter: 'videos' })),
    NOON,
  );
const report = (...ids: string[]) => reportOf('a', ...ids);

beforeEach(() => {
  limiter = new LocalLimiter({
    load: async ({ subject: { accountId } }) => {
      if (unknown.has(accountId)) throw new CountersUnavailable('parked');
      return NOTHING;
    },
  });
  refused = new Set();
  together = [];
  traces = [];
  unknown = new Set();
  ledger = new Map();
  recording = new RecordUsage({
    journal: {
      admit: () => undefined,
      lastPosition: 1,
      get traceparent() {
        return trace.getStore();
      },
      recordAll: async (uses) => {
        together.push(uses.map(({ use: { id } }) => id));
        traces.push(...uses.map(({ traceparent }) => traceparent));
        return uses.map(({ use: { id } }) => (refused.has(id) ? new JournalUnavailable('away') : 1));
      },
    },
    limiter,
    known: new KnownUses({
      known: async (hashes) => hashes.flatMap((hash) => ledger.get(hash) ?? []),
      seen: () => 0,
    }),
    payers,
    subjects: { of: async () => [] },
    planOf,
    rules: () => ({
      meters: [{ id: 'videos', unit: 'video', aggregation: 'sum', decimals: 0 }],
      lateWindowMs: 1_000,
      closeAfterMs: 1_000,
      reportBy: [],
    }),
    complete: async () => true,
  });
});

it('counts what is stored of a report that is torn, and the rest when it comes again', async () => {
  expect(await used()).toBe(0);
  refused = new Set(['two']);
  await expect(report('one', 'two', 'three')).rejects.toBeInstanceOf(JournalUnavailable);
  expect(await used()).toBe(2);
  refused = new Set();
  const { results } = await report('one', 'two', 'three');
  expect(results.map(({ status }) => status)).toEqual(['DUPLICATE', 'ACCEPTED', 'DUPLICATE']);
  expect(await used()).toBe(3);
});

it('stores reports that come together at once, and fails the torn one alone', async () => {
  expect(await used()).toBe(0);
  refused = new Set(['two']);
  const [whole, torn, third] = await Promise.allSettled([
    report('one'),
    report('two', 'three'),
    report('four'),
  ]);
  expect(together).toEqual([['one', 'two', 'three', 'four']]);
  expect(whole).toMatchObject({ value: { results: [{ useId: 'one', status: 'ACCEPTED' }] } });
  expect(torn).toMatchObject({ reason: { name: 'JournalUnavailable' } });
  expect(third).toMatchObject({ value: { results: [{ useId: 'four', status: 'ACCEPTED' }] } });
  expect(await used()).toBe(3);
  refused = new Set();
  const [one, two] = await Promise.all([report('one'), report('two', 'three')]);
  expect(one?.results.map(({ status }) => status)).toEqual(['DUPLICATE']);
  expect(two?.results.map(({ status }) => status)).toEqual(['ACCEPTED', 'DUPLICATE']);
  expect(await used()).toBe(4);
});

it('fails the reports alone of an account whose limits nobody knows, and stores the others', async () => {
  unknown = new Set(['b']);
  const [bad, good] = await Promise.allSettled([reportOf('b', 'one'), report('one')]);
  expect(bad).toMatchObject({ reason: { name: 'CountersUnavailable' } });
  expect(good).toMatchObject({ value: { results: [{ status: 'ACCEPTED' }] } });
  expect(together).toEqual([['one']]);
  unknown = new Set();
  expect((await reportOf('b', 'one')).results).toMatchObject([{ status: 'ACCEPTED' }]);
});

it('keeps the trace of each report', async () => {
  await Promise.all(['one', 'two'].map((id) => trace.run(id, () => report(id))));
  expect(together).toEqual([['one', 'two']]);
  expect(traces).toEqual(['one', 'two']);
});

it('lets no small report wait for the accounts of a large one', async () => {
  const large = Array.from({ length: 60 }, (_, i) => `large-${i}`);
  await Promise.all([report(...large), report('small')]);
  expect(together.map((ids) => ids.length).sort()).toEqual([1, 60]);
});

it('counts what proves stored after all, once', async () => {
  expect(await used()).toBe(0);
  refused = new Set(['one']);
  await expect(report('one')).rejects.toBeInstanceOf(JournalUnavailable);
  const use = useRecord({
    at: NOON,
    environment: 'live',
    id: 'one',
    key: '',
    meters: { videos: 1 },
    periods: periodsOf(NOON),
    phase: 'final',
    planVersion: 1,
  });
  // Calls of GraphQL were taken back, and what was reserved was given up.
  const others = [
    { ...use, id: 'a.1', phase: undefined },
    { ...use, id: 'res_1', phase: 'reserved' as const },
  ];
  const batch = { groups: [{ account: 'a', uses: [use, ...others] as never }], position: 2, at: NOON };
  recording.proved(batch);
  limiter.note(notedOfProved(batch, NOON, planOf, payers));
  expect(await used()).toBe(1);
  refused = new Set();
  expect((await report('one')).results).toMatchObject([{ status: 'DUPLICATE' }]);
  expect(await used()).toBe(1);
});

it('says of an id that the ledger has otherwise the same, however often it is sent', async () => {
  const told = { environment: 'live', key: '', meters: { videos: 2 } } as const;
  const known = (useId: string, phase: 'final' | 'reserved'): void => {
    const hash = useHash('a', useId);
    ledger.set(hash, { hash, phase, content: contentOf(told), position: 1, place: 0 });
  };
  known('one', 'final');
  known('two', 'reserved');
  const statuses = async (...uses: readonly (readonly [useId: string, quantity: number])[]) =>
    (
      await recording.execute(
        { accountId: 'a', environment: 'live', operator: true },
        uses.map(([useId, quantity]) => ({ useId, accountId: 'a', meter: 'videos', quantity })),
        NOON,
      )
    ).results.map(({ status }) => status);
  const sent = [
    ['one', 1],
    ['one', 2],
    ['one', 1],
    ['two', 2],
    ['two', 2],
  ] as const;
  const answers = ['REJECTED', 'DUPLICATE', 'REJECTED', 'REJECTED', 'REJECTED'];
  expect(await statuses(...sent)).toEqual(answers);
  expect(await statuses(...sent)).toEqual(answers);
  expect(await statuses(['one', 1])).toEqual(['REJECTED']);
});

it('remembers what is stored where the limits could not be told of it', async () => {
  const note = limiter.note.bind(limiter);
  limiter.note = () => {
    throw new Error('broken');
  };
  await expect(report('one')).rejects.toThrow('broken');
  limiter.note = note;
  expect((await report('one')).results).toMatchObject([{ status: 'DUPLICATE' }]);
});
