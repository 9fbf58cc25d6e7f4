import argon2 from 'argon2';
import { textProblem } from '../text/text.js';

/** argon2id with the second set of OWASP's cheat sheet: 19 MiB, two passes, one lane. */
const OPTIONS = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Characters as people count them, and bytes of UTF-8: hashing takes time by length. */
const RULE = { min: 8, max: 200, maxBytes: 3_200, lines: true } as const;

/** @returns why it can be nobody's new password, undefined where it can */
export const passwordProblem = (field: string, password: string): string | undefined =>
  textProblem(field, password, RULE);

/** Whether it is longer than any password, and need not be hashed to tell. */
export const isTooLong = (password: string): boolean => Buffer.byteLength(password) > RULE.maxBytes;

export function hashPassword(password: string): Promise<string> {
  return argon2.hash(password.normalize('NFKC'), OPTIONS);
}

export function verifyPassword(hash: string, password: string): Promise<boolean> {
  return argon2.verify(hash, password.normalize('NFKC'));
}
