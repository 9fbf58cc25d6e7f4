import type { OperationDefinitionNode } from 'graphql';
import { parse } from 'graphql';
import { CostFormula } from '../src/graphql/cost/formula.js';
import { Prices } from '../src/graphql/cost/prices.js';
import { ApiError } from '../src/graphql/kit/errors.js';
import { createSchema } from '../src/graphql/execution/schema.js';
import { median } from './statistics.js';

/** Two lists whose sizes are variables, a condition, fragments: more than most applications ask for at once. */
const QUERY = `
  query Page($first: Int!, $more: Boolean!) {
    patterns(first: $first) {
      totalCount
      nodes { ...Entry useCount tags example @include(if: $more) { language text } }
      edges { cursor node { ...Entry } }
      pageInfo { hasNextPage endCursor }
    }
    searchPatterns(query: "retry", first: $first) {
      edges { score node { ...Entry } ranks { text name meaning } }
    }
    categories { slug patternCount }
  }
  fragment Entry on Pattern { id slug name category }
`;
const EVALUATIONS = 10_000;

/** One evaluation of a formula that is kept, in µs: the median of rounds, each with other variables. */
export function benchFormula(): number {
  const schema = createSchema();
  const document = parse(QUERY);
  const [operation] = document.definitions as [OperationDefinitionNode];
  const formula = new CostFormula(schema, new Prices(schema), document, operation);
  const rounds: number[] = [];
  for (let round = 0; round < 15; round++) {
    const variables = { first: round + 1, more: round % 2 === 0 };
    let points = 0;
    const begin = performance.now();
    for (let i = 0; i < EVALUATIONS; i++) {
      const cost = formula.of(variables);
      if (cost instanceof ApiError) throw cost;
      points += cost.estimate;
    }
    rounds.push(((performance.now() - begin) * 1_000) / EVALUATIONS);
    if (points === 0) throw new Error('the query is free');
  }
  return median(rounds);
}
