import type { Limit } from '../../src/plans/profile.js';
import {
  EXPOSED_HEADERS,
  extraHeaders,
  rateLimitHeaders,
  refusalCode,
} from '../../src/usage/limits/headers.js';
import type { LimitState } from '../../src/usage/limits/limiter.js';
import { periodAt, periodEnd } from '../../src/usage/limits/periods.js';

const NOW = Date.UTC(2026, 10, 22, 12);

function state(window: Limit['window'], amount: number, used: number, resetAt: number): LimitState {
  const { begin, end } = periodAt('month', (Number.isFinite(resetAt) ? resetAt : NOW) - 1);
  const windowMs = window === 'month' || window === 'billing-period' ? end - begin : MS[window];
  const limit: Limit = { id: `requests-${window}`, meter: 'requests', window, amount };
  return { limit, used, remaining: Math.max(0, amount - used), resetAt, at: NOW, windowMs };
}

const MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000, lifetime: Infinity };

const headers = (states: readonly LimitState[], primary = 'requests-minute'): Record<string, string> =>
  Object.fromEntries(rateLimitHeaders(states, { limit: primary }));

it('says of every limit what it is and where it stands', () => {
  const states = [
    state('minute', 60, 3, NOW + 41_000),
    state('hour', 100, 3, NOW + 3_600_000),
    state('day', 500, 4, periodEnd('day', NOW)),
    state('month', 10_000, 5, periodEnd('month', NOW)),
  ];
  expect(headers(states)).toEqual({
    'ratelimit-policy':
      '"requests-minute";q=60;w=60, "requests-hour";q=100;w=3600, "requests-day";q=500;w=86400, "requests-month";q=10000;w=2592000',
    ratelimit:
      '"requests-minute";r=57;t=41, "requests-hour";r=97;t=3600, "requests-day";r=496;t=43200, "requests-month";r=9995;t=734400',
    'x-ratelimit-limit': '60',
    'x-ratelimit-used': '3',
    'x-ratelimit-remaining': '57',
    'x-ratelimit-reset': String(NOW / 1000 + 41),
  });
});

it('feeds X-RateLimit-* from the limit that the profile names', () => {
  const states = [state('minute', 60, 3, NOW + 1_000), state('month', 10_000, 5, periodEnd('month', NOW))];
  expect(headers(states, 'requests-month')).toMatchObject({
    'x-ratelimit-limit': '10000',
    'x-ratelimit-used': '5',
    'x-ratelimit-remaining': '9995',
    'x-ratelimit-reset': String(Date.UTC(2026, 11, 1) / 1000),
  });
});

it('leaves X-RateLimit-* out where the plan does not have that limit', () => {
  expect(Object.keys(headers([state('day', 5, 1, periodEnd('day', NOW))]))).toEqual([
    'ratelimit-policy',
    'ratelimit',
  ]);
});

it('says nothing of a plan without limits', () => {
  expect(headers([])).toEqual({});
});

it('rounds up, so that who waits as long as it says does not come too early', () => {
  const said = headers([state('minute', 1, 1, NOW + 1)]);
  expect(said['ratelimit']).toBe('"requests-minute";r=0;t=1');
  expect(said['x-ratelimit-reset']).toBe(String(NOW / 1000 + 1));
});

it('never says a negative time', () => {
  expect(headers([state('minute', 1, 0, NOW - 5_000)])['ratelimit']).toBe('"requests-minute";r=1;t=0');
});

it.each([
  ['2026-01', 31],
  ['2026-02', 28],
  ['2028-02', 29],
  ['2026-03', 31],
  ['2026-04', 30],
  ['2026-12', 31],
])('knows that the window of %s is %i days long', (month, days) => {
  for (const time of [`${month}-01T00:00:00.000Z`, `${month}-${Math.min(days, 28)}T23:59:59.999Z`]) {
    const resetAt = periodEnd('month', Date.parse(time));
    expect(headers([state('month', 5, 0, resetAt)])['ratelimit-policy']).toBe(
      `"requests-month";q=5;w=${days * 86_400}`,
    );
  }
});

it('calls a refusal a rate where the window slides, and a quota where a period is used up', () => {
  const windows = ['minute', 'hour', 'day', 'month'] as const;
  expect(windows.map((window) => refusalCode(state(window, 1, 1, NOW)))).toEqual([
    'RATE_LIMITED',
    'RATE_LIMITED',
    'QUOTA_EXCEEDED',
    'QUOTA_EXCEEDED',
  ]);
});

it('says Reset as a date where the profile asks for it', () => {
  const states = [state('minute', 60, 3, NOW + 41_001)];
  const said = Object.fromEntries(rateLimitHeaders(states, { limit: 'requests-minute', reset: 'date' }));
  expect(said['x-ratelimit-reset']).toBe('2026-11-22T12:00:42.000Z');
});

it('says of a limit on the whole life no window and no end', () => {
  const said = headers([state('lifetime', 5, 2, Infinity)], 'requests-lifetime');
  expect(said).toEqual({
    'ratelimit-policy': '"requests-lifetime";q=5',
    ratelimit: '"requests-lifetime";r=3',
    'x-ratelimit-limit': '5',
    'x-ratelimit-used': '2',
    'x-ratelimit-remaining': '3',
  });
});

it('tells of cost points beside requests', () => {
  const cost: Limit = { id: 'cost', meter: 'cost', window: 'minute', amount: 1_000 };
  const states = [
    state('minute', 60, 3, NOW + 41_000),
    { limit: cost, used: 84, remaining: 916, resetAt: NOW + 5_040, at: NOW, windowMs: 60_000 },
  ];
  expect(headers(states, 'cost')).toEqual({
    'ratelimit-policy': '"requests-minute";q=60;w=60, "cost";q=1000;w=60',
    ratelimit: '"requests-minute";r=57;t=41, "cost";r=916;t=6',
    'x-ratelimit-limit': '1000',
    'x-ratelimit-used': '84',
    'x-ratelimit-remaining': '916',
    'x-ratelimit-reset': String(NOW / 1000 + 6),
  });
});

describe('headers that the profile adds', () => {
  const facts = { accountId: 'a1', elapsedMs: 12.3456, demo: true, plan: 'free', states: [] };
  const ALL = ['X-User-Id', 'X-Response-Time', 'X-Demo-Mode'] as const;

  it('are those that it names, and no others', () => {
    expect(extraHeaders({ limit: 'x' }, facts)).toEqual([]);
    expect(extraHeaders({ limit: 'x', extra: ['X-Response-Time'] }, facts)).toEqual([
      ['x-response-time', '12.346ms'],
    ]);
    expect(extraHeaders({ limit: 'x', extra: [...ALL] }, facts)).toEqual([
      ['x-user-id', 'a1'],
      ['x-response-time', '12.346ms'],
      ['x-demo-mode', 'true'],
    ]);
  });

  it('are left out where there is nothing to say', () => {
    const nobody = { accountId: undefined, elapsedMs: 1, demo: false, plan: undefined, states: undefined };
    expect(extraHeaders({ limit: 'x', extra: [...ALL] }, nobody)).toEqual([['x-response-time', '1.000ms']]);
  });

  it('have the names that the product gives them, with none and 0 for nobody, and a word for no limit', () => {
    const rules = {
      limit: 'requests-month',
      named: { 'X-Tier': 'plan', 'X-Left': 'remaining', 'X-Limit': 'limit' },
    } as const;
    const of = (over: Partial<Parameters<typeof extraHeaders>[1]>) =>
      Object.fromEntries(extraHeaders(rules, { ...facts, ...over }));
    const standing = state('month', 100, 3, NOW);
    expect(of({ states: [standing] })).toEqual({ 'x-tier': 'free', 'x-left': '97', 'x-limit': '100' });
    expect(of({ states: [] })).toEqual({ 'x-tier': 'free', 'x-left': 'unlimited', 'x-limit': 'unlimited' });
    expect(of({ plan: undefined, states: [] })).toEqual({ 'x-tier': 'none', 'x-left': '0', 'x-limit': '0' });
    // Nobody can tell: the plan is known, and no figure is made up.
    expect(of({ states: undefined })).toEqual({ 'x-tier': 'free' });
  });

  it('say that there is no limit where the profile wants that', () => {
    const rules = { limit: 'requests-month', unlimited: true } as const;
    const said = [
      ['x-ratelimit-limit', 'unlimited'],
      ['x-ratelimit-remaining', 'unlimited'],
    ];
    expect(extraHeaders(rules, facts)).toEqual(said);
    expect(extraHeaders(rules, { ...facts, states: [state('month', 100, 3, NOW)] })).toEqual([]);
    expect(extraHeaders(rules, { ...facts, plan: undefined })).toEqual([]);
    expect(extraHeaders(rules, { ...facts, states: undefined })).toEqual([]);
  });

  it('may be read by browsers, as all that tell of limits', () => {
    const states = [state('minute', 60, 3, NOW)];
    // Beside them the name of the file that an export comes as.
    const others = ['retry-after', 'content-disposition', 'x-payment-overdue', 'x-request-id'];
    const sent = [...Object.keys(headers(states)), ...others, ...ALL].map((name) => name.toLowerCase());
    expect(EXPOSED_HEADERS.map((name) => name.toLowerCase()).sort()).toEqual(sent.sort());
  });
});
