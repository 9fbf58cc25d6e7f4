import argon2 from 'argon2';

/** argon2id with the second set of OWASP's cheat sheet: 19 MiB, two passes, one lane. */
const OPTIONS = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export const PASSWORD_MIN = 8;
/** Characters; hashing takes time by length. */
export const PASSWORD_MAX = 200;

/** @returns why it can be nobody's password, undefined where it can */
export function passwordProblem(field: string, password: string): string | undefined {
  return password.length < PASSWORD_MIN || password.length > PASSWORD_MAX
    ? `"${field}" must have ${PASSWORD_MIN} to ${PASSWORD_MAX} characters.`
    : undefined;
}

export function hashPassword(password: string): Promise<string> {
  return argon2.hash(password.normalize('NFKC'), OPTIONS);
}

export function verifyPassword(hash: string, password: string): Promise<boolean> {
  return argon2.verify(hash, password.normalize('NFKC'));
}
