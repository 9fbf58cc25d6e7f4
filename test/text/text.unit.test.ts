import fc from 'fast-check';
import { firstCharacters, idProblem, textProblem, tidy, unfit } from '../../src/text/text.js';
import { zodText } from '../../src/text/zodText.js';

const graphemes = (text: string): string[] =>
  Array.from(new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text), ({ segment }) => segment);

const FAMILY = '👩🏽‍❤️‍💋‍👨🏿';

describe('a text', () => {
  it.each<[string, number]>([
    ['a', 1],
    ['é', 1],
    ['e\u0301', 1],
    ['😀', 1],
    [FAMILY, 1],
    ['🇩🇪', 1],
    ['क्षि', 1],
    ['한', 1],
    ['a\u0301'.repeat(100), 100],
    [FAMILY.repeat(100), 100],
  ])('%s has as many characters as people count', (text, count) => {
    expect(textProblem('name', text, { min: count, max: count })).toBeUndefined();
    expect(textProblem('name', text, { min: count + 1, max: count + 1 })).toBe(
      `"name" must have ${count + 1} to ${count + 1} characters.`,
    );
    expect(textProblem('name', `${text}b`, { max: count })).toBe(
      `"name" must have at most ${count} characters.`,
    );
  });

  it('of any length costs no more than one that is a little too long', () => {
    // A single character, as people count.
    expect(textProblem('name', `a${'\u0301'.repeat(50_000)}`, { max: 100 })).toBe(
      '"name" must have at most 100 characters.',
    );
  });

  it('may be empty where nothing else is said', () => {
    expect(textProblem('name', '', { max: 1 })).toBeUndefined();
    expect(textProblem('name', '', { min: 1, max: 1 })).toBe('"name" must have 1 to 1 characters.');
  });

  it.each(['\n', '\r\n', '\t', '\u2028', '\u2029'])('is one line, unless it may have several: %j', (end) => {
    expect(textProblem('name', `a${end}b`, { max: 9 })).toBe('"name" must be one line, without tabs.');
    expect(textProblem('name', `a${end}b`, { max: 9, lines: true })).toBeUndefined();
  });

  it('is refused exactly where it is ill-formed or holds a control character, and is never repeated', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)))
        .map((u) => u.join('')),
      fc.string({ unit: fc.constantFrom('a', '\ud83d', '\ude00', '\0', '\u0001', '\n', '\u0085', '\u200f') }),
    );
    fc.assert(
      fc.property(anyText, (text) => {
        const bad =
          Array.from(text).some((c) => c.length === 1 && c >= '\ud800' && c <= '\udfff') ||
          Array.from(text).some((c) => {
            const code = c.codePointAt(0) as number;
            return (code < 32 && !'\t\n\r'.includes(c)) || (code > 126 && code < 160);
          });
        const problem = unfit('field', text);
        expect(problem !== undefined).toBe(bad);
        expect(textProblem('field', text, { max: 1e6, lines: true })).toBe(problem);
      }),
      { numRuns: 500 },
    );
  });

  it('is tidied to one spelling', () => {
    expect(tidy(' e\u0301\u00a0')).toBe('é');
    expect(tidy('\u212b')).toBe('Å');
  });

  it('is cut between characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, max) => {
        expect(firstCharacters(text, max)).toBe(graphemes(text).slice(0, max).join(''));
      }),
    );
    expect(firstCharacters('😀😀', 1)).toBe('😀');
    expect(firstCharacters(`ab${'\u0301'.repeat(1_000)}`, 2)).toBe('a');
  });
});

describe('an id that a client chooses', () => {
  it.each(['x', ' ', 'a b', 'ü', 'e\u0301', '😀', '__proto__', 'x'.repeat(128), 'ü'.repeat(64)])(
    'may be %j',
    (id) => {
      expect(idProblem('commandId', id)).toBeUndefined();
    },
  );

  it.each([
    ['', 'must have 1 to 128 bytes.'],
    ['x'.repeat(129), 'must have 1 to 128 bytes.'],
    ['ü'.repeat(65), 'must have 1 to 128 bytes.'],
    ['x'.repeat(1_000_000), 'must have 1 to 128 bytes.'],
    ['a\0', 'holds a control character.'],
    ['a\n', 'holds a control character.'],
    ['a\u0085', 'holds a control character.'],
    ['\ud800', 'is not well-formed Unicode: it holds half of a surrogate pair.'],
  ])('may not be %j', (id, problem) => {
    expect(idProblem('commandId', id)).toBe(`"commandId" ${problem}`);
  });
});

it('of a file of ours keeps the same rules', () => {
  const name = zodText({ min: 1, max: 3 });
  expect(name.safeParse('👩🏽‍❤️‍💋‍👨🏿é').success).toBe(true);
  const said = ['', 'abcd', 'a\n', '\ud800', '\0'].map(
    (text) => name.safeParse(text).error?.issues[0]?.message,
  );
  expect(said).toEqual([
    'must have 1 to 3 characters.',
    'must have 1 to 3 characters.',
    'must be one line, without tabs.',
    'is not well-formed Unicode: it holds half of a surrogate pair.',
    'holds a control character.',
  ]);
});
