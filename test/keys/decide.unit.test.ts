import { key } from '../../src/keys/decide.js';
import type { KeyEvent } from '../../src/keys/events.js';
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
} as const;
const issued: KeyEvent = { type: 'KeyIssued', data };
const revoked: KeyEvent = { type: 'KeyRevoked', data: { accountId: 'a1', by: 'user:u1' } };

const at = new Date('2026-11-22T12:00:00Z');

it('issues a key with what the command says', () => {
  given(key).when({ type: 'IssueKey', key: data, at }).then(issued);
});

it('issues a key that expires later, and none that has expired', () => {
  const expiring = (expiresAt: string) => ({ ...data, expiresAt });
  const later = expiring('2026-11-22T12:00:00.001Z');
  given(key).when({ type: 'IssueKey', key: later, at }).then({ type: 'KeyIssued', data: later });
  given(key)
    .when({ type: 'IssueKey', key: expiring('2026-11-22T12:00:00.000Z'), at })
    .thenRefused('INVALID_INPUT', 'expiresAt');
});

it('revokes a key of the account, and says who did it', () => {
  given(key, issued).when({ type: 'RevokeKey', accountId: 'a1', by: 'user:u1' }).then(revoked);
});

it('changes nothing when a revoked key is revoked again', () => {
  given(key, issued, revoked).when({ type: 'RevokeKey', accountId: 'a1', by: 'user:u2' }).then();
});

it('refuses to revoke a key that does not exist', () => {
  given(key).when({ type: 'RevokeKey', accountId: 'a1', by: 'user:u1' }).thenRefused('NOT_FOUND', 'id');
});

it('says of another account’s key what it says of none, revoked or not', () => {
  const command = { type: 'RevokeKey', accountId: 'a2', by: 'user:u2' } as const;
  const unknown = given(key).when(command).decision;
  expect(given(key, issued).when(command).decision).toEqual(unknown);
  expect(given(key, issued, revoked).when(command).decision).toEqual(unknown);
});
