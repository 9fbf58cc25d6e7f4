import { overage } from '../../projections/overage/model.js';
import { OverageQueries } from '../../projections/overage/queries.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import { subscriptionStream } from '../../src/plans/events.js';
import { BilledPlans } from '../../src/plans/billedPlans.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';

const at = '2027-01-20T00:00:00.000Z';
const terms = { subscription: 's', plan: 'pro', periodStart: '2027-01-01T00:00:00.000Z' };
const STARTED = ['SubscriptionStarted', terms] as const;
const CHANGED = ['PlanChanged', { ...terms, plan: 'team' }] as const;
const GRANTED = ['PlanGranted', { plan: 'team' }] as const;
const PAUSED = ['SubscriptionPaused', { subscription: 's', plan: 'pro', at }] as const;
const RESUMED = ['SubscriptionResumed', { ...terms, periodStart: '2027-01-25T00:00:00.000Z' }] as const;
const ENDED = ['PaidSubscriptionEnded', { subscription: 's', plan: 'pro', endedAt: at }] as const;
type Step = readonly [type: string, data: object];

const HISTORIES: Readonly<Record<string, readonly Step[]>> = {
  'granted since it has ended': [STARTED, ENDED, GRANTED],
  'granted in a pause': [STARTED, PAUSED, GRANTED],
  'granted before it has ended': [STARTED, GRANTED, ENDED],
  'changed in a pause': [STARTED, PAUSED, CHANGED],
  'changed in a pause, and ended': [STARTED, PAUSED, CHANGED, ENDED],
  'changed, and paused again': [STARTED, CHANGED, PAUSED, RESUMED, GRANTED, PAUSED, CHANGED],
  resumed: [STARTED, PAUSED, GRANTED, RESUMED],
  tried: [['TrialStarted', terms], ENDED, GRANTED],
};

it('stamps late uses by the same after a restart as before it', async () => {
  const database = await freshSql();
  const store = await PostgresEventStore.open(database.sql);
  const memory = new BilledPlans(() => Date.parse(at));
  const reader = new EventReader(store);
  const projector = await Projector.open(database.sql, reader, [overage], () => undefined, { retryMs: [] });
  try {
    // In one page, and one by one.
    for (const [name, steps] of Object.entries(HISTORIES)) {
      const events = steps.map(([type, data]) => newEvent({ type, data: JSON.stringify(data) }));
      await store.append(subscriptionStream(name), NO_STREAM, events);
      const [[type, data] = STARTED] = steps;
      const first = newEvent({ type, data: JSON.stringify(data) });
      await store.append(subscriptionStream(`${name}, slowly`), NO_STREAM, [first]);
    }
    projector.start();
    for (const [name, steps] of Object.entries(HISTORIES)) {
      for (const [place, [type, data]] of steps.entries()) {
        if (place === 0) continue;
        const event = newEvent({ type, data: JSON.stringify(data) });
        await store.append(subscriptionStream(`${name}, slowly`), place - 1, [event]);
      }
    }
    const head = await store.head();
    expect(await projector.reached('overage', head, 60_000)).toBe(true);
    const restarted = new BilledPlans(() => Date.parse(at));
    restarted.load(await new OverageQueries(database.sql, projector.access('overage')).all(), []);
    for (const name of Object.keys(HISTORIES)) {
      for (const account of [name, `${name}, slowly`]) {
        for (const stored of await store.readStream(subscriptionStream(account))) memory.apply(stored);
        const from = { plan: { id: 'free', limits: [] } } as never;
        const profile = { plans: [] } as never;
        const [now, later] = [memory, restarted].map((plans) => {
          const { anchors, ended } = plans.of(account, from, profile);
          return { account, anchors, ended };
        });
        expect(later).toEqual(now);
      }
    }
  } finally {
    reader.close();
    await projector.stop();
    await database.remove();
  }
});
