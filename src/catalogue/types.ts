import 'reflect-metadata';
import { ArgsType, createUnionType, Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { PatternRow } from '../../projections/catalogue/queries.js';
import { MAX_TAGS } from './events.js';
import { connectionOf, PageArgs } from '../graphql/kit/pages.js';
import { Cost, Range, Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { Node } from '../graphql/kit/node.js';
import { NotFound, PlanRequired } from '../graphql/kit/refusals.js';

/** Numbered pages are counted through from the beginning. */
const MAX_PAGE_NUMBER = 10_000;

@ObjectType({ simpleResolvers: true, description: 'Source code or a schema that shows a pattern.' })
export class PatternExample {
  @Field(() => String, { description: 'E.g. `typescript`, `sql`, `yaml`.' })
  language!: string;

  // The longest texts there are: for nothing, under fifty aliases, a page of them makes tens of megabytes.
  @Cost(1)
  @Field(() => String, { description: 'The text, with line breaks.' })
  text!: string;
}

@ObjectType({ implements: Node, simpleResolvers: true, description: 'An entry of the catalogue.' })
export class Pattern extends Node {
  @Field(() => String, { description: 'Names the pattern in addresses, e.g. `circuit-breaker`.' })
  slug!: string;

  @Field(() => String, { description: 'The name for people, e.g. `Circuit Breaker`.' })
  name!: string;

  @Field(() => String, { description: 'E.g. `cloud-resilience`; `categories` lists them.' })
  category!: string;

  @Field(() => String, {
    description: 'Which plans may see it: `community`, `basic`, `premium` or `enterprise`.',
  })
  tier!: string;

  @Sized({ assumedSize: MAX_TAGS })
  @Field(() => [String], { description: 'Key words, at most 8.' })
  tags!: readonly string[];

  @Field(() => String, { description: 'What it is, when to use it and when not.' })
  description!: string;

  @Field(() => PatternExample, { nullable: true, description: 'An example, where one helps.' })
  example!: PatternExample | null;

  @Field(() => DateTimeISO, { description: 'When it entered the catalogue.' })
  publishedAt!: Date;

  @Field(() => DateTimeISO, { description: 'When its content last changed.' })
  revisedAt!: Date;
}

export function patternOf(row: PatternRow): Pattern {
  return Object.assign(new Pattern(), {
    id: row.id,
    slug: row.slug,
    name: row.name,
    category: row.category,
    tier: row.tier,
    tags: row.tags,
    description: row.description,
    example:
      row.example_language === null ? null : { language: row.example_language, text: row.example_text },
    publishedAt: new Date(row.published_at),
    revisedAt: new Date(row.revised_at),
  });
}

export const PatternResult = createUnionType({
  name: 'PatternResult',
  description: 'A pattern, or why there is none.',
  types: () => [Pattern, PlanRequired, NotFound] as const,
});

export const PatternConnection = connectionOf(Pattern, {
  entry: 'Pattern',
  one: 'pattern',
  many: 'patterns',
});

@ArgsType()
export class PatternsArgs extends PageArgs {
  @Range(1, MAX_PAGE_NUMBER)
  @Field(() => Int, {
    nullable: true,
    description: `In place of \`after\`: the page of this number, 1 to ${MAX_PAGE_NUMBER}, of \`first\` patterns each.`,
  })
  page?: number | null;

  @Field(() => String, { nullable: true, description: 'Only this category.' })
  category?: string | null;
}

/** What a search goes by. */
export enum SearchMode {
  FUSED = 'FUSED',
  MEANING = 'MEANING',
}
registerEnumType(SearchMode, {
  name: 'SearchMode',
  description: 'What a search goes by. New values may be added.',
  valuesConfig: {
    FUSED: { description: 'Words, similar names and meaning together.' },
    MEANING: { description: 'Meaning alone, the most similar first; words where there is no model.' },
  },
});

@ObjectType({ simpleResolvers: true, description: 'Ranks of a hit, from 1, in each way of searching.' })
export class SearchRanks {
  @Field(() => Int, { nullable: true, description: 'By words (full text).' })
  text!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'By a similar name (trigrams), for queries of up to 3 words.',
  })
  name!: number | null;

  @Field(() => Int, { nullable: true, description: 'By meaning (vectors).' })
  meaning!: number | null;
}

@ObjectType({ simpleResolvers: true, description: 'A pattern that fits a query.' })
export class SearchHit {
  @Field(() => Pattern, { description: 'The pattern that was found.' })
  pattern!: Pattern;

  @Field(() => Float, { description: 'Orders the hits: the weighted sum of reciprocal ranks.' })
  score!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Cosine of query and pattern, −1 to 1, also for hits by words. Null while no vector exists.',
  })
  similarityScore!: number | null;

  @Field(() => SearchRanks, { description: 'Where each way of searching put it.' })
  ranks!: SearchRanks;
}

@ObjectType({
  simpleResolvers: true,
  description: 'The answer to a search; no hits means that nothing fits.',
})
export class PatternSearch {
  @Field(() => [SearchHit], { description: 'The best first.' })
  hits!: SearchHit[];

  @Field(() => Boolean, { description: 'True when the search was by words alone, for want of a model.' })
  degraded!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'A category of the catalogue.' })
export class Category {
  @Field(() => String, {
    description: 'Its name in addresses, for the argument `category`, e.g. `cloud-resilience`.',
  })
  slug!: string;

  @Field(() => Int, { description: 'How many of its patterns the plan includes.' })
  patternCount!: number;
}
