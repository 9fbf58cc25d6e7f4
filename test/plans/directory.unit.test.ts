import { StoredEvent } from '../../src/eventsourcing/event.js';
import { PlanDirectory } from '../../src/plans/directory.js';
import type { Plan } from '../../src/plans/profile.js';
import { plan, shop } from './shop.js';

function stored(stream: string, revision: number, type: string, data: object): StoredEvent {
  const metadata = JSON.stringify({ schemaVersion: 1 });
  return new StoredEvent(
    revision + 1,
    stream,
    revision,
    `${stream}:${revision}`,
    type,
    JSON.stringify(data),
    metadata,
  );
}
const published = (version: number, over: Parameters<typeof shop>[0] = {}): StoredEvent =>
  stored('profile-shop', version - 1, 'ProfilePublished', {
    hash: `h${version}`,
    version,
    profile: shop(over),
  });
const granted = (account: string, revision: number, to: string): StoredEvent =>
  stored(`subscription-${account}`, revision, 'PlanGranted', { plan: to });

let plans: PlanDirectory;
beforeEach(() => {
  plans = new PlanDirectory();
});
const after = (...events: StoredEvent[]): void => events.forEach((event) => plans.apply(event));

it('knows no plan before a profile is published, and says so', () => {
  expect(() => plans.planOf('a1')).toThrow('no profile has been published');
});

it('gives an account the default plan, until it is granted another', () => {
  after(published(1));
  expect(plans.planOf('a1')).toEqual({ plan: plan('free', 10), version: 1 });
  after(granted('a1', 0, 'pro'));
  expect(plans.planOf('a1')).toEqual({ plan: plan('pro', 100), version: 1 });
  expect(plans.planOf('a2').plan.id).toBe('free');
});

it('knows the plan of an account whose id has dashes', () => {
  after(published(1), granted('0b9a3e0e-6d5f-5a0c', 0, 'pro'));
  expect(plans.planOf('0b9a3e0e-6d5f-5a0c').plan.id).toBe('pro');
});

it('follows the newest version of the profile, in whatever order versions come', () => {
  const second = { plans: [plan('free', 20), plan('pro', 200)] };
  after(published(2, second), granted('a1', 0, 'pro'), published(1));
  expect(plans.version).toBe(2);
  expect(plans.planOf('a1')).toEqual({ plan: plan('pro', 200), version: 2 });
  expect(plans.profile).toEqual(shop(second));
});

it('keeps the newest grant, whether it came as an event or was loaded', () => {
  after(published(1), granted('a1', 1, 'pro'), granted('a1', 0, 'free'));
  expect(plans.planOf('a1').plan.id).toBe('pro');
  plans.load([{ accountId: 'a1', source: 'granted', plan: 'free', revision: 0 }]);
  expect(plans.planOf('a1').plan.id).toBe('pro');
  plans.load([{ accountId: 'a1', source: 'granted', plan: 'free', revision: 2 }]);
  expect(plans.planOf('a1').plan.id).toBe('free');
});

it('falls back to the default plan while the profile does not have the granted one', () => {
  after(published(1), granted('a1', 0, 'pro'));
  after(published(2, { plans: [plan('free', 10)], demoPlan: 'free' }));
  expect(plans.planOf('a1')).toEqual({ plan: plan('free', 10), version: 2 });
  after(published(3));
  expect(plans.planOf('a1').plan.id).toBe('pro');
});

it('ends a plan that was granted for a time when it is over, before the event comes that says so', () => {
  let now = Date.parse('2026-11-01T00:00:00Z');
  plans = new PlanDirectory(() => now);
  const until = '2026-12-01T00:00:00.000Z';
  after(published(1), stored('subscription-a1', 0, 'PlanGranted', { plan: 'pro', until }));
  plans.load([{ accountId: 'a2', source: 'granted', plan: 'pro', until: Date.parse(until), revision: 0 }]);
  plans.load([{ accountId: 'a2', source: 'paid', plan: 'free', revision: 1 }]);
  expect([plans.planOf('a1').plan.id, plans.endOf('a1')]).toEqual(['pro', Date.parse(until)]);
  now = Date.parse(until) - 1;
  expect([plans.planOf('a1').plan.id, plans.planOf('a2').plan.id]).toEqual(['pro', 'pro']);
  now += 1;
  expect([plans.planOf('a1').plan.id, plans.planOf('a2').plan.id]).toEqual(['free', 'free']);
  expect(plans.endOf('a1')).toBeUndefined();
});

it('knows what an account pays by as it was corrected, whichever of its events was', () => {
  const tiers = [{ unitAmount: '10', flatAmount: 0 }];
  const overage: Plan['overage'] = [
    { limit: 'calls', meter: 'requests', currency: 'usd', per: 1, mode: 'graduated', tiers },
  ];
  const credits = { meters: { requests: 1 }, packs: [] };
  const offers = { plans: [plan('free', 10), plan('pro', 100, { overage })], credits };
  const started = (periodStart: string) =>
    stored('subscription-a1', 0, 'SubscriptionStarted', { plan: 'pro', currency: 'usd', periodStart });
  const changed = stored('subscription-a1', 1, 'PlanChanged', { plan: 'pro' });
  const allowed = (amount: number) =>
    stored('overage-a1', 0, 'OverageAllowed', { cap: { amount, currency: 'usd', whenReached: 'refuse' } });
  const reached = stored('overage-a1', 1, 'SpendCapReached', {});
  const given = (remaining: number) =>
    stored('credits-a1', 0, 'CreditsGranted', { debt: 0, remainders: [{ grantId: 'g', remaining }] });
  const known = () => {
    const { anchors, plan: held } = plans.planOf('a1');
    return { billing: anchors?.billing, amount: held.limits[0]?.amount };
  };
  const [january, february] = ['2027-01-01T00:00:00.000Z', '2027-02-01T00:00:00.000Z'];
  after(published(1, offers), started(january), changed, allowed(50), reached, given(7));
  expect(known()).toEqual({ billing: Date.parse(january), amount: 100 + 5 + 7 });
  plans.restart('subscription-a1');
  after(started(february), changed);
  plans.restart('overage-a1');
  after(allowed(20), reached);
  plans.restart('credits-a1');
  after(given(3));
  expect(known()).toEqual({ billing: Date.parse(february), amount: 100 + 2 + 3 });
});

it('raises a limit by the price in the currency that the plan is paid in', () => {
  const price = (currency: string, unitAmount: string) => ({
    ...{ limit: 'calls', meter: 'requests', currency, per: 1, mode: 'graduated' as const },
    tiers: [{ unitAmount, flatAmount: 0 }],
  });
  const overage: Plan['overage'] = [price('usd', '10'), price('eur', '20')];
  after(published(1, { plans: [plan('free', 10), plan('pro', 100, { overage })] }));
  const amounts = ['usd', 'eur', 'gbp'].map((currency, n) => {
    const cap = { amount: 40, currency, whenReached: 'refuse' };
    const terms = { plan: 'pro', currency, periodStart: '2027-01-01T00:00:00.000Z' };
    after(
      stored(`subscription-b${n}`, 0, 'SubscriptionStarted', terms),
      stored(`overage-b${n}`, 0, 'OverageAllowed', { cap }),
    );
    return plans.planOf(`b${n}`).plan.limits[0]?.amount;
  });
  expect(amounts).toEqual([104, 102, 100]);
});

it('leaves other events alone', () => {
  after(published(1), stored('subscription-a1', 0, 'Noted', { plan: 'pro' }));
  expect(plans.planOf('a1').plan.id).toBe('free');
});
