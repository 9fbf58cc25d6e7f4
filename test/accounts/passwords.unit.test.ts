import { hashPassword, PASSWORD_MAX, verifyPassword } from '../../src/accounts/passwords.js';

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
  const longest = 'x'.repeat(PASSWORD_MAX);
  const hash = await hashPassword(longest);
  expect(await verifyPassword(hash, longest)).toBe(true);
  expect(await verifyPassword(hash, `${longest.slice(0, -1)}y`)).toBe(false);
});
