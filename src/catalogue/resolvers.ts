import { Arg, Args, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import type {
  CatalogueQueries,
  Horizon,
  PatternOrdering,
  PatternRow,
} from '../../projections/catalogue/queries.js';
import type { CatalogueSearch } from '../../projections/catalogue/search.js';
import { compositeKey } from '../eventsourcing/compositeKey.js';
import { Cost, Sized } from '../graphql/cost/directives.js';
import type { PlanOf, RequestContext } from '../graphql/kit/context.js';
import type { Page } from '../graphql/kit/pages.js';
import { pageOf } from '../graphql/kit/pages.js';
import type { Cursors, Place } from '../graphql/kit/cursors.js';
import { accountOf } from '../graphql/kit/context.js';
import { invalidInput } from '../graphql/kit/errors.js';
import { Access, MEMBERS } from '../graphql/kit/access.js';
import { Metered } from '../graphql/kit/metering.js';
import { NotFound, PlanRequired } from '../graphql/kit/refusals.js';
import { shownPlan } from '../plans/planTypes.js';
import type { Plan } from '../plans/profile.js';
import { textProblem, tidy } from '../text/text.js';
import { CATEGORY } from './events.js';
import type { QueryEmbedder } from './queryEmbedder.js';
import {
  Category,
  MAX_CATEGORIES,
  Pattern,
  PatternBy,
  PatternConnection,
  PatternFacets,
  patternOf,
  PatternResult,
  PatternsArgs,
  PatternSearchConnection,
  SearchArgs,
  SearchMode,
} from './types.js';
import type { PatternFilter } from './types.js';
import { includes, planThatOpens } from './visibility.js';

/** A question is pasted with its line breaks. */
const QUERY = { min: 1, max: 500, lines: true };
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
  @Access({ scope: 'read', roles: MEMBERS })
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @Query(() => PatternConnection, {
    nullable: true,
    description: 'Patterns that the plan includes, by default the most used first.',
  })
  async patterns(
    @Ctx() context: RequestContext,
    @Args(() => PatternsArgs) { first, after, page: number, filter, orderBy }: PatternsArgs,
  ): Promise<Page<Pattern>> {
    if (number != null && after != null) throw invalidInput('page', 'Give either "after" or "page".');
    const order: PatternOrdering = orderBy;
    const list = `patterns ${order}`;
    const place = this.cursors.after(list, after);
    const { category, horizon } = await this.#narrowed(context, filter);
    const cursor = place && { uses: Number(place[0]), published: Number(place[1]) };
    const offset = ((number ?? 1) - 1) * first;
    const rows = await this.catalogue.list(horizon, category, order, first, cursor, offset);
    const placeOf = ({ uses, published }: PatternRow): Place => [uses, published];
    const before = number != null && number > 1 ? number : after;
    const page = pageOf(this.cursors, list, rows, { first, after: before }, placeOf, patternOf);
    return Object.assign(new ConnectionOf(), { ...page, horizon, category });
  }

  @Cost(5)
  @FieldResolver(() => Int, {
    nullable: true,
    description: 'Number of patterns on all pages. Null if it cannot be counted now.',
  })
  totalCount(@Root() connection: ConnectionOf): Promise<number> {
    return this.catalogue.count(connection.horizon, connection.category);
  }

  @Metered('governed')
  @Access({ scope: 'read', roles: MEMBERS })
  @Query(() => PatternResult, {
    nullable: true,
    description:
      'One pattern by its id, slug or number. Reading it counts as a use of the pattern. Example: `{ pattern(by: { slug: "circuit-breaker" }) { ... on Pattern { name description } ... on Refusal { code message } } }`.',
  })
  async pattern(
    @Ctx() context: RequestContext,
    @Arg('by', () => PatternBy, { description: 'Id, slug or number: exactly one of them.' })
    { id, slug, number }: PatternBy,
  ): Promise<typeof PatternResult> {
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
  @Access({ scope: 'read', roles: MEMBERS })
  @Cost(20)
  @Sized({ slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] })
  @Query(() => PatternSearchConnection, {
    nullable: true,
    description:
      'Searches names, tags and descriptions by words and by meaning, best results first. Example: `{ searchPatterns(query: "retry after failure", first: 3) { nodes { slug name } } }`.',
  })
  async searchPatterns(
    @Ctx() context: RequestContext,
    @Args(() => SearchArgs) { query, first, after, filter, mode }: SearchArgs,
  ): Promise<PatternSearchConnection> {
    const text = tidy(query);
    if (text === '') throw invalidInput('query', '"query" is empty. Say what you are looking for.');
    const problem = textProblem('query', text, QUERY);
    if (problem !== undefined) throw invalidInput('query', problem);
    const { category, tier, horizon } = await this.#narrowed(context, filter);
    // A cursor is of one search: another one has other places.
    const list = compositeKey('search', text, category, tier, mode);
    const place = this.cursors.after(list, after);
    const vector = await this.embedder.vectorOf(text);
    const { hits, hasNext, matches } = await this.search.search({
      text,
      ...(vector && { vector }),
      horizon,
      category,
      first,
      byMeaning: mode === SearchMode.MEANING,
      after: place && { score: Number(place[0]), id: place[1] as string },
    });
    const edges = hits.map(({ pattern, score, similarity, ranks }) => ({
      cursor: this.cursors.encode(list, [score, pattern.id]),
      node: patternOf(pattern),
      score,
      similarity,
      ranks,
    }));
    return Object.assign(new PatternSearchConnection(), {
      edges,
      nodes: edges.map(({ node }) => node),
      pageInfo: {
        hasNextPage: hasNext,
        hasPreviousPage: after != null,
        startCursor: edges[0]?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      },
      degraded: vector === undefined,
      matches,
      horizon,
    });
  }

  @Metered('governed')
  @Access({ scope: 'read', roles: MEMBERS })
  @Sized({ assumedSize: MAX_CATEGORIES })
  @Query(() => [Category], {
    nullable: true,
    description: 'Categories of the patterns that the plan includes.',
  })
  async categories(@Ctx() context: RequestContext): Promise<Category[]> {
    const rows = await this.catalogue.categories(await this.#horizon(context));
    return rows
      .slice(0, MAX_CATEGORIES)
      .map(({ category, patterns }) => ({ slug: category, patternCount: patterns }));
  }

  /** What the plan includes, and the filter leaves of it. @throws ApiError INVALID_INPUT */
  async #narrowed(context: RequestContext, filter: PatternFilter | null | undefined) {
    const category = nameOf('category', filter?.category);
    const tier = nameOf('tier', filter?.tier);
    const { tiers, published } = await this.#horizon(context);
    const visible = tier === undefined ? tiers : tiers.filter((one) => one === tier);
    return { category, tier, horizon: { tiers: visible, published } };
  }

  #horizon(context: RequestContext): Promise<Horizon> {
    return this.catalogue.horizon(this.planOf(accountOf(context)).plan.catalogue);
  }

  /** Those that the caller's plan includes: reading them is a use of each. */
  async nodes(ids: readonly string[], context: RequestContext): Promise<Pattern[]> {
    const rows = await this.catalogue.byIds(ids);
    const horizon = await this.#horizon(context);
    const seen = rows.filter((row) => includes(horizon, row));
    for (const { id } of seen) context.patternsRead.add(id);
    return seen.map(patternOf);
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
    description: 'Number in the order of publication, starting at 1. Never changes.',
  })
  number(@Root() pattern: Pattern, @Ctx() { loaders }: RequestContext): Promise<number | undefined> {
    return loaders.patternNumber.load(pattern.id);
  }

  @Cost(1)
  @FieldResolver(() => Int, {
    nullable: true,
    description: 'How often it was read with live keys. Reads with test keys do not count.',
  })
  useCount(@Root() pattern: Pattern, @Ctx() { loaders }: RequestContext): Promise<number> {
    return loaders.patternUses.load(pattern.id);
  }
}

/** A name of a filter. @throws ApiError INVALID_INPUT */
function nameOf(field: string, given: string | null | undefined): string | undefined {
  if (given == null) return undefined;
  const name = tidy(given);
  const problem = textProblem(field, name, { max: CATEGORY.max });
  if (problem !== undefined) throw invalidInput(field, problem);
  return name;
}

@Resolver(() => PatternSearchConnection)
export class PatternSearchResolver {
  constructor(private readonly search: Pick<CatalogueSearch, 'facets'>) {}

  @Cost(5)
  @FieldResolver(() => PatternFacets, {
    nullable: true,
    description:
      'Counts of the results by category and tier, over at most the best 150 results of each way of searching.',
  })
  facets(@Root() { matches, horizon }: PatternSearchConnection): Promise<PatternFacets> {
    return this.search.facets(matches, horizon);
  }
}
