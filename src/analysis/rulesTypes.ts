import 'reflect-metadata';
import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { Cost, Sized } from '../graphql/cost/directives.js';
import type { RulesContent } from './ownRules.js';
import { languagesIn } from './ownRules.js';
import type { RuleSet } from './rules.js';
import {
  MAX_CATEGORIES,
  MAX_COMMON,
  MAX_LANGUAGES,
  MAX_PATTERNS,
  MAX_SEQUENCES,
  MAX_WINDOW,
} from './rules.js';

const WINDOW = 6;
const LANGUAGE = 'en';

const TEXTS = {
  rules:
    'Categories of words and phrases, and which of them in a row are worth a row. Nothing that they say makes an analysis slow: each word of a file is looked at once.',
  defaultLanguage: 'Code of the language that is taken where a text shows none, e.g. `en`.',
  window: `Entries with findings behind the first of a sequence in which the second may stand, 1 to ${MAX_WINDOW}.`,
  categories: `Categories, 1 to ${MAX_CATEGORIES}.`,
  sequences: `Sequences, at most ${MAX_SEQUENCES}.`,
  languages: 'Words by which several languages are told from each other.',
  categoryName: 'Name in capitals, e.g. `HARM_LANGUAGE`, at most 40 characters.',
  categoryDescription: 'What it means, for people, 1 to 500 characters.',
  patterns: 'What is looked for, by language.',
  language: 'Code of the language: two or three letters, e.g. `en`.',
  tokens: `Weak patterns, at most ${MAX_PATTERNS}: what may mean something else.`,
  phrases: `Strong patterns, at most ${MAX_PATTERNS}. An entry has one hit of each category, and a phrase goes before a token.`,
  first: 'Name of the category that comes first.',
  second: 'Name of the category that follows.',
  common: `Frequent words that no other language of the set has, at most ${MAX_COMMON}.`,
} as const;

const NOTATION =
  'Words in a row, in any case: `a|b` for either word, `a?` for a word that may be missing, ` ... ` for anything within the line, ` / ` between alternatives.';

@InputType({ description: `What a category looks for in one language. ${NOTATION}` })
export class RulePatternsInput {
  @Field(() => String, { defaultValue: LANGUAGE, description: TEXTS.language })
  language!: string;

  @Field(() => [String], { defaultValue: [], description: TEXTS.tokens })
  tokens!: string[];

  @Field(() => [String], { defaultValue: [], description: TEXTS.phrases })
  phrases!: string[];
}

@InputType({ description: 'A category of words and phrases.' })
export class RuleCategoryInput {
  @Field(() => String, { description: TEXTS.categoryName })
  name!: string;

  @Field(() => String, { description: TEXTS.categoryDescription })
  description!: string;

  @Field(() => [RulePatternsInput], { description: TEXTS.patterns })
  patterns!: RulePatternsInput[];
}

@InputType({ description: 'Two categories that are worth a row where the second follows the first.' })
export class RuleSequenceInput {
  @Field(() => String, { description: TEXTS.first })
  first!: string;

  @Field(() => String, { description: TEXTS.second })
  second!: string;
}

@InputType({ description: 'Words by which a language is known.' })
export class RuleLanguageInput {
  @Field(() => String, { description: TEXTS.language })
  language!: string;

  @Field(() => [String], { description: TEXTS.common })
  common!: string[];
}

@InputType({ description: TEXTS.rules })
export class RuleSetRulesInput {
  @Field(() => String, { defaultValue: LANGUAGE, description: TEXTS.defaultLanguage })
  defaultLanguage!: string;

  @Field(() => Int, { defaultValue: WINDOW, description: TEXTS.window })
  window!: number;

  @Field(() => [RuleCategoryInput], { description: TEXTS.categories })
  categories!: RuleCategoryInput[];

  @Field(() => [RuleSequenceInput], { defaultValue: [], description: TEXTS.sequences })
  sequences!: RuleSequenceInput[];

  @Field(() => [RuleLanguageInput], {
    defaultValue: [],
    description: `${TEXTS.languages} Languages of the service that are left out have the service's own.`,
  })
  languages!: RuleLanguageInput[];
}

@Cost(0)
@ObjectType({ simpleResolvers: true, description: `What a category looks for in one language. ${NOTATION}` })
export class RulePatterns {
  @Field(() => String, { description: TEXTS.language })
  language!: string;

  @Sized({ assumedSize: MAX_PATTERNS })
  @Field(() => [String], { description: TEXTS.tokens })
  tokens!: string[];

  @Sized({ assumedSize: MAX_PATTERNS })
  @Field(() => [String], { description: TEXTS.phrases })
  phrases!: string[];
}

@Cost(0)
@ObjectType({ simpleResolvers: true, description: 'A category of words and phrases.' })
export class RuleCategory {
  @Field(() => String, { description: TEXTS.categoryName })
  name!: string;

  @Field(() => String, { description: TEXTS.categoryDescription })
  description!: string;

  @Sized({ assumedSize: MAX_LANGUAGES })
  @Field(() => [RulePatterns], { description: TEXTS.patterns })
  patterns!: RulePatterns[];
}

@Cost(0)
@ObjectType({
  simpleResolvers: true,
  description: 'Two categories that are worth a row where the second follows the first.',
})
export class RuleSequence {
  @Field(() => String, { description: TEXTS.first })
  first!: string;

  @Field(() => String, { description: TEXTS.second })
  second!: string;
}

@Cost(0)
@ObjectType({ simpleResolvers: true, description: 'Words by which a language is known.' })
export class RuleLanguage {
  @Field(() => String, { description: TEXTS.language })
  language!: string;

  @Sized({ assumedSize: MAX_COMMON })
  @Field(() => [String], { description: TEXTS.common })
  common!: string[];
}

@Cost(0)
@ObjectType({ simpleResolvers: true, description: TEXTS.rules })
export class RuleSetRules {
  @Field(() => String, { description: TEXTS.defaultLanguage })
  defaultLanguage!: string;

  @Field(() => Int, { description: TEXTS.window })
  window!: number;

  @Sized({ assumedSize: MAX_CATEGORIES })
  @Field(() => [RuleCategory], { description: TEXTS.categories })
  categories!: RuleCategory[];

  @Sized({ assumedSize: MAX_SEQUENCES })
  @Field(() => [RuleSequence], { description: TEXTS.sequences })
  sequences!: RuleSequence[];

  @Sized({ assumedSize: MAX_LANGUAGES })
  @Field(() => [RuleLanguage], { description: TEXTS.languages })
  languages!: RuleLanguage[];
}

/** Rules as they are stored: they depend on nothing that the service may change. */
export function contentOf(input: RuleSetRulesInput, service: RuleSet): RulesContent {
  const given: RulesContent = {
    defaultLanguage: input.defaultLanguage,
    window: input.window,
    categories: input.categories.map(({ name, description, patterns }) => ({
      name,
      description,
      patterns: patterns.map(({ language, tokens, phrases }) => ({ language, tokens, phrases })),
    })),
    sequences: input.sequences.map(({ first, second }) => ({ first, second })),
    languages: input.languages.map(({ language, common }) => ({ language, common })),
  };
  const missing = languagesIn(given).flatMap((language) => {
    const common = service.languages.get(language)?.common;
    const known = given.languages.some((one) => one.language === language);
    return common === undefined || known ? [] : [{ language, common }];
  });
  return { ...given, languages: [...given.languages, ...missing] };
}
