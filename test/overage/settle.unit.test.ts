import type { BillingEvent, Terms } from '../../src/billing/events.js';
import type { DomainEvent } from '../../src/eventsourcing/event.js';
import type { Decider } from '../../src/eventsourcing/decider.js';
import { fold } from '../../src/eventsourcing/decider.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { Closing } from '../../src/overage/closing.js';
import type { UseCorrection } from '../../src/overage/corrections.js';
import type { ClosedPeriod, Correction, OverageEvent } from '../../src/overage/events.js';
import { Statements } from '../../src/overage/statements.js';

const PROFILE = {
  name: 'shop',
  meters: [{ id: 'calls', unit: 'call', aggregation: 'sum' }],
  plans: [
    {
      id: 'pro',
      limits: [{ id: 'calls-month', meter: 'calls', window: 'billing-period', amount: 500 }],
      overage: ['usd', 'eur'].map((currency) => ({
        limit: 'calls-month',
        meter: 'calls',
        currency,
        per: 1,
        mode: 'graduated',
        tiers: [{ unitAmount: '3', flatAmount: 0 }],
      })),
    },
  ],
};
const START = '2027-01-01T00:00:00.000Z';
const anchor = Date.parse(START);
const terms: Terms = {
  subscription: 'sub_1',
  plan: 'pro',
  price: 'pro-month-usd',
  interval: 'month',
  amount: 2900,
  currency: 'usd',
  periodStart: START,
  periodEnd: '2027-02-01T00:00:00.000Z',
};
const started: BillingEvent = { type: 'SubscriptionStarted', data: terms };
const pausedAt = '2027-01-20T00:00:00.000Z';
const paused: BillingEvent = {
  type: 'SubscriptionPaused',
  data: { subscription: 'sub_1', plan: 'pro', at: pausedAt },
};
const resumedAt = '2027-01-25T00:00:00.000Z';
const endedAt = (at: string): BillingEvent => ({
  type: 'PaidSubscriptionEnded',
  data: { subscription: 'sub_1', plan: 'pro', reason: 'x', endedAt: at },
});
const allowed: OverageEvent = { type: 'OverageAllowed', data: { cap: null, at: START, by: 'user:1' } };

/** An account as the store and the ledger have it. */
class World {
  readonly #streams = new Map<string, StoredEvent[]>();
  readonly stuck: string[] = [];
  readonly back: number[] = [];
  /** What was put on invoices, and whether the subscription had ended. */
  readonly added: (readonly [total: number, ended: boolean])[] = [];
  readonly owed: number[] = [];
  /** What the payment service answers. */
  invoice: string | null = 'in_1';
  used: Record<string, number> = {};
  corrections: readonly UseCorrection[] = [];
  seen = 1;
  /** Called before each read of the ledger. */
  reading: () => void = () => undefined;

  constructor(
    history: readonly BillingEvent[],
    readonly now: string,
  ) {
    this.#append('profile-shop', [{ type: 'ProfilePublished', data: { profile: PROFILE } }]);
    const customer: BillingEvent = { type: 'CustomerCreated', data: { customer: 'cus_1' } };
    this.#append('subscription-a', [...history, customer]);
    this.#append('overage-a', [allowed]);
  }

  #append(stream: string, events: readonly DomainEvent[]): void {
    const known = this.#streams.get(stream) ?? [];
    const more = events.map(
      ({ type, data }, place) =>
        new StoredEvent(
          known.length + place + 1,
          stream,
          known.length + place,
          `${stream}-${known.length + place}`,
          type,
          JSON.stringify(data),
          '{"schemaVersion":1,"at":""}',
        ),
    );
    this.#streams.set(stream, [...known, ...more]);
  }

  told<T extends OverageEvent['type']>(type: T): Extract<OverageEvent, { type: T }>['data'][] {
    const all = this.#streams.get('overage-a') ?? [];
    return all.filter((one) => one.type === type).map(({ data }) => data as never);
  }

  tell(...events: readonly BillingEvent[]): void {
    this.#append('subscription-a', events);
  }

  settle(): Promise<number | undefined> {
    const load = (stream: string) => Promise.resolve(this.#streams.get(stream) ?? []);
    const handle = async (
      decider: Decider<unknown, unknown, DomainEvent>,
      stream: string,
      command: unknown,
    ) => {
      const decision = decider.decide(fold(decider, await load(stream)), command);
      if (decision.kind === 'accepted') this.#append(stream, decision.events);
      return decision;
    };
    const commands = { load, handle } as never;
    const now = (): number => Date.parse(this.now);
    const ledger = {
      of: () => {
        this.reading();
        const used = { ...this.used };
        const seen = this.seen;
        const amount = (_: string, part: string) => BigInt(used[part] ?? 0);
        return Promise.resolve({ seen, amount });
      },
    } as never;
    const statements = new Statements({ commands, ledger, profile: () => PROFILE as never, now });
    return new Closing({
      statements,
      commands,
      credits: () => Promise.resolve(() => 0),
      invoices: {
        add: ({ lines, ended }) => {
          this.added.push([lines.reduce((sum, { amount }) => sum + amount, 0), ended]);
          return Promise.resolve(this.invoice);
        },
        giveBack: ({ lines }) => {
          this.back.push(lines.reduce((sum, { amount }) => sum + amount, 0));
          return Promise.resolve({ creditNotes: ['cn_1'], owed: 0 });
        },
      },
      corrections: (_, after) => Promise.resolve(this.corrections.filter(({ position }) => position > after)),
      onOwed: (_, owed) => this.owed.push(owed),
      onStuck: (_, period) => this.stuck.push(period),
      profile: () => PROFILE as never,
      now,
      clock: now,
      ledgerCaughtUp: () => Promise.resolve(),
    }).settle('a');
  }
}

const amounts = (all: readonly (ClosedPeriod | Correction)[]) =>
  all.map(({ lines }) => lines.map(({ period, amount }) => [period.split(':')[2], amount]));

it('bills what is used after a pause also where Stripe goes on with the period from before', async () => {
  const resumed: BillingEvent = {
    type: 'SubscriptionResumed',
    data: { ...terms, billedFrom: resumedAt },
  };
  const world = new World([started, paused, resumed], '2027-03-01T00:00:00.000Z');
  world.used = { [`month:${anchor}:0:0`]: 600, [`month:${Date.parse(resumedAt)}:0:2`]: 700 };
  await world.settle();
  const closed = world.told('PeriodClosed');
  expect(closed.map(({ from, to, total }) => [from, to, total])).toEqual([
    [START, pausedAt, 300],
    [resumedAt, '2027-02-25T00:00:00.000Z', 600],
  ]);
  expect(world.stuck).toEqual([]);
});

it('returns where a period cannot be closed, since another has its name', async () => {
  const resumed: BillingEvent = { type: 'SubscriptionResumed', data: terms };
  const world = new World([started, paused, resumed], '2027-03-01T00:00:00.000Z');
  expect(await world.settle()).toBe(Date.parse('2027-03-01T00:10:00.000Z'));
  expect(world.stuck).toEqual([`month:${anchor}:0`]);
});

it('gives back what the invoice of the last period cannot, of however old a period', async () => {
  const months = ['2027-02-02', '2027-03-02', '2027-04-02', '2027-05-02', '2027-06-02'];
  const used = Object.fromEntries(months.map((_, n) => [`month:${anchor}:${n}:0`, 600]));
  const world = new World([started, endedAt('2027-06-10T00:00:00.000Z')], '2027-06-05T00:00:00.000Z');
  world.used = used;
  await world.settle();
  expect(world.told('PeriodClosed').map(({ total }) => total)).toEqual(months.map(() => 300));
  // The oldest is corrected before the last is closed.
  world.used = { ...used, [`month:${anchor}:0:0`]: 520 };
  world.corrections = [{ eventId: 'r', position: 7, periods: [`month:${anchor}:0:0`] }];
  world.seen = 9;
  Object.assign(world, { now: '2027-06-11T00:00:00.000Z' });
  await world.settle();
  expect(amounts(world.told('PeriodClosed').slice(5))).toEqual([[]]);
  expect(amounts(world.told('OverageCorrected'))).toEqual([[['0', -240]]]);
  expect(world.told('CorrectionSettled')).toMatchObject([{ correction: 'correction:usd:9' }]);
  expect(world.back).toEqual([-240]);
  await world.settle();
  expect(world.told('OverageCorrected')).toHaveLength(1);
});

it('bills a correction that comes while the ledger is read, of however old a period', async () => {
  const months = ['2027-02-02', '2027-03-02', '2027-04-02', '2027-05-02', '2027-06-02'];
  const used = Object.fromEntries(months.map((_, n) => [`month:${anchor}:${n}:0`, 600]));
  const world = new World([started], '2027-06-05T00:00:00.000Z');
  world.used = used;
  await world.settle();
  Object.assign(world, { now: '2027-07-05T00:00:00.000Z' });
  world.seen = 5;
  world.reading = () => {
    world.reading = () => undefined;
    world.used = { ...used, [`month:${anchor}:0:0`]: 520 };
    world.corrections = [{ eventId: 'r', position: 7, periods: [`month:${anchor}:0:0`] }];
    world.seen = 9;
  };
  await world.settle();
  expect(amounts(world.told('PeriodClosed').slice(5))).toEqual([[['0', -240]]]);
});

it('looks once more for what waits, or stands on a draft, when the subscription has ended', async () => {
  const used = { [`month:${anchor}:0:0`]: 600, [`month:${anchor}:1:0`]: 500, [`month:${anchor}:2:0`]: 700 };
  const world = new World([started], '2027-02-02T00:00:00.000Z');
  world.used = used;
  // The first one waits for the next invoice, and Stripe has not said otherwise since.
  world.invoice = null;
  await world.settle();
  world.invoice = 'in_1';
  Object.assign(world, { now: '2027-04-02T00:00:00.000Z' });
  await world.settle();
  expect(world.added.splice(0)).toEqual([
    [300, false],
    [600, false],
  ]);
  world.tell(endedAt('2027-04-02T00:00:00.000Z'));
  await world.settle();
  await world.settle();
  expect(world.added).toEqual([
    [300, true],
    [600, true],
  ]);
  expect(world.told('PeriodInvoiced').map(({ period, ended }) => [period.split(':')[2], ended])).toEqual([
    ['0', undefined],
    ['1', undefined],
    ['2', undefined],
    ['0', true],
    ['2', true],
  ]);
});

it('tells of what waits to be given back, and has no invoice that it could lower', async () => {
  const used = { [`month:${anchor}:0:0`]: 600 };
  const world = new World([started], '2027-02-02T00:00:00.000Z');
  world.used = used;
  await world.settle();
  world.used = { [`month:${anchor}:0:0`]: 520 };
  world.invoice = null;
  Object.assign(world, { now: '2027-03-02T00:00:00.000Z' });
  await world.settle();
  world.tell(endedAt('2027-03-02T00:00:00.000Z'));
  await world.settle();
  expect(world.owed).toEqual([240]);
});

it('looks for nothing while a subscription is paused', async () => {
  const world = new World([started], '2027-02-02T00:00:00.000Z');
  world.used = { [`month:${anchor}:0:0`]: 600 };
  world.invoice = null;
  await world.settle();
  world.tell({ type: 'SubscriptionPaused', data: { subscription: 'sub_1', plan: 'pro', at: world.now } });
  await world.settle();
  expect(world.added).toEqual([[300, false]]);
});

it('keeps corrections apart that were made in two currencies by the same look', async () => {
  const other: Terms = { ...terms, subscription: 'sub_2', currency: 'eur', periodStart: resumedAt };
  const ended = (subscription: string, at: string): BillingEvent => ({
    type: 'PaidSubscriptionEnded',
    data: { subscription, plan: 'pro', reason: 'x', endedAt: at },
  });
  const world = new World(
    [
      started,
      ended('sub_1', pausedAt),
      { type: 'SubscriptionStarted', data: other },
      ended('sub_2', '2027-01-30T00:00:00.000Z'),
    ],
    '2027-02-20T00:00:00.000Z',
  );
  const [usd, eur] = [`month:${anchor}:0:0`, `month:${Date.parse(resumedAt)}:0:2`];
  world.used = { [usd]: 600, [eur]: 600 };
  await world.settle();
  world.used = { [usd]: 510, [eur]: 520 };
  world.corrections = [{ eventId: 'r', position: 7, periods: [usd, eur] }];
  world.seen = 9;
  await world.settle();
  expect(world.told('OverageCorrected').map(({ currency, total }) => [currency, total])).toEqual([
    ['usd', -270],
    ['eur', -240],
  ]);
  expect(world.told('CorrectionSettled')).toHaveLength(2);
  expect(world.back).toEqual([-270, -240]);
});
