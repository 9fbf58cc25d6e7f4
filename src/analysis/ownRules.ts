import { automatonOf, worstParts } from './automaton.js';
import { spelledWords } from './notation.js';
import type { RuleSet } from './rules.js';
import { CATEGORY_NAME, LANGUAGE_CODE, readRuleSet, RulesInvalid } from './rules.js';

/** Of all rules of a set, as JSON. */
export const MAX_RULES_BYTES = 64 * 1024;
/** Words of all spellings of a set's patterns: what it takes to build its automaton. */
const MAX_SPELLED_WORDS = 20_000;
/** Parts of patterns with gaps that one word may belong to: each is followed whenever the word comes. */
const MAX_PARTS_OF_WORD = 40;

/** The rules of an account, as it has given them. */
export interface RulesContent {
  /** Taken where a text shows no language. */
  readonly defaultLanguage: string;
  /** Events behind the first of a sequence in which the second may stand. */
  readonly window: number;
  readonly categories: readonly OwnCategory[];
  readonly sequences: readonly { readonly first: string; readonly second: string }[];
  /** Words by which languages are told from each other. */
  readonly languages: readonly OwnLanguage[];
}

interface OwnCategory {
  readonly name: string;
  readonly description: string;
  readonly patterns: readonly OwnPatterns[];
}

/** What of a category is looked for in one language. */
interface OwnPatterns {
  readonly language: string;
  readonly tokens: readonly string[];
  readonly phrases: readonly string[];
}

interface OwnLanguage {
  readonly language: string;
  readonly common: readonly string[];
}

/** One version of an account's rules, for whoever analyses by it. */
export interface OwnRules {
  /** Of the set, as answers show it. */
  readonly id: string;
  readonly version: number;
  readonly content: RulesContent;
}

/** The languages that rules have patterns for. */
export const languagesIn = ({ categories }: RulesContent): string[] => [
  ...new Set(categories.flatMap(({ patterns }) => patterns.map(({ language }) => language))),
];

/**
 * Checks an account's rules, and reads them: whatever they say, they take little to read, and analyses by them are
 * linear in the file.
 * @throws RulesInvalid that names every problem
 */
export function readOwnRules(content: RulesContent, version: number): RuleSet {
  const problems = problemsOf(content);
  // Before anything is spelled out: a line of alternatives can stand for millions of words.
  if (problems.length > 0) throw new RulesInvalid(problems);
  const { defaultLanguage, window, categories, sequences } = content;
  const set = {
    version,
    defaultLanguage,
    window,
    categories: Object.fromEntries(categories.map(({ name, description }) => [name, description])),
    sequences: sequences.map(({ first, second }) => [first, second]),
  };
  const rules = readRuleSet(set, filesOf(content));
  const parts = worstParts(automatonOf(rules, [...rules.languages.values()]));
  if (parts > MAX_PARTS_OF_WORD) {
    throw new RulesInvalid([
      `one word is part of ${parts} patterns with a gap (" ... "), and at most ${MAX_PARTS_OF_WORD} may share one: make longer phrases of them`,
    ]);
  }
  return rules;
}

function problemsOf(content: RulesContent): string[] {
  const { categories, languages, defaultLanguage } = content;
  const bytes = Buffer.byteLength(JSON.stringify(content));
  if (bytes > MAX_RULES_BYTES) {
    return [`the rules have ${bytes} bytes as JSON, and at most ${MAX_RULES_BYTES} are taken`];
  }
  if (categories.length === 0) return ['there must be at least one category'];
  const patterns = categories.flatMap((category) => category.patterns);
  const words = patterns
    .flatMap(({ tokens, phrases }) => [...tokens, ...phrases])
    .reduce((sum, text) => sum + spelledWords(text), 0);
  if (words > MAX_SPELLED_WORDS) {
    return [
      `all spellings of the patterns have ${words} words together, and at most ${MAX_SPELLED_WORDS} are taken`,
    ];
  }
  const known = languagesIn(content);
  return [
    ...categories
      .filter(({ name }) => !CATEGORY_NAME.test(name))
      .map(({ name }) => `"${name}" is no name of a category: it must be in capitals, like HARM_LANGUAGE`),
    ...[...new Set([...known, defaultLanguage])]
      .filter((code) => !LANGUAGE_CODE.test(code))
      .map((code) => `"${code}" is no code of a language, like "en"`),
    ...twice(
      categories.map(({ name }) => name),
      'there are two categories',
    ),
    ...twice(
      languages.map(({ language }) => language),
      '"languages" has twice',
    ),
    ...categories.flatMap((category) => [
      ...twice(
        category.patterns.map(({ language }) => language),
        `${category.name} has patterns twice for`,
      ),
      ...(category.patterns.some(({ tokens, phrases }) => tokens.length + phrases.length > 0)
        ? []
        : [`${category.name} has no patterns`]),
    ]),
    ...languages
      .filter(({ language }) => !known.includes(language))
      .map(({ language }) => `"languages" has "${language}", for which there are no patterns`),
    ...(!known.includes(defaultLanguage)
      ? [`"defaultLanguage" is "${defaultLanguage}", for which there are no patterns`]
      : []),
  ];
}

const twice = (names: readonly string[], what: string): string[] =>
  [...new Set(names.filter((name, place) => names.indexOf(name) !== place))].map(
    (name) => `${what} "${name}"`,
  );

/** As rule sets have it: what a category looks for, by language. */
function filesOf(content: RulesContent): Map<string, unknown> {
  const { categories, languages } = content;
  return new Map(
    languagesIn(content).map((language) => {
      const common = languages.find((one) => one.language === language)?.common ?? [];
      const ofLanguage = categories.map(({ name, patterns }) => {
        const { tokens = [], phrases = [] } = patterns.find((one) => one.language === language) ?? {};
        return [name, { tokens, phrases }] as const;
      });
      return [language, { language, common, categories: Object.fromEntries(ofLanguage) }];
    }),
  );
}
