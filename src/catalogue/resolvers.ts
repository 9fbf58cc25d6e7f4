import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import type { CatalogueQueries, Horizon, PatternRow } from '../../projections/catalogue/queries.js';
import type { CatalogueSearch } from '../../projections/catalogue/search.js';
import { Cost, Range, Sized } from '../graphql/cost/directives.js';
import type { PlanOf, RequestContext } from '../graphql/kit/context.js';
import type { Page } from '../graphql/kit/pages.js';
import { pageOf } from '../graphql/kit/pages.js';
import type { Cursors, Place } from '../graphql/kit/cursors.js';
import { accountOf } from '../graphql/kit/context.js';
import { invalidInput } from '../graphql/kit/errors.js';
import { Access } from '../graphql/kit/access.js';
import { Metered } from '../graphql/kit/metering.js';
import { NotFound, PlanRequired } from '../graphql/kit/refusals.js';
import { shownPlan } from '../plans/planTypes.js';
import type { Plan } from '../plans/profile.js';
import { textProblem, tidy } from '../text/text.js';
import { CATEGORY } from './events.js';
import type { QueryEmbedder } from './queryEmbedder.js';
import {
  Category,
  Pattern,
  PatternConnection,
  patternOf,
  PatternResult,
  PatternsArgs,
  PatternSearch,
  SearchMode,
} from './types.js';
import { includes, planThatOpens } from './visibility.js';

const MAX_HITS = 100;
/** More than there are; they come from the folders of the catalogue. */
const MAX_CATEGORIES = 100;
/** A question is pasted with its line breaks. */
const QUERY = { min: 1, max: 500, lines: true };
/** Names the list in its cursors. */
const LIST = 'patterns';
/** UTF-16 units of an id or a slug. */
const MAX_NAME = 100;

/** What the connection keeps for the count, which is only made when it is asked for. */
class ConnectionOf extends PatternConnection {
  horizon!: Horizon;
  category: string | undefined;
}

@Resolver(() => PatternConnection)
export class CatalogueResolver {
  constructor(
    private readonly catalogue: CatalogueQueries,
    private readonly search: Pick<CatalogueSearch, 'search'>,
    private readonly embedder: Pick<QueryEmbedder, 'vectorOf'>,
    private readonly cursors: Cursors,
    private readonly planOf: PlanOf,
    private readonly plans: () => readonly Plan[],
  ) {}

  @Metered('governed')
  @Access({ scope: 'read' })
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @Query(() => PatternConnection, {
    nullable: true,
    description: 'The patterns that the plan includes, the most used first, then the newest.',
  })
  async patterns(
    @Ctx() context: RequestContext,
    @Args(() => PatternsArgs) { first, after, page: number, category }: PatternsArgs,
  ): Promise<Page<Pattern>> {
    if (number != null && after != null) throw invalidInput('page', 'Give either "after" or "page".');
    const place = this.cursors.after(LIST, after);
    const only = categoryOf(category);
    const horizon = await this.#horizon(context);
    const cursor = place && { uses: Number(place[0]), published: Number(place[1]) };
    const rows = await this.catalogue.list(horizon, only, first, cursor, ((number ?? 1) - 1) * first);
    const placeOf = ({ uses, published }: PatternRow): Place => [uses, published];
    const before = number != null && number > 1 ? number : after;
    const page = pageOf(this.cursors, LIST, rows, { first, after: before }, placeOf, patternOf);
    return Object.assign(new ConnectionOf(), { ...page, horizon, category: only });
  }

  @Cost(5)
  @FieldResolver(() => Int, { nullable: true, description: 'How many patterns there are on all pages.' })
  totalCount(@Root() connection: ConnectionOf): Promise<number> {
    return this.catalogue.count(connection.horizon, connection.category);
  }

  @Metered('governed')
  @Access({ scope: 'read' })
  @Query(() => PatternResult, {
    nullable: true,
    description: 'One pattern, by id, slug or number. Reading it counts as a use of the pattern.',
  })
  async pattern(
    @Ctx() context: RequestContext,
    @Arg('id', () => ID, { nullable: true, description: 'Its id; leave out where `slug` is given.' })
    id: string | undefined,
    @Arg('slug', () => String, { nullable: true, description: 'Its slug, e.g. `circuit-breaker`.' })
    slug: string | undefined,
    @Arg('number', () => Int, { nullable: true, description: 'Its number in the order of publication.' })
    number: number | undefined,
  ): Promise<typeof PatternResult> {
    if ([id, slug, number].filter((by) => by != null).length !== 1) {
      throw invalidInput('id', 'Give one of "id", "slug" and "number".');
    }
    // Longer than any of ours; answers are cached by what was asked for.
    if ((id ?? slug ?? '').length > MAX_NAME)
      return new NotFound('There is no pattern with this id or slug.');
    const at = number == null ? id : (await this.catalogue.published()).ids[number - 1];
    const row = await (slug != null
      ? this.catalogue.find('slug', slug)
      : at && this.catalogue.find('id', at));
    if (!row) return new NotFound('There is no pattern with this id or slug.');
    if (!includes(await this.#horizon(context), row)) return this.#planRequired(row);
    context.patternsRead.add(row.id);
    return patternOf(row);
  }

  @Metered('governed')
  @Access({ scope: 'read' })
  @Cost(20)
  @Sized({ slicingArguments: ['first'], sizedFields: ['hits'] })
  @Query(() => PatternSearch, {
    nullable: true,
    description: 'Searches names, tags and descriptions, by words and by meaning.',
  })
  async searchPatterns(
    @Ctx() context: RequestContext,
    @Arg('query', () => String, { description: 'Words or a question, 1 to 500 characters.' }) query: string,
    @Range(1, MAX_HITS)
    @Arg('first', () => Int, { defaultValue: 10, description: `How many hits at most, 1 to ${MAX_HITS}.` })
    first: number,
    @Arg('category', () => String, { nullable: true, description: 'Only this category.' })
    category: string | undefined,
    @Arg('mode', () => SearchMode, {
      defaultValue: SearchMode.FUSED,
      description: 'What the search goes by.',
    })
    mode: SearchMode,
  ): Promise<PatternSearch> {
    const text = tidy(query);
    if (text === '') throw invalidInput('query', '"query" is empty. Say what you are looking for.');
    const problem = textProblem('query', text, QUERY);
    if (problem !== undefined) throw invalidInput('query', problem);
    const only = categoryOf(category);
    const vector = await this.embedder.vectorOf(text);
    const hits = await this.search.search({
      text,
      ...(vector && { vector }),
      horizon: await this.#horizon(context),
      category: only,
      first,
      byMeaning: mode === SearchMode.MEANING,
    });
    return {
      degraded: vector === undefined,
      hits: hits.map(({ pattern, score, similarity, ranks }) => ({
        pattern: patternOf(pattern),
        score,
        similarityScore: similarity,
        ranks,
      })),
    };
  }

  @Metered('governed')
  @Access({ scope: 'read' })
  @Sized({ assumedSize: MAX_CATEGORIES })
  @Query(() => [Category], { nullable: true, description: 'The categories of what the plan includes.' })
  async categories(@Ctx() context: RequestContext): Promise<Category[]> {
    const rows = await this.catalogue.categories(await this.#horizon(context));
    return rows
      .slice(0, MAX_CATEGORIES)
      .map(({ category, patterns }) => ({ slug: category, patternCount: patterns }));
  }

  #horizon(context: RequestContext): Promise<Horizon> {
    return this.catalogue.horizon(this.planOf(accountOf(context)).plan.catalogue);
  }

  /** A pattern that the caller's plan includes, for `node`. */
  async node(id: string, context: RequestContext): Promise<Pattern | undefined> {
    const row = await this.catalogue.find('id', id);
    if (!row || !includes(await this.#horizon(context), row)) return undefined;
    context.patternsRead.add(row.id);
    return patternOf(row);
  }

  async #planRequired(row: PatternRow): Promise<PlanRequired | NotFound> {
    const plan = await planThatOpens(this.plans(), row, (p) => this.catalogue.horizon(p.catalogue));
    return plan
      ? new PlanRequired(shownPlan(plan), `"${row.name}" is part of the plan ${plan.name}.`)
      : new NotFound('There is no pattern with this id or slug.');
  }
}

@Resolver(() => Pattern)
export class PatternFieldsResolver {
  @Cost(1)
  @FieldResolver(() => Int, {
    nullable: true,
    description: 'Its number in the order of publication, from 1. It never changes.',
  })
  number(@Root() pattern: Pattern, @Ctx() { loaders }: RequestContext): Promise<number | undefined> {
    return loaders.patternNumber.load(pattern.id);
  }

  @Cost(1)
  @FieldResolver(() => Int, {
    nullable: true,
    description: 'How often it was read with live keys; test keys do not count.',
  })
  useCount(@Root() pattern: Pattern, @Ctx() { loaders }: RequestContext): Promise<number> {
    return loaders.patternUses.load(pattern.id);
  }
}

/** As the folders of the catalogue are named. @throws ApiError */
function categoryOf(given: string | null | undefined): string | undefined {
  if (given == null) return undefined;
  const category = tidy(given);
  const problem = textProblem('category', category, { max: CATEGORY.max });
  if (problem !== undefined) throw invalidInput('category', problem);
  return category;
}
