import fc from 'fast-check';
import { emailHash, normaliseEmail, parseEmail } from '../../src/accounts/email.js';

it.each([
  ['ada@example.com', 'ada@example.com'],
  ['  Ada@Example.COM\t', 'ada@example.com'],
  ['ada+tag@example.co.uk', 'ada+tag@example.co.uk'],
  ['ada@ｅｘａｍｐｌｅ.com', 'ada@example.com'],
  ['ada@exa\u0308mple.com', 'ada@xn--exmple-cua.com'],
  ['a@bücher.example', 'a@xn--bcher-kva.example'],
  ['A@BÜCHER.Example', 'a@xn--bcher-kva.example'],
  ['a@XN--BCHER-KVA.example', 'a@xn--bcher-kva.example'],
  ['a@bücher。example', 'a@xn--bcher-kva.example'],
  ['用户@例子.广告', '用户@xn--fsqu00a.xn--4rr70v'],
  // What only looks like an address or an escape stays what it is.
  ['a@exa%6dple.com', 'a@exa%6dple.com'],
  ['a@1.2', 'a@1.2'],
  ['a@foo_bar.example', 'a@foo_bar.example'],
  ['a@xn--bad-punycode-.example', 'a@xn--bad-punycode-.example'],
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

/** What the former rule (NFKC, lower case) or another common one holds equal, and a mail server may not. */
const APART: readonly (readonly [string, string])[] = [
  ['straße', 'strasse'],
  ['ı', 'i'],
  ['İ', 'i'],
  ['İ', 'i\u0307'],
  ['\u212A', 'k'],
  ['\u212A', 'K'],
  ['\u212B', 'å'],
  ['\u017F', 's'],
  ['ａｄａ', 'ada'],
  ['ﬀ', 'ff'],
  ['①', '1'],
  ['e\u0301', 'é'],
  ['É', 'é'],
  ['Σ', 'σ'],
  ['ς', 'σ'],
  ['а', 'a'],
  ['a.b', 'ab'],
  ['a+b', 'a'],
];

it.each(APART)('holds the mailboxes "%s" and "%s" of one domain apart', (one, other) => {
  expect(normaliseEmail(`${one}@example.com`)).not.toBe(normaliseEmail(`${other}@example.com`));
});

it('holds domains apart that DNS holds apart', () => {
  const domains = ['straße.example', 'strasse.example', 'bücher.example', 'bucher.example', 'аpple.example'];
  expect(new Set(domains.map((domain) => normaliseEmail(`a@${domain}`))).size).toBe(domains.length);
});

describe('what the former rule has named a stream by', () => {
  const former = (text: string): string => text.trim().normalize('NFKC').toLowerCase();

  it.each([
    ['a@bücher.example', ['a@bücher.example', 'a@xn--bcher-kva.example'], []],
    ['a@xn--bcher-kva.example', ['a@xn--bcher-kva.example', 'a@bücher.example'], []],
    ['A@Example.com', ['a@example.com'], []],
    ['Äda@example.com', ['Äda@example.com'], ['äda@example.com']],
    ['ﬀoo@bücher.example', ['ﬀoo@xn--bcher-kva.example'], ['ffoo@bücher.example']],
  ])('%s', (text, spellings, alike) => {
    expect(parseEmail(text)).toMatchObject({ spellings, alike });
  });

  it('is looked up, and as the same mailbox only what is one', () => {
    const local = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    const domain = fc.oneof(
      fc.constantFrom('bücher.example', 'BÜCHER.example', 'xn--bcher-kva.example', '例子.广告', 'Straße.de'),
      fc.domain(),
      fc.tuple(local, local).map((labels) => labels.join('.')),
    );
    fc.assert(
      fc.property(local, domain, (name, host) => {
        const text = `${name}@${host}`;
        const email = parseEmail(text);
        if (!email) return;
        const { address, spellings, alike } = email;
        if (!/\s/.test(former(text)) && normaliseEmail(former(text)) !== undefined) {
          expect([...spellings, ...alike]).toContain(former(text));
        }
        expect(spellings).toContain(address);
        for (const one of spellings) expect(normaliseEmail(one)).toBe(address);
        for (const one of alike) expect(normaliseEmail(one)).not.toBe(address);
        for (const one of [...spellings, ...alike]) expect(parseEmail(one)?.loosest).toBe(email.loosest);
      }),
      {
        numRuns: 150,
        examples: APART.flatMap<[string, string]>(([a, b]) => [
          [a, 'bücher.example'],
          [b, 'example.com'],
        ]),
      },
    );
  });
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
