import { readFileSync } from 'node:fs';
import type { GraphQLField, GraphQLNamedType, OperationDefinitionNode } from 'graphql';
import { getNamedType, isLeafType, isObjectType, parse, validate } from 'graphql';
import { listSizeOf, rangeOf } from '../../../src/graphql/cost/directives.js';
import { CostFormula } from '../../../src/graphql/cost/formula.js';
import { Prices } from '../../../src/graphql/cost/prices.js';
import { createSchema } from '../../../src/graphql/execution/schema.js';
import { ApiError } from '../../../src/graphql/kit/errors.js';
import { meteringOf } from '../../../src/graphql/kit/metering.js';

/** Cost points that the smallest plan has a minute, and that a call outside plans may come to. */
const MOST = { governed: 1_000, other: 5_000 } as const;

const schema = createSchema();
const prices = new Prices(schema);

/** All of an entry that takes no argument, and of the objects that it has: what a page of an application shows. */
function entry(type: GraphQLNamedType, depth: number): string {
  if (!isObjectType(type)) return '{ __typename }';
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.length > 0) return [];
    const to = getNamedType(field.type);
    if (isLeafType(to)) return [field.name];
    // A list of each entry is asked for at the entry.
    return depth === 0 || listSizeOf(field) ? [] : [`${field.name} ${entry(to, depth - 1)}`];
  });
  return `{ __typename ${fields.join(' ')} }`;
}

/** The largest page of a list. */
function page(field: GraphQLField<unknown, unknown>): string {
  const first = field.args.find(({ name }) => name === 'first');
  const max = first && rangeOf(first)?.max;
  const ids = field.args.find(({ name }) => name === 'ids');
  const most = ids && rangeOf(ids)?.max;
  const args = [
    ...(max === undefined ? [] : [`first: ${max}`]),
    ...(field.args.some(({ name }) => name === 'query') ? ['query: "x"'] : []),
    ...(most === undefined ? [] : [`ids: [${Array.from({ length: most }, () => '"x"').join(', ')}]`]),
  ];
  const to = getNamedType(field.type);
  const connection = isObjectType(to) ? to.getFields()['edges'] : undefined;
  const selection = connection
    ? `{ pageInfo { endCursor } edges ${entry(getNamedType(connection.type), 2)} }`
    : entry(to, 2);
  return `${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''} ${selection}`;
}

/** Every list that a query reaches within two steps, as an operation. */
function lists(): [string, string, string][] {
  const found: [string, string, string][] = [];
  const query = schema.getQueryType();
  for (const root of Object.values(query?.getFields() ?? {})) {
    if (listSizeOf(root)) found.push([root.name, root.name, `{ ${page(root)} }`]);
    const type = getNamedType(root.type);
    if (!isObjectType(type) || root.args.some(({ type: of }) => String(of).endsWith('!'))) continue;
    for (const field of Object.values(type.getFields())) {
      if (listSizeOf(field)?.slicingArguments) {
        found.push([`${root.name}.${field.name}`, root.name, `{ ${root.name} { ${page(field)} } }`]);
      }
    }
  }
  return found;
}

it.each(lists())('the largest page of %s fits into a minute of the smallest plan', (name, root, text) => {
  const document = parse(text);
  expect([name, validate(schema, document)]).toEqual([name, []]);
  const operation = document.definitions[0] as OperationDefinitionNode;
  const cost = new CostFormula(schema, prices, document, operation).of({});
  if (cost instanceof ApiError) throw cost;
  const governed = meteringOf(schema, 'query', root) === 'governed' || root === 'nodes';
  expect(cost.estimate).toBeGreaterThan(1);
  expect([name, cost.estimate <= MOST[governed ? 'governed' : 'other'], cost.estimate]).toEqual([
    name,
    true,
    cost.estimate,
  ]);
});

it.each([10, 20])(
  '%s invoices with their lines, as the operation asks for them, fit into a call',
  (first) => {
    const text = readFileSync('schema/operations/invoices.graphql', 'utf8');
    const operation = parse(text).definitions[0] as OperationDefinitionNode;
    const cost = new CostFormula(schema, prices, parse(text), operation).of({ first });
    expect(cost).toMatchObject({ estimate: expect.any(Number) as number });
    expect((cost as { estimate: number }).estimate).toBeLessThanOrEqual(MOST.other);
  },
);

it('finds the lists', () => {
  const names = lists().map(([name]) => name);
  expect(names).toEqual(
    expect.arrayContaining(['patterns', 'searchPatterns', 'nodes', 'account.keys', 'operator.accounts']),
  );
});
