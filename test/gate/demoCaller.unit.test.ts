import { demoKey } from '../../src/gate/demoCaller.js';
import { DEMO_ACCOUNT } from '../../src/plans/profile.js';
import { AddressHashes } from '../../src/usage/addresses.js';

it('stands for an address for a month, by a hash', () => {
  const addresses = new AddressHashes(Buffer.alloc(32, 1));
  const november = Date.parse('2026-11-23T12:00:00Z');
  const december = Date.parse('2026-12-01T00:00:00Z');
  const key = demoKey(addresses, '2001:db8::1', november);
  expect(key).toMatchObject({ environment: 'test', scopes: ['read'], id: key?.accountId });
  expect(key?.accountId).toMatch(new RegExp(`^${DEMO_ACCOUNT}[\\w-]{22}$`));
  expect(demoKey(addresses, '2001:db8::2', november)).toEqual(key);
  expect(demoKey(addresses, '2001:db8:0:1::1', november)?.accountId).not.toBe(key?.accountId);
  expect(demoKey(addresses, '2001:db8::1', december)?.accountId).not.toBe(key?.accountId);
  expect(demoKey(addresses, undefined, november)).toBeUndefined();
});
