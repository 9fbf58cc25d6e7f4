import type { Limit } from '../plans/profile.js';
import type { KeyLimit } from './events.js';

const NONE: readonly Limit[] = [];

/** As the limiter takes them; `key-` tells them from the account's in headers and answers. */
export function limitsOfKey(limits: readonly KeyLimit[]): readonly Limit[] {
  // Nearly all keys have none, and share it.
  if (limits.length === 0) return NONE;
  return limits.map(({ meter, window, amount }) => ({
    id: `key-${meter}-${window}`,
    meter,
    window,
    amount,
    source: 'key',
  }));
}
