import { profileDecider, subscriptionDecider } from '../../src/plans/decide.js';
import type { ProfileEvent, SubscriptionEvent } from '../../src/plans/events.js';
import { given } from '../eventsourcing/given.js';
import { shop } from './shop.js';

describe('a profile', () => {
  const publishedAs = (version: number, hash: string): ProfileEvent => ({
    type: 'ProfilePublished',
    data: { hash, version, profile: shop() },
  });

  it('is published as version 1', () => {
    given(profileDecider).when({ hash: 'h1', profile: shop() }).then(publishedAs(1, 'h1'));
  });

  it('is not published again without a change', () => {
    given(profileDecider, publishedAs(1, 'h1')).when({ hash: 'h1', profile: shop() }).then();
  });

  it('gets the next version with each change, going back to an old content too', () => {
    given(profileDecider, publishedAs(1, 'h1'))
      .when({ hash: 'h2', profile: shop() })
      .then(publishedAs(2, 'h2'));
    given(profileDecider, publishedAs(1, 'h1'), publishedAs(2, 'h2'))
      .when({ hash: 'h1', profile: shop() })
      .then(publishedAs(3, 'h1'));
  });
});

describe('a subscription', () => {
  const grant = {
    type: 'GrantPlan',
    plan: 'pro',
    plans: ['free', 'pro'],
    profileVersion: 2,
    grantedBy: 'operator:o1',
    reason: 'a friend',
  } as const;
  const { type: _type, plans: _plans, ...data } = grant;
  const granted: SubscriptionEvent = { type: 'PlanGranted', data };

  it('is granted with who, why and the version of the plan', () => {
    given(subscriptionDecider).when(grant).then(granted);
  });

  it('changes nothing when the account has the plan already, whoever grants it', () => {
    given(subscriptionDecider, granted)
      .when({ ...grant, grantedBy: 'operator:o2', profileVersion: 3 })
      .then();
  });

  it('goes to another plan and back', () => {
    const free: SubscriptionEvent = { type: 'PlanGranted', data: { ...data, plan: 'free' } };
    given(subscriptionDecider, granted)
      .when({ ...grant, plan: 'free' })
      .then(free);
    given(subscriptionDecider, granted, free).when(grant).then(granted);
  });

  it('is refused for a plan that the profile does not have, and says which there are', () => {
    const outcome = given(subscriptionDecider, granted).when({ ...grant, plan: 'gold' });
    outcome.thenRefused('PLAN_UNKNOWN', 'planId');
    expect(JSON.stringify(outcome.decision)).toMatch(/gold.*free, pro/);
  });

  describe('for a time', () => {
    const at = new Date('2026-11-01T00:00:00Z');
    const until = new Date('2026-12-01T00:00:00Z');
    const gift = { ...grant, at, until };
    const given30days: SubscriptionEvent = {
      type: 'PlanGranted',
      data: { ...data, until: until.toISOString() },
    };
    const over: SubscriptionEvent = {
      type: 'SubscriptionEnded',
      data: { plan: 'pro', reason: 'it was granted until then' },
    };

    it('is granted until then, once; for longer, or for good, it is granted anew', () => {
      given(subscriptionDecider).when(gift).then(given30days);
      given(subscriptionDecider, given30days).when(gift).then();
      given(subscriptionDecider, given30days).when(grant).then(granted);
      given(subscriptionDecider, granted).when(gift).then(given30days);
    });

    it('ends when it is over, not before, and never what has no end', () => {
      const end = (time: Date) => ({ type: 'EndGrant', at: time }) as const;
      given(subscriptionDecider, given30days)
        .when(end(new Date(until.getTime() - 1)))
        .then();
      given(subscriptionDecider, given30days).when(end(until)).then(over);
      given(subscriptionDecider, given30days, over).when(end(until)).then();
      given(subscriptionDecider, given30days, granted).when(end(until)).then();
      given(subscriptionDecider).when(end(until)).then();
    });

    it.each([
      ['now', at],
      ['in the past', new Date('2026-10-31T00:00:00Z')],
      ['in six years', new Date('2032-11-01T00:00:00Z')],
    ])('cannot end %s', (_when, wrong) => {
      given(subscriptionDecider)
        .when({ ...gift, until: wrong })
        .thenRefused('INVALID_INPUT', 'until');
    });
  });

  it('ends once, with the plan that it had, and can be granted again', () => {
    const end = { type: 'EndSubscription', reason: 'deleted' } as const;
    const ended: SubscriptionEvent = { type: 'SubscriptionEnded', data: { plan: 'pro', reason: 'deleted' } };
    given(subscriptionDecider, granted).when(end).then(ended);
    given(subscriptionDecider, granted, ended).when(end).then();
    given(subscriptionDecider).when(end).then();
    given(subscriptionDecider, granted, ended).when(grant).then(granted);
  });
});
