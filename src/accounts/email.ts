import { keyedHash } from '../secrets/secrets.js';

const EMAIL = /^[^\s\p{C}@<>"(),:;\\[\]]{1,64}@[^\s\p{C}@.]+(\.[^\s\p{C}@.]+)+$/u;
const MAX_LENGTH = 254; // RFC 5321, section 4.5.3.1.3

/** @returns the e-mail as it is compared: trimmed, NFKC, lower case; undefined when it can't be one */
export function normaliseEmail(text: string): string | undefined {
  const email = text.trim().normalize('NFKC').toLowerCase();
  return email.length <= MAX_LENGTH && EMAIL.test(email) ? email : undefined;
}

/** Names an e-mail's stream. Permanent: another key would make every e-mail free again. */
export function emailHash(key: Buffer, normalised: string): string {
  return keyedHash(key, 'email', normalised);
}
