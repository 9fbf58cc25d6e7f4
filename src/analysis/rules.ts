import { z } from 'zod';
import { zodText } from '../text/zodText.js';
import type { Pattern } from './notation.js';
import { readPatterns } from './notation.js';
import { wordsOf } from './words.js';

/** Hits of an entry are bits of a number. */
export const MAX_CATEGORIES = 30;
export const MAX_SEQUENCES = 30;
export const MAX_WINDOW = 100;
export const MAX_LANGUAGES = 20;
/** Of each category and strength, in each language. */
export const MAX_PATTERNS = 200;
/** Patterns with a gap, in all languages together: each is followed through a line. */
const MAX_GAPS = 200;
const MAX_PATTERN_LENGTH = 500;
export const MAX_COMMON = 100;

export const CATEGORY_NAME = /^[A-Z][A-Z0-9_]{0,39}$/;
export const LANGUAGE_CODE = /^[a-z]{2,3}$/;
const CategoryName = z.string().regex(CATEGORY_NAME, 'must be in capitals, like HARM_LANGUAGE');
const Language = z.string().regex(LANGUAGE_CODE, 'must be the code of a language, like "en"');

const RuleSetFile = z.strictObject({
  version: z.number().int().positive(),
  /** Taken where a text shows no language. */
  defaultLanguage: Language,
  /** Each with a sentence on what it means. */
  categories: z.record(CategoryName, zodText({ min: 1, max: 500 })),
  sequences: z.array(z.tuple([CategoryName, CategoryName])).max(MAX_SEQUENCES),
  /** Events behind the first in which the second may stand. */
  window: z.number().int().min(1).max(MAX_WINDOW),
});

const patterns = z
  .array(zodText({ min: 1, max: MAX_PATTERN_LENGTH }))
  .max(MAX_PATTERNS)
  .transform((texts, context) =>
    texts.map((text) => {
      try {
        return readPatterns(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    }),
  );

const LanguageFile = z.strictObject({
  language: Language,
  /** Frequent words by which the language is known among several; none may be another language's too. */
  common: z.array(zodText({ min: 1, max: 30 })).max(MAX_COMMON),
  categories: z.record(CategoryName, z.strictObject({ tokens: patterns, phrases: patterns })),
});

/** The rules of a category in one language: a pattern may have several alternatives. */
export interface CategoryRules {
  /** Weak: what may mean something else. */
  readonly tokens: readonly (readonly Pattern[])[];
  /** Strong. */
  readonly phrases: readonly (readonly Pattern[])[];
}

export interface LanguageRules {
  readonly language: string;
  readonly common: readonly string[];
  readonly categories: ReadonlyMap<string, CategoryRules>;
}

/** What a scanner looks for. */
export interface RuleSet {
  readonly version: number;
  readonly defaultLanguage: string;
  /** By name, in alphabetical order, with its description. */
  readonly categories: ReadonlyMap<string, string>;
  readonly sequences: readonly (readonly [string, string])[];
  readonly window: number;
  readonly languages: ReadonlyMap<string, LanguageRules>;
}

/** Rules cannot be used, for the reasons in the message, a line each. */
export class RulesInvalid extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'RulesInvalid';
  }
}

/**
 * Checks the content of a rule set's files: `set` and one for each language, by the file's name.
 * @throws RulesInvalid that names every problem
 */
export function readRuleSet(set: unknown, languages: ReadonlyMap<string, unknown>): RuleSet {
  const problems: string[] = [];
  const parsed = parse(RuleSetFile, set, 'set', problems);
  const files = [...languages].map(([file, content]) => parse(LanguageFile, content, file, problems));
  if (!parsed || files.includes(undefined)) throw new RulesInvalid(problems);
  const names = Object.keys(parsed.categories).sort();
  const all = new Map<string, LanguageRules>();
  for (const file of files as z.infer<typeof LanguageFile>[]) {
    const { language, common } = file;
    const categories = new Map(Object.entries(file.categories));
    if (all.has(language)) problems.push(`the language "${language}" has two files`);
    for (const name of names) if (!categories.has(name)) problems.push(`${language}: nothing for ${name}`);
    for (const name of categories.keys()) {
      if (!names.includes(name)) problems.push(`${language}: ${name} is no category of the set`);
    }
    const words = common.map((word) => wordsOf(word));
    if (words.some(({ length }) => length !== 1)) problems.push(`${language}: "common" takes single words`);
    if (files.length > 1 && common.length === 0) {
      problems.push(`${language}: "common" needs words, by which it is told from the other languages`);
    }
    all.set(language, { language, common: words.flat(), categories });
  }
  check(parsed, names, all, problems);
  if (problems.length > 0) throw new RulesInvalid(problems);
  const categories = new Map(names.map((name) => [name, parsed.categories[name] as string]));
  return { ...parsed, categories, languages: all };
}

function check(
  { defaultLanguage, sequences }: z.infer<typeof RuleSetFile>,
  names: readonly string[],
  languages: ReadonlyMap<string, LanguageRules>,
  problems: string[],
): void {
  if (names.length === 0 || names.length > MAX_CATEGORIES) {
    problems.push(`there must be 1 to ${MAX_CATEGORIES} categories`);
  }
  if (languages.size > MAX_LANGUAGES) problems.push(`at most ${MAX_LANGUAGES} languages`);
  if (!languages.has(defaultLanguage)) problems.push(`defaultLanguage "${defaultLanguage}" has no file`);
  for (const [first, second] of sequences) {
    for (const name of [first, second]) {
      if (!names.includes(name)) problems.push(`the sequence ${first} -> ${second}: ${name} is no category`);
    }
  }
  const known = new Map<string, string>();
  let gaps = 0;
  for (const { language, common, categories } of languages.values()) {
    for (const word of common) {
      const other = known.get(word);
      if (other !== undefined) problems.push(`"${word}" is common in ${other} and in ${language}`);
      known.set(word, language);
    }
    for (const { tokens, phrases } of categories.values()) {
      gaps += [...tokens, ...phrases].flat().filter((pattern) => pattern.length > 1).length;
    }
  }
  if (gaps > MAX_GAPS) problems.push(`at most ${MAX_GAPS} patterns may have a gap, and there are ${gaps}`);
}

function parse<T>(schema: z.ZodType<T>, content: unknown, file: string, problems: string[]): T | undefined {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  problems.push(...parsed.error.issues.map((i) => `${file}: ${i.path.join('.') || 'file'}: ${i.message}`));
  return undefined;
}
