import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Characters behind the prefix where the profile says nothing else; 26 of them random: 26 × log2(62) = 154 bits. */
const LENGTH = 32;
const CHECKSUM = 6;
/** Characters of a key with the longest prefix that a profile can have. */
export const MAX_LENGTH = 96;
const BODY = /^[0-9A-Za-z]{24,64}$/;

/**
 * A key is its prefix and 32 base62 characters, or as many as the profile says, the last six a checksum of
 * everything before, so that typing errors and secret scanners need no look-up (decision 17).
 * @param prefix e.g. `sk_live_`
 * @param length characters behind the prefix, 24 to 64
 */
export function mintKey(prefix: string, length = LENGTH): string {
  let body = prefix;
  for (let i = CHECKSUM; i < length; i++) body += BASE62[randomInt(62)];
  return body + checksum(body);
}

/** Whether the text can be one of our keys. One of another length can: the profile may have changed. */
export function isWellFormed(text: string, prefixes: readonly string[]): boolean {
  // A prefix ends with a character that base62 does not have: one may begin with the other.
  if (!prefixes.some((prefix) => text.startsWith(prefix) && BODY.test(text.slice(prefix.length))))
    return false;
  return checksum(text.slice(0, -CHECKSUM)) === text.slice(-CHECKSUM);
}

/** CRC-32 in base62. It guards against mistakes, not against forgers: that is the hash's part. */
function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let i = 0; i < CHECKSUM; i++) {
    text = BASE62[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
