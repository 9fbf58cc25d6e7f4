import { hashPassword, isTooLong, passwordProblem, verifyPassword } from '../../src/accounts/passwords.js';

it('is known again, and no other is', async () => {
  const hash = await hashPassword('correct horse');
  expect(await verifyPassword(hash, 'correct horse')).toBe(true);
  for (const other of ['', 'correct hors', 'correct horse ', 'Correct horse']) {
    expect(await verifyPassword(hash, other)).toBe(false);
  }
});

it('is hashed with argon2id, 19 MiB and two passes, and a salt of its own', async () => {
  const [one, other] = [await hashPassword('correct horse'), await hashPassword('correct horse')];
  const [, type, version, cost, salt, hash] = one.split('$');
  expect([type, version, cost?.split(',').sort()]).toEqual(['argon2id', 'v=19', ['m=19456', 'p=1', 't=2']]);
  expect([salt?.length, hash?.length]).toEqual([22, 43]);
  expect(other).not.toBe(one);
});

it('is the same password however the keyboard composes its letters', async () => {
  const hash = await hashPassword('pa\u0308ssword');
  expect(await verifyPassword(hash, 'p\u00e4ssword')).toBe(true);
});

it('counts to its last character', async () => {
  const longest = '👍'.repeat(200);
  const hash = await hashPassword(longest);
  expect(await verifyPassword(hash, longest)).toBe(true);
  expect(await verifyPassword(hash, `${longest.slice(0, -2)}👎`)).toBe(false);
});

/** One character, 11 units of UTF-16, 25 bytes of UTF-8. */
const FAMILY = '👨‍👩‍👧‍👦';

it.each([
  'x'.repeat(8),
  'x'.repeat(200),
  FAMILY.repeat(8),
  '👍'.repeat(200),
  'e\u0301'.repeat(200),
  'with\ttabs and\nlines',
])('may be %j', (password) => {
  expect(passwordProblem('password', password)).toBeUndefined();
  expect(isTooLong(password)).toBe(false);
});

it.each([
  ['x'.repeat(7), '8 to 200 characters'],
  [FAMILY, '8 to 200 characters'],
  ['e\u0301'.repeat(7), '8 to 200 characters'],
  ['👍'.repeat(201), '8 to 200 characters'],
  [FAMILY.repeat(200), 'at most 3200 bytes'],
])('may not be %j', (password, problem) => {
  expect(passwordProblem('password', password)).toContain(problem);
});

it('needs no hash to be told from what is far too long', () => {
  expect(isTooLong('x'.repeat(3_201))).toBe(true);
  expect(isTooLong('\u20ac'.repeat(1_067))).toBe(true);
});
