import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { usage } from '../../projections/usage/model.js';
import { UsageQueries } from '../../projections/usage/queries.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import type { Limit } from '../../src/plans/profile.js';
import type { UsageThresholdEvent, Use } from '../../src/usage/events.js';
import { usageStream } from '../../src/usage/events.js';
import { Thresholds } from '../../src/usage/thresholds/thresholds.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';
import { newUse } from './uses.js';

const LONG = 60_000;
const NOON = Date.UTC(2026, 10, 22, 12);

let database: Awaited<ReturnType<typeof freshSql>>;
let store: PostgresEventStore;
let projector: Projector;
let reader: EventReader;
let commands: CommandHandler;

beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
  reader = new EventReader(store);
  projector = await Projector.open(database.sql, reader, [usage], () => undefined, { retryMs: [] });
  projector.start();
  commands = new CommandHandler(store);
});
afterAll(async () => {
  reader.close();
  await projector.stop();
  await database.remove();
});

/** What an account may use a month, as of a position. */
type Plans = readonly (readonly [position: number, amount: number])[];

const monthly = (amount: number): Limit => ({ id: 'videos-month', meter: 'videos', window: 'month', amount });

/** One process that looks. */
const watcher = (plans: Plans, ownLimits: readonly Limit[] = []): Thresholds =>
  new Thresholds({
    commands,
    ledger: new UsageQueries(database.sql, projector.access('usage')),
    ledgerAt: (position) => projector.reached('usage', position, LONG),
    limitsOf: (_account, position) => {
      const amount = plans.findLast(([since]) => since <= position)?.[1] ?? 0;
      return Promise.resolve({ limits: [monthly(amount)], anchors: undefined });
    },
    limitsOfKey: () => Promise.resolve(ownLimits),
    percents: [50, 80, 100],
    usageTimeOf: (at) => at,
    batchesAfter: (position, upTo) => store.readTypes(new Set(['UsesRecorded']), position, upTo, 500, 1e7),
    changes: { PlanGranted: ({ streamId }) => streamId },
  });

async function append(stream: string, type: string, data: object): Promise<StoredEvent> {
  const event = newEvent({ type, data: JSON.stringify(data) });
  const { position } = await store.append(stream, NO_STREAM, [event]);
  const [stored] = await store.readAll(position - 1, 1, 1e7);
  return stored as StoredEvent;
}

const batch = (account: string, uses: readonly Use[]): Promise<StoredEvent> =>
  append(usageStream(randomUUID(), '2026-11-22'), 'UsesRecorded', {
    groups: [{ account, uses }],
    node: 'n',
    start: 's',
  });

const videos = (amount: number, over: Partial<Use> = {}): Use =>
  newUse({ at: NOON, key: '', meters: { videos: amount }, ...over });

/** What was told of an account: how much of which limit, in which period. */
async function told(
  account: string,
): Promise<readonly (readonly [period: string, max: number, percent: number])[]> {
  const events = await store.readTypes(
    new Set(['UsageThresholdReached']),
    0,
    await store.head(),
    10_000,
    1e8,
  );
  return events
    .map((event) => as<UsageThresholdEvent>(event).data)
    .filter(({ accountId }) => accountId === account)
    .map(({ period, max, percent }) => [period, max, percent] as const);
}

it('tells what the worked example of metering tells: five in the first period, three in the second', async () => {
  const account = randomUUID();
  const history = [await batch(account, [videos(120), videos(4)]), await batch(account, [videos(206)])];
  const upgraded = await append(`subscription-${account}`, 'PlanGranted', { plan: 'pro' });
  const next = { periods: ['day:2026-12-01', 'month:2026-12'] };
  const policy = watcher([
    [0, 100],
    [upgraded.position, 500],
  ]);
  history.push(
    upgraded,
    await batch(account, [videos(290), videos(10)]),
    await batch(account, [videos(495, next), videos(20, next), videos(215, next)]),
  );
  for (const event of history) await policy.react(event);
  expect(await told(account)).toEqual([
    ['month:2026-11', 100, 50],
    ['month:2026-11', 100, 80],
    ['month:2026-11', 100, 100],
    // 250 was passed when the limit came into force.
    ['month:2026-11', 500, 80],
    ['month:2026-11', 500, 100],
    ['month:2026-12', 500, 50],
    ['month:2026-12', 500, 80],
    ['month:2026-12', 500, 100],
  ]);
});

it('tells of keys by their own limits, and of nothing that is refused or only tried out', async () => {
  const account = randomUUID();
  const policy = watcher([[0, 1_000]], [{ ...monthly(10), id: 'key-videos-month', source: 'key' }]);
  const key = randomUUID();
  const uses = [
    videos(9, { key, status: 'refused', meters: {} }),
    videos(9, { key: randomUUID(), environment: 'test' }),
    videos(5, { key }),
    videos(5, { key: randomUUID() }),
  ];
  await policy.react(await batch(account, uses.slice(0, 2)));
  expect(await told(account)).toEqual([]);
  await policy.react(await batch(account, uses.slice(2)));
  expect((await told(account)).map(([, max, percent]) => [max, percent])).toEqual([
    [10, 50],
    [10, 50],
  ]);
});

// Exactly once (law 4), over processes that look at once, and that begin again from any place.
it('tells each threshold once, whoever looks how often', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat({ max: 7 }), { maxLength: 6 }),
      async (amounts, restarts) => {
        const account = randomUUID();
        const events: StoredEvent[] = [];
        for (const amount of amounts) events.push(await batch(account, [videos(amount)]));
        const plans = [[0, 100]] as const;
        const [first, second] = [watcher(plans), watcher(plans)];
        await Promise.all(
          [first, second].map(async (policy) => {
            for (const event of events) await policy.react(event);
          }),
        );
        for (const from of restarts) {
          const again = watcher(plans);
          for (const event of events.slice(from)) await again.react(event);
        }
        const used = amounts.reduce((sum, amount) => sum + amount, 0);
        const reached = [50, 80, 100].filter((percent) => used >= percent);
        expect((await told(account)).map(([, , percent]) => percent)).toEqual(reached);
      },
    ),
    { numRuns: 10 },
  );
});

it('passes over nothing that was used after the limit came into force', async () => {
  const account = randomUUID();
  const before = await batch(account, [videos(40)]);
  const granted = await append(`subscription-${account}`, 'PlanGranted', { plan: 'pro' });
  const after = await batch(account, [videos(30)]);
  const policy = watcher([[0, 100]]);
  // The ledger has both by the time at which the change is looked at.
  await projector.reached('usage', after.position, LONG);
  for (const event of [before, granted, after]) await policy.react(event);
  expect((await told(account)).map(([, , percent]) => percent)).toEqual([50]);
});
