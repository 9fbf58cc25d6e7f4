import fc from 'fast-check';
import { rules, scan } from './scan.js';
import { logs } from './logs.js';

const KIB = 1024;
const repeated = (piece: string, length: number): string =>
  piece.repeat(Math.ceil(length / piece.length)).slice(0, length);

describe('any chunking gives the same result', () => {
  /** Nothing to find out about the file, so that nothing is held back either. */
  const chosen = { format: 'text', encoding: 'utf-8', languages: ['en'] } as const;
  const same = (bytes: Uint8Array, cuts: readonly number[]): void => {
    for (const options of [{}, chosen]) {
      expect(scan(bytes, options, cuts)).toEqual(scan(bytes, options));
    }
  };

  test('of logs', () => {
    fc.assert(
      fc.property(logs, fc.array(fc.nat(400), { maxLength: 30 }), (log, cuts) =>
        same(Buffer.from(log), cuts),
      ),
    );
  });

  test('of any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(300), { maxLength: 30 }), same));
  });

  test('byte by byte, and across the samples by which a file is recognised', () => {
    const log = 'Oslo 2019\r\n\r\nKim: José said “no”.\r\nBo: stop\r\n\r\nBo: I was…\r\n\r\n';
    const bytes = Buffer.from(log);
    same(bytes, [...bytes.keys()]);
    const long = Buffer.from(Array.from({ length: 4_000 }, (_, i) => `Kim: stop ${i} José`).join('\r\n\r\n'));
    for (const around of [64 * KIB - 2, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1]) same(long, [around]);
  });
});

describe('the work is linear', () => {
  /** What the rules themselves are made of, in any order: the worst that anybody can write for them. */
  const words = [...(rules.languages.get('en')?.categories.values() ?? [])]
    .flatMap(({ tokens, phrases }) => [...tokens, ...phrases].flat(3))
    .flat();

  test('no 64 KiB of the rules’ own words take more than a bounded number of moves a word', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 40 }), (some) => {
        const text = repeated(`${some.join(' ')} `, 64 * KIB);
        const { steps } = scan(text, { languages: ['en'] });
        // Each word is one move, goes back at most as often as it went on, and meets parts of few gaps.
        expect(steps / text.split(' ').length).toBeLessThan(10);
      }),
    );
  });

  test.each([
    ['the beginning of a phrase', 'i was '],
    ['phrases that nearly are', 'for your own '],
    ['the end of a gap', 'i was scared '],
    ['spaces', ' '],
    ['letters', 'a'],
    ['digits', '1/2/2019 '],
    ['brackets', '[['],
    ['colons', 'Kim: '],
    ['blank lines', '\n'],
    ['lines', 'no\n'],
    ['entries', 'no 1\n\n'],
    ['quotes', '"'],
    ['braces', '{"messages":['],
    ['marks that ask to be sorted', 'a\u0301\u0316\u0301\u0316\u0301\u0316'],
  ])('twice as much of %s is twice the moves', (_name, piece) => {
    const [small, large] = [32 * KIB, 64 * KIB].map(
      (length) => scan(repeated(piece, length), { languages: ['en'] }).steps,
    );
    expect(large).toBeLessThanOrEqual(2 * (small as number) + 10);
  });
});
