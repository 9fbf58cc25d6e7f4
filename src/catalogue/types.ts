import 'reflect-metadata';
import {
  ArgsType,
  createUnionType,
  Extensions,
  Field,
  Float,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from 'type-graphql';
import type { Horizon, PatternRow } from '../../projections/catalogue/queries.js';
import { MAX_TIERS } from '../plans/profile.js';
import { MAX_TAGS } from './events.js';
import { connectionOf, PageArgs, PageInfo } from '../graphql/kit/pages.js';
import { Cost, Range, Sized } from '../graphql/cost/directives.js';
import { DateTimeISO } from '../graphql/kit/dateTime.js';
import { IdOf } from '../graphql/kit/ids.js';
import { Node } from '../graphql/kit/node.js';
import { NotFound, PlanRequired } from '../graphql/kit/refusals.js';

/** Numbered pages are counted through from the beginning. */
const MAX_PAGE_NUMBER = 10_000;
/** More than there are; they come from the folders of the catalogue. */
export const MAX_CATEGORIES = 100;

@ObjectType({ simpleResolvers: true, description: 'Source code or a schema that illustrates a pattern.' })
export class PatternExample {
  @Field(() => String, { description: 'Language of the text, e.g. `typescript`, `sql` or `yaml`.' })
  language!: string;

  // The longest texts there are: for nothing, under fifty aliases, a page of them makes tens of megabytes.
  @Cost(1)
  @Field(() => String, { description: 'The example, with line breaks.' })
  text!: string;
}

@ObjectType({ implements: Node, simpleResolvers: true, description: 'A pattern of the catalogue.' })
export class Pattern extends Node {
  @Field(() => String, { description: 'Name in URLs, e.g. `circuit-breaker`. Unique.' })
  slug!: string;

  @Field(() => String, { description: 'Display name, e.g. `Circuit Breaker`.' })
  name!: string;

  @Field(() => String, {
    description: 'Slug of the category, e.g. `cloud-resilience`. `categories` lists all.',
  })
  category!: string;

  @Field(() => String, {
    description:
      'Tier that a plan must include to see the pattern: `community`, `basic`, `premium` or `enterprise`.',
  })
  tier!: string;

  @Sized({ assumedSize: MAX_TAGS })
  @Field(() => [String], { description: 'Keywords, at most 8.' })
  tags!: readonly string[];

  @Field(() => String, { description: 'What the pattern is, when to use it, and when not to.' })
  description!: string;

  @Field(() => PatternExample, { nullable: true, description: 'An example. Null if there is none.' })
  example!: PatternExample | null;

  @Field(() => DateTimeISO, { description: 'When it was first published.' })
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
  description: 'The pattern, or the reason why you do not get it.',
  types: () => [Pattern, PlanRequired, NotFound] as const,
});

export const PatternConnection = connectionOf(Pattern, {
  entry: 'Pattern',
  one: 'pattern',
  many: 'patterns',
});

@InputType({ description: 'Selects patterns. All given conditions must hold.' })
export class PatternFilter {
  @Field(() => String, {
    nullable: true,
    description: 'Slug of the category, e.g. `security`. `categories` lists all.',
  })
  category?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The tier: `community`, `basic`, `premium` or `enterprise`.',
  })
  tier?: string | null;
}

export enum PatternOrder {
  MOST_USED = 'most used',
  NEWEST = 'newest',
}
registerEnumType(PatternOrder, {
  name: 'PatternOrder',
  description: 'The order of a list of patterns.',
  valuesConfig: {
    MOST_USED: { description: 'The most used first, then the newest.' },
    NEWEST: { description: 'The newest first.' },
  },
});

@Extensions({ oneOf: true })
@InputType({ description: 'Names one pattern. Give exactly one field.' })
export class PatternBy {
  @IdOf('Pattern')
  @Field(() => ID, { nullable: true, description: 'The id, e.g. `pat_…`.' })
  id?: string | null;

  @Field(() => String, { nullable: true, description: 'The slug, e.g. `circuit-breaker`.' })
  slug?: string | null;

  @Field(() => Int, { nullable: true, description: 'The number in the order of publication, from 1.' })
  number?: number | null;
}

/** What a search goes by. */
export enum SearchMode {
  FUSED = 'FUSED',
  MEANING = 'MEANING',
}
registerEnumType(SearchMode, {
  name: 'SearchMode',
  description: 'How patterns are searched.',
  valuesConfig: {
    FUSED: { description: 'Words, similar names and meaning combined.' },
    MEANING: {
      description: 'Only meaning, most similar first. Falls back to words if there is no embedding model.',
    },
  },
});

@ArgsType()
export class PatternsArgs extends PageArgs {
  @Range(1, MAX_PAGE_NUMBER)
  @Field(() => Int, {
    nullable: true,
    description: `Page number, 1 to ${MAX_PAGE_NUMBER}, as an alternative to \`after\`. Each page has \`first\` patterns.`,
  })
  page?: number | null;

  @Field(() => PatternFilter, { nullable: true, description: 'Selects patterns; by default all.' })
  filter?: PatternFilter | null;

  @Field(() => PatternOrder, {
    defaultValue: PatternOrder.MOST_USED,
    description: 'Order of the list.',
  })
  orderBy!: PatternOrder;
}

export const MAX_HITS = 100;

@ArgsType()
export class SearchArgs {
  @Field(() => String, { description: 'Words or a question, 1 to 500 characters.' })
  query!: string;

  @Range(1, MAX_HITS)
  @Field(() => Int, { defaultValue: 10, description: `Page size, 1 to ${MAX_HITS}.` })
  first!: number;

  @Field(() => String, {
    nullable: true,
    description: 'Cursor to continue after: `endCursor` of the previous page of the same query and filter.',
  })
  after?: string | null;

  @Field(() => PatternFilter, { nullable: true, description: 'Selects patterns; by default all.' })
  filter?: PatternFilter | null;

  @Field(() => SearchMode, { defaultValue: SearchMode.FUSED, description: 'How to search.' })
  mode!: SearchMode;
}

@ObjectType({
  simpleResolvers: true,
  description: 'Ranks of a result in each way of searching, starting at 1. Null where it was not found.',
})
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

@ObjectType({ simpleResolvers: true, description: 'A search result, and how well it matches.' })
export class PatternSearchEdge {
  @Field(() => String, { description: 'Opaque cursor. Pass it as `after` to continue after this result.' })
  cursor!: string;

  @Field(() => Pattern, { description: 'The pattern that was found.' })
  node!: Pattern;

  @Field(() => Float, {
    description:
      'The results are ordered by it: the weighted sum of reciprocal ranks. Comparable only within one query.',
  })
  score!: number;

  @Field(() => Float, {
    nullable: true,
    description:
      'Cosine similarity of query and pattern, −1 to 1, also for results found by words. Null if the pattern has no vector yet.',
  })
  similarity!: number | null;

  @Field(() => SearchRanks, { description: 'Rank in each way of searching.' })
  ranks!: SearchRanks;
}

@ObjectType({ simpleResolvers: true, description: 'A value, and how many results have it.' })
export class FacetCount {
  @Field(() => String, { description: 'The value: pass it to the filter.' })
  value!: string;

  @Field(() => Int, { description: 'Number of results with this value, over all pages.' })
  count!: number;
}

@ObjectType({ simpleResolvers: true, description: 'Counts of the results of a search, over all pages.' })
export class PatternFacets {
  @Sized({ assumedSize: MAX_CATEGORIES })
  @Field(() => [FacetCount], { description: 'By category, the most frequent first.' })
  categories!: readonly FacetCount[];

  @Sized({ assumedSize: MAX_TIERS })
  @Field(() => [FacetCount], { description: 'By tier, the most frequent first.' })
  tiers!: readonly FacetCount[];
}

@ObjectType({ description: 'A page of search results. Empty if nothing matches.' })
export class PatternSearchConnection {
  @Field(() => [PatternSearchEdge], { description: 'The results, the best first.' })
  edges!: PatternSearchEdge[];

  @Field(() => [Pattern], { description: 'The patterns alone, the best first.' })
  nodes!: Pattern[];

  @Field(() => PageInfo, { description: 'Position of this page, and whether there are more.' })
  pageInfo!: PageInfo;

  @Field(() => Boolean, {
    description: 'True if only words were searched, because no embedding model was available.',
  })
  degraded!: boolean;

  /** What the facets are counted of, once they are asked for. */
  matches!: readonly string[];
  horizon!: Horizon;
}

@ObjectType({ simpleResolvers: true, description: 'A category of the catalogue.' })
export class Category {
  @Field(() => String, {
    description: 'Name in URLs and for `PatternFilter.category`, e.g. `cloud-resilience`.',
  })
  slug!: string;

  @Field(() => Int, { description: 'Number of its patterns that the plan includes.' })
  patternCount!: number;
}
