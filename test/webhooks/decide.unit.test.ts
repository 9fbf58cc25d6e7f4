import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { publicEvents as ofPlans } from '../../src/plans/publicEvents.js';
import { publicEvents as ofTeams } from '../../src/teams/publicEvents.js';
import type { WebhookEndpointCommand } from '../../src/webhooks/decide.js';
import {
  deliveryDecider,
  endpointDecider,
  MAX_ENDPOINTS,
  MAX_OVERLAP_SECONDS,
  MAX_SECRETS,
  signing,
} from '../../src/webhooks/decide.js';
import type { WebhookEndpointEvent } from '../../src/webhooks/events.js';

const AT = new Date('2026-11-29T12:00:00Z');
const mine = { accountId: 'mine', operator: false, by: 'user:me' };
const theirs = { accountId: 'theirs', operator: false, by: 'user:them' };
const operator = { accountId: 'office', operator: true, by: 'user:op' };
const rules = { plainHttp: false, eventTypes: ['key.issued', 'key.revoked'] };

const create = (over: object = {}): WebhookEndpointCommand => ({
  type: 'CreateWebhookEndpoint',
  asking: mine,
  allAccounts: false,
  url: { plain: 'https://example.com/', sealed: 'url' },
  eventTypes: ['key.issued'],
  secret: 'secret',
  present: 0,
  rules,
  ...over,
});
const rotate = (over: object = {}): WebhookEndpointCommand => ({
  type: 'RotateWebhookSecret',
  asking: mine,
  secret: 'next',
  overlapSeconds: 60,
  at: AT,
  ...over,
});

/** The events after these commands, the refusal of the last where it is refused. */
function after(...commands: WebhookEndpointCommand[]) {
  const events: WebhookEndpointEvent[] = [];
  for (const command of commands) {
    const decision = endpointDecider.decide(state(events), command);
    if (decision.kind === 'refused') return { events, refused: decision.refusal };
    events.push(...decision.events);
  }
  return { events, refused: undefined };
}
const state = (events: readonly WebhookEndpointEvent[]) =>
  events.reduce((before, event) => endpointDecider.evolve(before, event), endpointDecider.initial);

describe('a webhook endpoint', () => {
  it('is another account’s for nobody, and the operators’ for any of them', () => {
    for (const type of ['UpdateWebhookEndpoint', 'RotateWebhookSecret', 'DeleteWebhookEndpoint'] as const) {
      const by = (asking: object) =>
        ({ ...rotate(), type, asking, enabled: false, rules }) as WebhookEndpointCommand;
      expect(after(create(), by(theirs)).refused?.code).toBe('NOT_FOUND');
      expect(after(create(), by(operator)).refused?.code).toBe('NOT_FOUND');
      const shared = create({ asking: operator, allAccounts: true });
      expect(after(shared, by({ ...operator, accountId: 'other' })).refused).toBeUndefined();
      // Whoever is no operator any more has lost it, too.
      expect(after(shared, by({ ...operator, operator: false })).refused?.code).toBe('NOT_FOUND');
      expect(after(by(mine)).refused?.code).toBe('NOT_FOUND');
    }
  });

  it('takes https alone, unless operators allow networks that are not public', () => {
    const url = { plain: 'http://10.0.0.1:8080/', sealed: 'url' };
    expect(after(create({ url })).refused).toMatchObject({ code: 'INVALID_INPUT', field: 'url' });
    expect(after(create({ url, rules: { ...rules, plainHttp: true } })).refused).toBeUndefined();
  });

  it('takes types that there are, each once, or all', () => {
    const types = (eventTypes: string[]) => after(create({ eventTypes }));
    expect(types([]).refused?.field).toBe('eventTypes');
    expect(types(['key.unknown']).refused?.field).toBe('eventTypes');
    expect(types(Array<string>(101).fill('key.issued')).refused?.field).toBe('eventTypes');
    expect(types(['key.revoked', 'key.issued', 'key.issued']).events).toMatchObject([
      { data: { eventTypes: ['key.issued', 'key.revoked'] } },
    ]);
    expect(types(['key.issued', '*']).events).toMatchObject([{ data: { eventTypes: ['*'] } }]);
  });

  it(`is one of at most ${MAX_ENDPOINTS}`, () => {
    expect(after(create({ present: MAX_ENDPOINTS - 1 })).refused).toBeUndefined();
    expect(after(create({ present: MAX_ENDPOINTS })).refused?.code).toBe('TOO_MANY_ENDPOINTS');
  });

  it('signs with both secrets until the overlap is over, and with no more than a few', () => {
    const { events } = after(create(), rotate());
    const { endpoint } = state(events);
    if (!endpoint) throw new Error('there is no endpoint');
    const at = (seconds: number) =>
      signing(endpoint, new Date(AT.getTime() + seconds * 1000)).map(({ sealed }) => sealed);
    expect(at(59.999)).toEqual(['next', 'secret']);
    expect(at(60)).toEqual(['next']);
    const many = Array.from({ length: MAX_SECRETS }, () => rotate());
    expect(after(create(), ...many).refused?.code).toBe('TOO_MANY_SECRETS');
    expect(
      after(create(), ...many.slice(1), rotate({ at: new Date(AT.getTime() + 60_000) })).refused,
    ).toBeUndefined();
    for (const overlapSeconds of [-1, 0.5, MAX_OVERLAP_SECONDS + 1]) {
      expect(after(create(), rotate({ overlapSeconds })).refused?.field).toBe('overlapSeconds');
    }
  });

  it('is disabled once, enabled again by hand, and gone when it is deleted', () => {
    const disable = { type: 'DisableWebhookEndpoint', reason: 'FAILING' } as const;
    const enable = { type: 'UpdateWebhookEndpoint', asking: mine, enabled: true, rules } as const;
    const { events } = after(create(), disable, disable);
    expect(events.map(({ type }) => type)).toEqual(['WebhookEndpointCreated', 'WebhookEndpointDisabled']);
    expect(state(events).endpoint).toMatchObject({ enabled: false, disabledReason: 'FAILING' });
    expect(state(after(create(), disable, enable).events).endpoint).toMatchObject({
      enabled: true,
      disabledReason: null,
    });
    // Nothing changes: nothing is stored.
    expect(after(create(), enable).events).toHaveLength(1);
    const deleted = after(create(), { type: 'DeleteWebhookEndpoint', asking: undefined });
    expect(state(deleted.events).endpoint).toBeUndefined();
    expect(after(create(), { type: 'DeleteWebhookEndpoint', asking: mine }, enable).refused?.code).toBe(
      'NOT_FOUND',
    );
  });
});

it('a delivery ends once in each round', () => {
  const told = { endpointId: 'e', accountId: 'a', eventType: 'key.issued', round: 1, attempts: 1 };
  const end = (round: number, reason?: string) =>
    ({ type: 'EndWebhookDelivery', told: { ...told, round }, reason }) as const;
  const events = [end(1, 'EXHAUSTED'), end(1), end(2), end(1), end(2, 'GONE')].reduce<
    Parameters<typeof deliveryDecider.evolve>[1][]
  >((before, command) => {
    const decision = deliveryDecider.decide(
      before.reduce((state, event) => deliveryDecider.evolve(state, event), deliveryDecider.initial),
      command,
    );
    return decision.kind === 'accepted' ? [...before, ...decision.events] : before;
  }, []);
  expect(events.map(({ type, data }) => [type, data.round])).toEqual([
    ['WebhookGivenUp', 1],
    ['WebhookDelivered', 2],
  ]);
});

describe('what is told of a thing', () => {
  const stored = (stream: string, events: { type: string; data: object }[]) =>
    events.map(
      (event) =>
        ({ ...event, streamId: stream, metadata: { at: AT.toISOString() } }) as unknown as StoredEvent,
    );

  it('is a member as they are after the event', () => {
    const history = stored('account', [
      { type: 'TeamCreated', data: { ownerId: 'owner' } },
      {
        type: 'MemberInvited',
        data: { invitationId: 'i', emailHash: 'h', role: 'viewer', invitedBy: 'owner' },
      },
      { type: 'InvitationAccepted', data: { invitationId: 'i', userId: 'u', role: 'viewer' } },
      { type: 'MemberRoleChanged', data: { userId: 'u', role: 'admin', by: 'user:owner' } },
      { type: 'MemberRemoved', data: { userId: 'u', by: 'user:owner' } },
    ]);
    const at = (length: number) => ofTeams.MemberLeft?.state(history.slice(0, length));
    expect(at(3)).toEqual({ accountId: 'acc_account', userId: 'usr_u', role: 'viewer' });
    expect(at(4)).toEqual({ accountId: 'acc_account', userId: 'usr_u', role: 'admin' });
    expect(at(5)).toEqual({ accountId: 'acc_account', userId: 'usr_u', role: null });
    expect(ofTeams.MemberRemoved?.account(history[4] as StoredEvent)).toBe('account');
  });

  it('is the plan of an account, or none of its own', () => {
    const history = stored('account', [
      {
        type: 'PlanGranted',
        data: { plan: 'team', profileVersion: 1, grantedBy: 'operator:o', reason: 'r' },
      },
      { type: 'SubscriptionEnded', data: { plan: 'team', reason: 'r' } },
    ]);
    expect(ofPlans.PlanGranted?.state(history.slice(0, 1))).toEqual({
      accountId: 'acc_account',
      planId: 'team',
    });
    expect(ofPlans.SubscriptionEnded?.state(history)).toEqual({ accountId: 'acc_account', planId: null });
  });
});
