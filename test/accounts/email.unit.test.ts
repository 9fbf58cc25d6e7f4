import fc from 'fast-check';
import { emailHash, normaliseEmail } from '../../src/accounts/email.js';

it.each([
  ['ada@example.com', 'ada@example.com'],
  ['  Ada@Example.COM\t', 'ada@example.com'],
  ['ada+tag@example.co.uk', 'ada+tag@example.co.uk'],
  ['ＡＤＡ@ｅｘａｍｐｌｅ.com', 'ada@example.com'],
  ['ada@exa\u0308mple.com', 'ada@exämple.com'],
  ['用户@例子.广告', '用户@例子.广告'],
])('compares "%s" as "%s"', (text, normalised) => {
  expect(normaliseEmail(text)).toBe(normalised);
});

it.each([
  '',
  ' ',
  'ada',
  'ada@',
  '@example.com',
  'ada@example',
  'ada@.com',
  'ada@example.',
  'ada@example..com',
  'ada@@example.com',
  'ada@b@example.com',
  'a da@example.com',
  'ada@exa mple.com',
  'ada\0@example.com',
  'ada@exam\u0007ple.com',
  'ada\nbcc:eve@example.com',
  'Ada <ada@example.com>',
  '"ada"@example.com',
  'ada@example.com,eve@example.com',
  `${'a'.repeat(65)}@example.com`,
])('takes no e-mail from %j', (text) => {
  expect(normaliseEmail(text)).toBeUndefined();
});

it('takes 254 characters and no more', () => {
  const ofLength = (length: number): string => `ada@${'d'.repeat(length - 'ada@.com'.length)}.com`;
  expect(normaliseEmail(ofLength(254))).toBe(ofLength(254));
  expect(normaliseEmail(ofLength(255))).toBeUndefined();
});

it('changes nothing when it is done again, so that one e-mail has one stream', () => {
  const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(part, part, part, (local, domain, tld) => {
      const email = normaliseEmail(`${local}@${domain}.${tld}`);
      if (email !== undefined) expect(normaliseEmail(email)).toBe(email);
    }),
    { numRuns: 200, examples: [['İ', 'K', 'ﬀ']] },
  );
});

it('names a stream by a hash that only the key’s holder can make', () => {
  const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  expect(emailHash(key, 'ada@example.com')).toMatch(/^[\w-]{43}$/);
  expect(emailHash(key, 'ada@example.com')).toBe(emailHash(Buffer.from(key), 'ada@example.com'));
  expect(emailHash(other, 'ada@example.com')).not.toBe(emailHash(key, 'ada@example.com'));
  expect(emailHash(key, 'eve@example.com')).not.toBe(emailHash(key, 'ada@example.com'));
});
