import type { OperationDefinitionNode } from 'graphql';
import { buildSchema, Kind, parse } from 'graphql';
import type { OperationShape } from '../../src/graphql/kit/metering.js';
import { shapeOf } from '../../src/graphql/kit/metering.js';

const schema = buildSchema(`
  enum Metering { GOVERNED GUARDED SERVICE ANONYMOUS BY_ID }
  directive @metered(as: Metering!) on FIELD_DEFINITION
  type Query {
    sold: Query @metered(as: GOVERNED)
    own: Query @metered(as: GUARDED)
    open: Int @metered(as: ANONYMOUS)
    forgotten: Int
    one(id: ID!): Int @metered(as: BY_ID)
    many(ids: [ID!]!): Int @metered(as: BY_ID)
  }
  type Mutation { sold: Int, join: Int @metered(as: ANONYMOUS) }
`);

function shape(query: string, name?: string): OperationShape {
  const document = parse(query);
  const operation = document.definitions.find(
    (definition): definition is OperationDefinitionNode =>
      definition.kind === Kind.OPERATION_DEFINITION && definition.name?.value === name,
  );
  if (!operation) throw new Error('no such operation');
  return shapeOf(schema, document, operation);
}

it.each<[string, OperationShape['metering']]>([
  ['{ sold { open } }', 'governed'],
  ['{ own { open } }', 'guarded'],
  ['{ open }', 'anonymous'],
  ['{ open own { open } }', 'guarded'],
  ['{ own { open } open sold { open } }', 'governed'],
  ['mutation { join }', 'anonymous'],
  ['mutation { join sold }', 'governed'],
  ['{ __typename }', 'open'],
  ['{ __schema { types { name } } }', 'open'],
  ['{ open __typename }', 'anonymous'],
])('meters %s as %s: by the strictest of its root fields', (query, metering) => {
  expect(shape(query).metering).toBe(metering);
});

it('governs a field whose metering was forgotten, and one that it does not know', () => {
  expect(shape('{ open forgotten }').metering).toBe('governed');
  expect(shape('{ unknown }').metering).toBe('governed');
});

it('does not look below the root: a guarded field may lead to governed ones', () => {
  expect(shape('{ own { sold { open } } }').metering).toBe('guarded');
});

it('finds root fields in fragments, inline, named and within each other', () => {
  const query =
    '{ open ... on Query { ...a } } fragment a on Query { ...b } fragment b on Query { sold { open } }';
  expect(shape(query)).toMatchObject({
    kind: 'query',
    rootFields: ['open', 'sold'],
    anonymousCalls: ['open'],
    metering: 'governed',
  });
});

it('counts fields that are skipped: a variable must not change what a call costs', () => {
  expect(shape('{ open sold @skip(if: true) { open } }').metering).toBe('governed');
});

it('ends with fragments that spread each other', () => {
  expect(shape('{ ...a } fragment a on Query { open ...b } fragment b on Query { ...a }').rootFields).toEqual(
    ['open'],
  );
});

it('names each root field once, and what is limited by address for each answer, whatever stands beside it', () => {
  const query = '{ one: open two: open open open own { open } sold { open } __typename }';
  expect(shape(query)).toMatchObject({
    rootFields: ['open', 'own', 'sold'],
    anonymousCalls: ['open', 'open', 'open'],
  });
});

it('looks at the operation that is executed alone', () => {
  const query = 'query A { open } query B { sold { open } }';
  expect([shape(query, 'A').metering, shape(query, 'B').metering]).toEqual(['anonymous', 'governed']);
});

describe('what ids decide', () => {
  it.each<[string, object, OperationShape['metering']]>([
    ['query ($id: ID!) { one(id: $id) }', { id: 'pat_1' }, 'governed'],
    ['query ($id: ID!) { one(id: $id) }', { id: 'key_1' }, 'guarded'],
    ['{ one(id: "acc_1") }', {}, 'guarded'],
    ['{ one(id: "pat_1") }', {}, 'governed'],
    // What there is not spends nothing.
    ['{ one(id: "nothing") two: one(id: "pat-1") }', {}, 'guarded'],
    ['query ($ids: [ID!]!) { many(ids: $ids) }', { ids: ['key_1', 'usr_1'] }, 'guarded'],
    ['query ($ids: [ID!]!) { many(ids: $ids) }', { ids: ['key_1', 'pat_1'] }, 'governed'],
    ['query ($ids: [ID!]!) { many(ids: $ids) open }', { ids: [] }, 'guarded'],
    // The strictest, under whichever alias, in whichever fragment.
    ['{ a: one(id: "key_1") b: one(id: "pat_1") }', {}, 'governed'],
    ['{ a: one(id: "key_1") ...F } fragment F on Query { b: one(id: "pat_1") }', {}, 'governed'],
    ['{ one(id: "key_1") own { open } sold { open } }', {}, 'governed'],
  ])('%s with %j is %s', (query, variables, metering) => {
    expect(shape(query).meteringWith(variables as Record<string, unknown>)).toBe(metering);
    expect(shape(query).metering).toBe('governed');
  });
});
