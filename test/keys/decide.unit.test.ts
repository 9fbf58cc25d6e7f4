import { keyDecider, MAX_GRACE_SECONDS, MAX_KEY_RATE, MAX_SECRETS } from '../../src/keys/decide.js';
import type { KeyEvent, KeyLimit } from '../../src/keys/events.js';
import { given } from '../eventsourcing/given.js';

const data = {
  accountId: 'a1',
  name: 'production',
  environment: 'live',
  scopes: ['read'],
  hash: 'h',
  pepperId: 'p',
  prefix: 'sk_live_',
  last4: 'wxyz',
  expiresAt: null,
  limits: [],
  metadata: [],
} as const;
const issued: KeyEvent = { type: 'KeyIssued', data };
const revoked: KeyEvent = { type: 'KeyRevoked', data: { accountId: 'a1', by: 'user:u1' } };

const at = new Date('2026-11-22T12:00:00Z');

it('issues a key with what the command says', () => {
  given(keyDecider).when({ type: 'IssueKey', key: data, at }).then(issued);
});

it('issues a key that expires later, and none that has expired', () => {
  const expiring = (expiresAt: string) => ({ ...data, expiresAt });
  const later = expiring('2026-11-22T12:00:00.001Z');
  given(keyDecider).when({ type: 'IssueKey', key: later, at }).then({ type: 'KeyIssued', data: later });
  given(keyDecider)
    .when({ type: 'IssueKey', key: expiring('2026-11-22T12:00:00.000Z'), at })
    .thenRefused('INVALID_INPUT', 'expiresAt');
});

it('revokes a key of the account, and says who did it', () => {
  given(keyDecider, issued).when({ type: 'RevokeKey', accountId: 'a1', by: 'user:u1' }).then(revoked);
});

it('changes nothing when a revoked key is revoked again', () => {
  given(keyDecider, issued, revoked).when({ type: 'RevokeKey', accountId: 'a1', by: 'user:u2' }).then();
});

it('refuses to revoke a key that does not exist', () => {
  given(keyDecider)
    .when({ type: 'RevokeKey', accountId: 'a1', by: 'user:u1' })
    .thenRefused('NOT_FOUND', 'keyId');
});

it('says of another account’s key what it says of none, revoked or not', () => {
  const command = { type: 'RevokeKey', accountId: 'a2', by: 'user:u2' } as const;
  const unknown = given(keyDecider).when(command).decision;
  expect(given(keyDecider, issued).when(command).decision).toEqual(unknown);
  expect(given(keyDecider, issued, revoked).when(command).decision).toEqual(unknown);
});

describe('a rotation', () => {
  const secret = { hash: 'h2', pepperId: 'p', prefix: 'sk_live_', last4: '1234' };
  const rotate = {
    type: 'RotateKey',
    accountId: 'a1',
    by: 'user:u1',
    at,
    secret,
    graceSeconds: 60,
    authority: undefined,
  } as const;

  it('gives the key another secret, and the one before a time to live', () => {
    const graceEndsAt = '2026-11-22T12:01:00.000Z';
    given(keyDecider, issued)
      .when(rotate)
      .then({ type: 'KeyRotated', data: { accountId: 'a1', by: 'user:u1', ...secret, graceEndsAt } });
  });

  it('is refused for a key that works no more', () => {
    given(keyDecider, issued, revoked).when(rotate).thenRefused('KEY_REVOKED', 'keyId');
    given(keyDecider, { type: 'KeyIssued', data: { ...data, expiresAt: at.toISOString() } })
      .when(rotate)
      .thenRefused('KEY_EXPIRED', 'keyId');
  });

  it('is refused for another account as for a key that is not there', () => {
    const others = given(keyDecider, issued).when({ ...rotate, accountId: 'a2' }).decision;
    expect(others).toEqual(given(keyDecider).when(rotate).decision);
    given(keyDecider).when(rotate).thenRefused('NOT_FOUND', 'keyId');
  });

  it('is refused while as many secrets work as may', () => {
    const rotated: KeyEvent = {
      type: 'KeyRotated',
      data: { accountId: 'a1', by: 'user:u1', ...secret, graceEndsAt: '2026-11-22T12:00:01.000Z' },
    };
    const four = Array.from({ length: MAX_SECRETS - 1 }, () => rotated);
    given(keyDecider, issued, ...four)
      .when(rotate)
      .thenRefused('TOO_MANY_SECRETS', 'keyId');
    const later = { ...rotate, at: new Date('2026-11-22T12:00:01Z') };
    expect(given(keyDecider, issued, ...four).when(later).decision.kind).toBe('accepted');
  });

  it.each([-1, 1.5, MAX_GRACE_SECONDS + 1, NaN])('gives no grace of %p seconds', (graceSeconds) => {
    given(keyDecider, issued)
      .when({ ...rotate, graceSeconds })
      .thenRefused('INVALID_INPUT', 'graceSeconds');
  });
});

describe('a key that manages keys', () => {
  const authority = { environment: 'live', scopes: ['admin'] } as const;
  const within = { ...authority, scopes: ['admin', 'read'] } as const;
  const test = { environment: 'test', scopes: ['admin', 'read'] } as const;
  const secret = { hash: 'h2', pepperId: 'p', prefix: 'sk_live_', last4: '1234' };
  const rotate = { type: 'RotateKey', accountId: 'a1', by: 'key:k', at, secret, graceSeconds: 0 } as const;

  it('hands out no scope that it does not have, by issuing or by rotating', () => {
    given(keyDecider)
      .when({ type: 'IssueKey', key: data, at, authority })
      .thenRefused('INVALID_INPUT', 'scopes');
    given(keyDecider, issued)
      .when({ ...rotate, authority })
      .thenRefused('INVALID_INPUT', 'scopes');
    given(keyDecider).when({ type: 'IssueKey', key: data, at, authority: within }).then(issued);
    expect(given(keyDecider, issued).when({ ...rotate, authority: within }).decision.kind).toBe('accepted');
  });

  it('stays in its environment: keys of the other are not there', () => {
    const none = given(keyDecider).when({ type: 'RevokeKey', accountId: 'a1', by: 'key:k' }).decision;
    expect(
      given(keyDecider, issued).when({ type: 'RevokeKey', accountId: 'a1', by: 'key:k', authority: test })
        .decision,
    ).toEqual(none);
    given(keyDecider, issued)
      .when({ ...rotate, authority: test })
      .thenRefused('NOT_FOUND', 'keyId');
    given(keyDecider)
      .when({ type: 'IssueKey', key: data, at, authority: test })
      .thenRefused('INVALID_INPUT', 'environment');
  });
});

describe('limits of a key', () => {
  const limited = (limits: readonly object[], hours = false) =>
    given(keyDecider).when({ type: 'IssueKey', key: { ...data, limits: limits as KeyLimit[] }, at, hours });
  const limit = (window: string, amount: number, meter = 'requests') => ({ meter, window, amount });

  it('can be on any meter of the profile that adds up', () => {
    const meters = (['sum', 'count', 'max', 'unique', 'latest'] as const).map((aggregation) => ({
      id: `of-${aggregation}`,
      unit: 'one',
      aggregation,
      decimals: 0,
    }));
    const issue = (meter: string, window: string, amount = 1) => {
      const limits = [limit(window, amount, meter)] as KeyLimit[];
      return given(keyDecider).when({ type: 'IssueKey', key: { ...data, limits }, at, meters });
    };
    const kinds = meters.map(({ id }) => issue(id, 'day').decision.kind);
    expect(kinds).toEqual(['accepted', 'accepted', 'refused', 'refused', 'refused']);
    // Times are kept of what is counted, not of what is summed.
    expect(issue('of-count', 'minute', MAX_KEY_RATE + 1).decision.kind).toBe('refused');
    expect(issue('of-sum', 'minute', MAX_KEY_RATE + 1).decision.kind).toBe('accepted');
  });

  it('are kept as they were given', () => {
    const limits = [limit('minute', 5), limit('month', 100), limit('minute', 50, 'cost')] as KeyLimit[];
    limited(limits).then({ type: 'KeyIssued', data: { ...data, limits } });
  });

  it.each([
    ['nothing', [limit('minute', 0)]],
    ['a part', [limit('day', 1.5)]],
    ['more requests a minute than are remembered', [limit('minute', MAX_KEY_RATE + 1)]],
    ['the same twice', [limit('day', 1), limit('day', 2)]],
    ['hours, of which the service has none', [limit('hour', 1)]],
    ['a meter that the service does not have', [limit('day', 1, 'videos')]],
    ['too many', Array.from({ length: 9 }, () => limit('day', 1))],
  ])('are refused for %s', (_what, limits) => {
    limited(limits).thenRefused('INVALID_INPUT', 'limits');
  });

  it('may be by the hour where plans have such', () => {
    expect(limited([limit('hour', 1)], true).decision.kind).toBe('accepted');
  });
});

it.each([
  ['a name without characters', [{ name: '', value: 'x' }]],
  ['a long name', [{ name: 'x'.repeat(41), value: 'x' }]],
  ['a long value', [{ name: 'x', value: 'x'.repeat(501) }]],
  ['a name of two lines', [{ name: 'a\nb', value: 'x' }]],
  ['half a surrogate pair', [{ name: 'x', value: '\ud83d' }]],
  ['a name twice', ['1', '2'].map((value) => ({ name: 'x', value }))],
  ['too many entries', Array.from({ length: 21 }, (_, i) => ({ name: `n${i}`, value: '' }))],
])('refuses metadata with %s', (_what, metadata) => {
  given(keyDecider)
    .when({ type: 'IssueKey', key: { ...data, metadata }, at })
    .thenRefused('INVALID_INPUT', 'metadata');
});

it('counts the characters of metadata as people do, and takes values of several lines', () => {
  const family = '👨‍👩‍👧‍👦';
  const metadata = [{ name: family.repeat(40), value: `${family.repeat(498)}\nx` }];
  given(keyDecider)
    .when({ type: 'IssueKey', key: { ...data, metadata }, at })
    .then({ type: 'KeyIssued', data: { ...data, metadata } });
});
