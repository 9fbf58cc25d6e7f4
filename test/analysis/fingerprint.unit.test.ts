import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { fingerprint, SeenTexts } from '../../src/analysis/fingerprint.js';

describe('fingerprints', () => {
  test.each([
    ['Please stop.', 'a22e30a8b479d84e'],
    ['I’m — “fine”', '763c2220e1206040'],
    ['再见 STOP', 'a3d15165fcde954d'],
    [' please\u00a0\n STOP. ', 'a22e30a8b479d84e'],
  ])('%j', (text, digits) => expect(fingerprint(text)).toBe(digits));

  test('a text that is normalised in pieces has the one of the whole', () => {
    const normal = (text: string): string => text.toLowerCase().replace(/\s+/g, ' ').trim();
    for (const text of ['a \n', ' \u00a0\n', 'x😀', '😀', 'No. ', 'x']) {
      const long = `${'y'.repeat(7)}${text.repeat(100_000)}z`;
      const whole = createHash('sha256').update(normal(long)).digest('hex').slice(0, 16);
      expect(fingerprint(long)).toBe(whole);
    }
  });

  test('the set holds what a set holds, zeros and neighbours too', () => {
    const digits = fc.oneof(
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.bigInt({ min: 0n, max: 40n }),
      fc.bigInt({ min: 0n, max: 40n }).map((n) => n << 32n),
    );
    fc.assert(
      fc.property(fc.array(digits, { maxLength: 3_000, size: 'max' }), (numbers) => {
        const ours = new SeenTexts();
        const theirs = new Set<bigint>();
        for (const number of numbers) {
          const halves = [Number(number >> 32n), Number(number & 0xffffffffn)] as const;
          expect(ours.addHash(...halves)).toBe(!theirs.has(number));
          theirs.add(number);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('texts came before exactly where their fingerprints did', () => {
    const text = fc
      .array(fc.constantFrom('a', 'A', 'b', ' ', '\u00a0', '\n', '’', "'", '—', '-', '😀', 'é'), {
        maxLength: 5,
      })
      .map((units) => units.join(''));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 60 }), (texts) => {
        const seen = new SeenTexts();
        const prints = new Set<string>();
        for (const one of texts) {
          expect(seen.add(one.toLowerCase())).toBe(!prints.has(fingerprint(one)));
          prints.add(fingerprint(one));
        }
      }),
    );
    const seen = new SeenTexts();
    const long = 'x \n'.repeat(60_000);
    expect([seen.add(long), seen.add(long.replaceAll('\n', ' ')), seen.add(`${long}y`)]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('many texts that are nearly the same are told apart', () => {
    const seen = new SeenTexts();
    let added = 0;
    for (let n = 0; n < 200_000; n++) added += Number(seen.add(`no ${n}`)) + Number(seen.add(`${n} no`));
    expect(added).toBe(400_000);
  });
});
