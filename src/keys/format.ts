import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Random characters: 26 × log2(62) = 154 bits. */
const RANDOM = 26;
const CHECKSUM = 6;

/**
 * A key is its prefix and 32 base62 characters, the last six a checksum of everything before, so
 * that typing errors and secret scanners need no look-up (decision 17).
 * @param prefix e.g. `sk_live_`
 */
export function mintKey(prefix: string): string {
  let body = prefix;
  for (let i = 0; i < RANDOM; i++) body += BASE62[randomInt(62)];
  return body + checksum(body);
}

/** @returns the prefix that the key has, or undefined when the text can't be one of our keys */
export function parseKey(text: string, prefixes: readonly string[]): string | undefined {
  // By length too: one prefix may begin with the other.
  const prefix = prefixes.find((p) => text.startsWith(p) && text.length === p.length + RANDOM + CHECKSUM);
  if (prefix === undefined) return undefined;
  const body = text.slice(0, -CHECKSUM);
  return checksum(body) === text.slice(-CHECKSUM) ? prefix : undefined;
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
