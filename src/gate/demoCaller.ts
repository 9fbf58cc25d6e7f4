import { isIP, isIPv6 } from 'node:net';
import type { KnownKey } from '../keys/cache.js';
import { DEMO_ACCOUNT } from '../plans/profile.js';
import type { AddressHashes } from '../usage/addresses.js';
import { periodOf } from '../usage/periods.js';

/** IPv6: what one subscriber has (RFC 6177 gives a site at least that much). */
const GROUPS = 4;

/** What counts as one place: an IPv4 address, or a network of IPv6, /64. Undefined for what is no address. */
export function placeOf(address: string): string | undefined {
  if (isIP(address) === 0) return undefined;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  // The URL parser (WHATWG) writes it in the one canonical form; a zone says nothing of the network.
  const { hostname } = new URL(`http://[${address.replace(/%.*$/, '')}]`);
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const groups = head.split(':').filter(Boolean);
  const behind = (tail ?? '').split(':').filter(Boolean);
  const zeros = Array.from({ length: 8 - groups.length - behind.length }, () => '0');
  return `${[...groups, ...zeros, ...behind].slice(0, GROUPS).join(':')}::/64`;
}

/**
 * Stands for whoever calls without a key, where the profile allows it: each place is an account of its own
 * for a month, named by the hash of the address. It may read, and counts as test: no invoice has it.
 * @returns undefined where the address is not known
 */
export function demoKey(
  addresses: AddressHashes,
  address: string | undefined,
  now: number,
): KnownKey | undefined {
  const place = address === undefined ? undefined : placeOf(address);
  const hash = addresses.of(place, periodOf('month', now));
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
