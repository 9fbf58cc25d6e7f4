import fc from 'fast-check';
import { Analysis } from '../../src/analysis/analysis.js';
import { readPatterns, spelledWords } from '../../src/analysis/notation.js';
import type { RulesContent } from '../../src/analysis/ownRules.js';
import { readOwnRules } from '../../src/analysis/ownRules.js';
import { RulesInvalid } from '../../src/analysis/rules.js';

const category = (name: string, tokens: string[], phrases: string[] = [], language = 'en') => ({
  name,
  description: 'What it means.',
  patterns: [{ language, tokens, phrases }],
});
const content = (changes: Partial<RulesContent> = {}): RulesContent => ({
  defaultLanguage: 'en',
  window: 6,
  categories: [category('MONEY', ['cash'], ['send ... money'])],
  sequences: [],
  languages: [],
  ...changes,
});

function problemsOf(changes: Partial<RulesContent>): readonly string[] {
  try {
    readOwnRules(content(changes), 1);
  } catch (error) {
    if (error instanceof RulesInvalid) return error.problems;
    throw error;
  }
  return [];
}

const alternatives = (count: number): string => Array(count).fill('a|b').join(' ');

test.each<[string, Partial<RulesContent>, string[]]>([
  ['nothing is wrong', {}, []],
  ['no category', { categories: [] }, ['there must be at least one category']],
  ['a category without patterns', { categories: [category('A', [])] }, ['A has no patterns']],
  [
    'a category twice',
    { categories: [category('A', ['a']), category('A', ['b'])] },
    ['there are two categories "A"'],
  ],
  [
    'a language twice',
    {
      categories: [
        {
          ...category('A', ['a']),
          patterns: [...category('A', ['a']).patterns, ...category('A', ['b']).patterns],
        },
      ],
    },
    ['A has patterns twice for "en"'],
  ],
  [
    'a name in small letters',
    { categories: [category('money', ['a'])] },
    ['it must be in capitals, like HARM_LANGUAGE'],
  ],
  [
    'a name of JavaScript',
    { categories: [category('__proto__', ['a'])] },
    ['it must be in capitals, like HARM_LANGUAGE'],
  ],
  [
    'no code of a language',
    { categories: [category('A', ['a'], [], '__proto__')], defaultLanguage: '__proto__' },
    ['"__proto__" is no code of a language, like "en"'],
  ],
  [
    'another default language',
    { defaultLanguage: 'de' },
    ['"defaultLanguage" is "de", for which there are no patterns'],
  ],
  [
    'languages without patterns',
    { languages: [{ language: 'de', common: ['und'] }] },
    ['"languages" has "de", for which there are no patterns'],
  ],
  [
    'languages that nothing tells apart',
    { categories: [category('A', ['a']), category('B', ['b'], [], 'de')] },
    [
      'en: "common" needs words, by which it is told from the other languages',
      'de: "common" needs words, by which it is told from the other languages',
    ],
  ],
  ['what is no pattern', { categories: [category('A', ['a||b'])] }, ['"a||b": "a||b" is no word']],
  ['a window of nothing', { window: 0 }, ['expected number to be >=1']],
  [
    'a sequence of nothing',
    { sequences: [{ first: 'MONEY', second: 'X' }] },
    ['the sequence MONEY -> X: X is no category'],
  ],
  [
    'too many bytes',
    { categories: [{ ...category('A', ['a']), description: 'x'.repeat(65 * 1024) }] },
    ['at most 65536 are taken'],
  ],
  // Each of them is short, and all of them together are more words than anybody can hold.
  [
    'spellings without end',
    { categories: [category('A', Array(200).fill(alternatives(9)) as string[])] },
    ['words together, and at most 20000'],
  ],
  [
    'one pattern without end',
    { categories: [category('A', [alternatives(120)])] },
    ['words together, and at most 20000'],
  ],
  [
    'gaps behind one word',
    {
      categories: [
        category(
          'A',
          Array.from({ length: 50 }, (_, n) => `a ... b${n}`),
        ),
      ],
    },
    ['one word is part of 50 patterns with a gap'],
  ],
])('%s', (_name, changes, problems) => {
  const found = problemsOf(changes);
  expect(found).toHaveLength(problems.length);
  problems.forEach((problem, place) => expect(found[place]).toContain(problem));
});

test('the words of all spellings are never more than was told', () => {
  const word = fc.constantFrom('a', "i'm", 'b|c', 'd?', "can't|won't", 'e|f?');
  const part = fc.array(word, { minLength: 1, maxLength: 4 }).map((slots) => ['x', ...slots].join(' '));
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(' ... ', ' / '),
      (parts, by) => {
        const text = parts.join(by);
        const all = readPatterns(text).flat(2);
        const spelled = all.reduce((sum, spelling) => sum + spelling.length, 0);
        expect(spelled).toBeLessThanOrEqual(spelledWords(text));
      },
    ),
  );
});

test('whatever rules are taken, an analysis by them is linear', () => {
  const word = fc.constantFrom('a', 'b', 'a|b');
  const part = fc.array(word, { minLength: 1, maxLength: 2 }).map((words) => words.join(' '));
  const pattern = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(' ... '));
  const text = fc.array(fc.constantFrom('a', 'b', '\n'), { minLength: 1, maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 80, size: 'max' }), text, (phrases, words) => {
      let rules;
      try {
        rules = readOwnRules(content({ categories: [category('A', [], phrases)] }), 1);
      } catch (error) {
        if (error instanceof RulesInvalid) return;
        throw error;
      }
      const analysis = new Analysis({ rules });
      analysis.push(Buffer.from(words.join(' ')));
      analysis.end();
      // One move forward, one back for each before it, and the parts that a word may belong to.
      expect(analysis.steps).toBeLessThanOrEqual(42 * words.length);
    }),
    { numRuns: 50 },
  );
});
