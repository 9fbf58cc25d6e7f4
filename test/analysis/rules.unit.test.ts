import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPatterns } from '../../src/analysis/notation.js';
import { loadRuleSet } from '../../src/analysis/ruleFiles.js';
import { RulesInvalid, readRuleSet } from '../../src/analysis/rules.js';
import { readAnalysisSettings } from '../../src/analysis/settings.js';
import { rules } from './scan.js';

const SET = {
  version: 1,
  defaultLanguage: 'en',
  categories: { A: 'First.', B: 'Second.' },
  sequences: [['A', 'B']],
  window: 6,
};
const EN = {
  language: 'en',
  common: ['the'],
  categories: { A: { tokens: ['a'], phrases: [] }, B: { tokens: [], phrases: ['b c'] } },
};

function problemsOf(set: unknown, ...languages: unknown[]): readonly string[] {
  try {
    readRuleSet(set, new Map(languages.map((content, index) => [`file${index}`, content])));
  } catch (error) {
    if (error instanceof RulesInvalid) return error.problems;
    throw error;
  }
  return [];
}

describe('rule sets', () => {
  test('the one that ships has the patterns that the notes count', () => {
    const counts = [...(rules.languages.get('en')?.categories ?? [])].map(
      ([name, { tokens, phrases }]) => `${name} ${tokens.length} ${phrases.length}`,
    );
    expect(counts.sort()).toEqual([
      'BOUNDARY_LANGUAGE 4 4',
      'CONTROL_ACCESS 7 3',
      'HARM_LANGUAGE 6 2',
      'PROTECTOR_CLAIM 2 4',
      'SURVEILLANCE_CLAIM 6 3',
      'THREAT_OF_EXPOSURE 3 3',
    ]);
    expect([...rules.languages.keys()].sort()).toEqual(['de', 'en', 'es', 'fr']);
  });

  test.each([
    ['nothing is wrong', SET, [EN], []],
    ['a category without words', SET, [{ ...EN, categories: { A: EN.categories.A } }], ['en: nothing for B']],
    [
      'words of no category',
      SET,
      [{ ...EN, categories: { ...EN.categories, C: EN.categories.A } }],
      ['en: C is no category of the set'],
    ],
    [
      'no file of the default language',
      { ...SET, defaultLanguage: 'de' },
      [EN],
      ['defaultLanguage "de" has no file'],
    ],
    ['a language twice', SET, [EN, EN], ['the language "en" has two files']],
    [
      'a common word of two languages',
      SET,
      [EN, { ...EN, language: 'de' }],
      ['"the" is common in en and in de'],
    ],
    [
      'a sequence of nothing',
      { ...SET, sequences: [['A', 'X']] },
      [EN],
      ['the sequence A -> X: X is no category'],
    ],
    [
      'a description with a control character',
      { ...SET, categories: { A: 'Fi\0rst.', B: 'Second.' } },
      [EN],
      ['set: categories.A: holds a control character.'],
    ],
    [
      'a pattern of two lines',
      SET,
      [{ ...EN, categories: { ...EN.categories, A: { tokens: ['a\nb'], phrases: [] } } }],
      ['file0: categories.A.tokens.0: must be one line, without tabs.'],
    ],
    [
      'half a surrogate pair',
      SET,
      [{ ...EN, common: ['\ud800'] }],
      ['file0: common.0: is not well-formed Unicode: it holds half of a surrogate pair.'],
    ],
    [
      'a window of nothing',
      { ...SET, window: 0 },
      [EN],
      ['set: window: Too small: expected number to be >=1'],
    ],
  ])('%s', (_name, set, languages, problems) => {
    expect(problemsOf(set, ...languages)).toEqual(problems);
  });

  test('too much is refused', () => {
    const phrases = Array.from({ length: 201 }, () => 'x ... y');
    const many = { ...EN, categories: { ...EN.categories, A: { tokens: [], phrases } } };
    expect(problemsOf(SET, many)).toEqual([expect.stringContaining('Too big')]);
    const two = {
      ...EN,
      categories: Object.fromEntries(['A', 'B'].map((n) => [n, { tokens: [], phrases: phrases.slice(1) }])),
    };
    expect(problemsOf(SET, two)).toEqual(['at most 200 patterns may have a gap, and there are 400']);
  });
});

describe('notation', () => {
  const spelt = (text: string): string[] =>
    readPatterns(text).map((parts) =>
      parts.map((part) => part.map((words) => words.join(' ')).join('|')).join(' ... '),
    );

  test.each([
    ['stop', ['stop']],
    ['keep|kept you safe', ['keep you safe|kept you safe']],
    ['to please? stop', ['to please stop|to stop']],
    ["can't go", ['can t go|cant go']],
    ['i was ... scared / duress', ['i was ... scared', 'duress']],
  ])('%s', (text, patterns) => expect(spelt(text)).toEqual(patterns));

  test.each([
    ['', 'is no word'],
    ['a||b', 'is no word'],
    ['a?b', 'is no word'],
    ['a? b?', 'may be empty'],
    ['a ... ', 'is no word'],
    ['a.b', 'more than one word'],
    ['!', 'neither letter nor digit'],
    ['a ... b ... c ... d ... e', 'gaps'],
    [Array(11).fill('a|b').join(' '), 'spellings'],
    [Array(17).fill('a').join(' '), 'words in a row'],
  ])('%j is refused', (text, reason) => expect(() => readPatterns(text)).toThrow(reason));
});

test('files that are not UTF-8 are named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rules-'));
  try {
    const file = join(folder, 'set.yaml');
    await writeFile(file, Buffer.from('version: 1 # \u00fc', 'latin1'));
    for (const read of [loadRuleSet(folder), readAnalysisSettings(file)]) {
      await expect(read).rejects.toThrow(`${file}: is not UTF-8`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
