import { placeOf } from '../ipAddress.js';
import type { KnownKey } from '../keys/cache.js';
import { DEMO_ACCOUNT } from '../plans/profile.js';
import type { AddressHashes } from '../usage/addresses.js';
import { periodOf } from '../usage/limits/periods.js';

/**
 * Stands for whoever calls without a key, where the profile allows it: each place is an account of its own
 * for a month, named by the hash of the address. It may read, and counts as test: no invoice has it.
 * @returns undefined where the address is not known
 */
export function demoKey(
  addresses: AddressHashes,
  address: string | undefined,
  usageTime: number,
): KnownKey | undefined {
  const place = address === undefined ? undefined : placeOf(address);
  const hash = addresses.of(place, periodOf('month', usageTime));
  if (hash === null) return undefined;
  const id = `${DEMO_ACCOUNT}${hash}`;
  return {
    id,
    accountId: id,
    environment: 'test',
    scopes: ['read'],
    hash: '',
    rotations: [],
    limits: [],
    revoked: false,
    expiresAt: null,
  };
}
