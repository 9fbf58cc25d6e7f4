import { randomBytes, randomUUID } from 'node:crypto';
import { PersonalData, SubjectErased } from '../../src/secrets/personalData.js';
import { freshSql } from '../support/database.js';

const MASTER = Buffer.alloc(32, 1);

let database: Awaited<ReturnType<typeof freshSql>>;
let personal: PersonalData;
beforeAll(async () => {
  database = await freshSql();
  personal = await PersonalData.open(database.sql, MASTER);
});
afterAll(() => database.remove());

const newSubject = (): string => randomUUID();
/** The sealed text with one bit turned at a byte of nonce (0), tag (12) or ciphertext (28). */
function tamper(sealed: string, at: number): string {
  const [version, subject, body] = sealed.split(':');
  const bytes = Buffer.from(body ?? '', 'base64url');
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return `${version}:${subject}:${bytes.toString('base64url')}`;
}

it.each(['ada@example.com', '', 'Zoë 🐙: “x:y”', 'x'.repeat(10_000)])(
  'reads back what it sealed',
  async (text) => {
    const sealed = await personal.seal(newSubject(), text);
    if (text !== '') expect(sealed).not.toContain(text);
    expect(await personal.unseal(sealed)).toBe(text);
  },
);

it('seals the same text differently each time', async () => {
  const subject = newSubject();
  expect(await personal.seal(subject, 'Ada')).not.toBe(await personal.seal(subject, 'Ada'));
});

it('reads back after a restart with the same master key', async () => {
  const sealed = await personal.seal(newSubject(), 'Ada');
  const reopened = await PersonalData.open(database.sql, Buffer.from(MASTER));
  expect(await reopened.unseal(sealed)).toBe('Ada');
});

it('reads back many at once in their order: what is erased as null, what was tampered with as an error', async () => {
  const [ada, bob, eve] = [newSubject(), newSubject(), newSubject()];
  const seal = (subject: string, text: string) => personal.seal(subject, text);
  const sealed = [
    await seal(ada, 'Ada'),
    await seal(eve, 'Eve'),
    await seal(bob, 'Bob'),
    await seal(ada, ''),
  ];
  await personal.erase([eve]);
  sealed.push(tamper(await seal(bob, 'Bob'), 28), 'nothing sealed');
  const failed: unknown = expect.any(Error);
  expect(await personal.unsealAll(sealed)).toEqual(['Ada', null, 'Bob', '', failed, failed]);
  expect(await personal.unsealAll([])).toEqual([]);
});

it('reads as erased, for that person alone, once they are erased', async () => {
  const [ada, bob] = [newSubject(), newSubject()];
  const [name, email, others] = [
    await personal.seal(ada, 'Ada'),
    await personal.seal(ada, 'ada@example.com'),
    await personal.seal(bob, 'Bob'),
  ];
  await personal.erase([ada]);
  expect([await personal.unseal(name), await personal.unseal(email)]).toEqual([null, null]);
  expect(await personal.unseal(others)).toBe('Bob');
});

it('seals nothing more for a person who was erased, with or without a key before', async () => {
  const [ada, bob] = [newSubject(), newSubject()];
  const before = await personal.seal(ada, 'Ada');
  await personal.erase([ada, bob, ada]);
  await personal.erase([ada]);
  for (const subject of [ada, bob]) {
    await expect(personal.seal(subject, 'again')).rejects.toBeInstanceOf(SubjectErased);
  }
  expect(await personal.unseal(before)).toBeNull();
});

it('knows who has a key', async () => {
  const [ada, bob, eve] = [newSubject(), newSubject(), newSubject()];
  await personal.seal(ada, 'Ada');
  await personal.seal(bob, 'Bob');
  await personal.erase([bob]);
  expect(await personal.withKey([ada, bob, eve])).toEqual([ada]);
});

it.each([
  ['nonce', 0],
  ['tag', 12],
  ['end of the tag', 27],
  ['ciphertext', 28],
])('refuses a text of which the %s was changed', async (_part, at) => {
  const sealed = await personal.seal(newSubject(), 'Ada');
  await expect(personal.unseal(tamper(sealed, at))).rejects.toThrow();
});

it('refuses a text with a shortened tag', async () => {
  const [version, subject, body] = (await personal.seal(newSubject(), '')).split(':');
  const short = Buffer.from(body ?? '', 'base64url').subarray(0, 12 + 4);
  await expect(personal.unseal(`${version}:${subject}:${short.toString('base64url')}`)).rejects.toThrow();
});

it('refuses a text that was moved to another person', async () => {
  const [ada, bob] = [newSubject(), newSubject()];
  const sealed = await personal.seal(ada, 'Ada');
  await personal.seal(bob, 'Bob');
  await expect(personal.unseal(sealed.replace(ada, bob))).rejects.toThrow();
});

it('refuses a wrapped key that was moved to another person', async () => {
  const [ada, bob] = [newSubject(), newSubject()];
  const sealed = await personal.seal(ada, 'Ada');
  await database.sql.query(
    'INSERT INTO vault.subject_keys (subject, wrapped) SELECT $1, wrapped FROM vault.subject_keys WHERE subject = $2',
    [bob, ada],
  );
  await expect(personal.unseal(sealed.replace(ada, bob))).rejects.toThrow();
});

it.each(['', 'Ada', 'v2:s:AAAA', 'v1:s'])('refuses what is not sealed: "%s"', async (text) => {
  await expect(personal.unseal(text)).rejects.toThrow('not a sealed text');
});

it('gives parallel first seals of one person one key', async () => {
  const subject = newSubject();
  const sealed = await Promise.all(
    Array.from({ length: 10 }, async (_, i) => {
      // As on several nodes.
      const node = await PersonalData.open(database.sql, MASTER);
      return node.seal(subject, `text ${i}`);
    }),
  );
  const texts = await Promise.all(sealed.map((text) => personal.unseal(text)));
  expect(texts).toEqual(sealed.map((_, i) => `text ${i}`));
  const rows = await database.sql.query('SELECT 1 FROM vault.subject_keys WHERE subject = $1', [subject]);
  expect(rows.length).toBe(1);
});

it('is of no use with another master key: nothing is read, and nothing is made in its place', async () => {
  const subject = newSubject();
  const sealed = await personal.seal(subject, 'Ada');
  const thief = await PersonalData.open(database.sql, randomBytes(32));
  await expect(thief.unseal(sealed)).rejects.toThrow();
  await expect(thief.seal(subject, 'Eve')).rejects.toThrow();
  expect(await personal.unseal(sealed)).toBe('Ada');
});

it('keeps no key in the clear', async () => {
  const subject = newSubject();
  await personal.seal(subject, 'Ada');
  const [row] = await database.sql.query<{ wrapped: string }>(
    'SELECT wrapped FROM vault.subject_keys WHERE subject = $1',
    [subject],
  );
  // Nonce, tag and the 32 encrypted bytes.
  expect(Buffer.from(row?.wrapped ?? '', 'base64url').length).toBe(12 + 16 + 32);
});
