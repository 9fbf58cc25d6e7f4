import { buildSchema, getIntrospectionQuery, parse, validate } from 'graphql';
import {
  MAX_ALIASES,
  MAX_COMPARISONS,
  MAX_DEPTH,
  MAX_FRAGMENTS,
  MAX_OPERATION_NAME,
  MAX_ROOT_FIELDS,
  MAX_TOKENS,
  queryLimits,
} from '../../src/graphql/execution/queryLimits.js';

const schema = buildSchema('type Query { node(text: String): Query, leaf: Int }');

/** What the rule alone says of a document. */
const refusals = (query: string): [unknown, string][] =>
  validate(schema, parse(query, { maxTokens: MAX_TOKENS }), [queryLimits]).map((error) => [
    error.extensions['code'],
    error.message,
  ]);
const tooLarge = (message: string): [unknown, string][] => [['QUERY_TOO_LARGE', message]];

const nested = (depth: number): string => `${'node { '.repeat(depth - 1)}leaf${' }'.repeat(depth - 1)}`;
const TOO_DEEP = tooLarge(`A query may be at most ${MAX_DEPTH} levels deep.`);

describe('the depth of a query', () => {
  it('has a limit', () => {
    expect(refusals(`{ ${nested(MAX_DEPTH)} }`)).toEqual([]);
    expect(refusals(`{ ${nested(MAX_DEPTH + 1)} }`)).toEqual(TOO_DEEP);
  });

  it('counts the deepest branch, wherever it stands', () => {
    expect(refusals(`{ leaf node { leaf } a: ${nested(MAX_DEPTH + 1)} b: leaf }`)).toEqual(TOO_DEEP);
  });

  it('counts through fragments, inline and named, which are no level of their own', () => {
    const query = (depth: number): string =>
      `{ ... on Query { ...a } } fragment a on Query { node { ...b } } fragment b on Query { ${nested(depth)} }`;
    expect(refusals(query(MAX_DEPTH - 1))).toEqual([]);
    expect(refusals(query(MAX_DEPTH))).toEqual(TOO_DEEP);
  });

  it('counts a fragment at each place where it is spread', () => {
    const query = `{ ...f node { node { ...f } } } fragment f on Query { ${nested(MAX_DEPTH - 1)} }`;
    expect(refusals(query)).toEqual(TOO_DEEP);
  });

  it('is measured in each operation of a document', () => {
    expect(refusals(`query A { leaf } query B { ${nested(MAX_DEPTH + 1)} }`)).toEqual(TOO_DEEP);
  });
});

describe('fragments', () => {
  const chain = (count: number): string =>
    Array.from({ length: count }, (_, i) => {
      const next = i + 1 < count ? `...f${i + 1}` : 'leaf';
      return `fragment f${i} on Query { ${next} }`;
    }).join(' ');

  it('have a limit in number', () => {
    expect(refusals(`{ ...f0 } ${chain(MAX_FRAGMENTS)}`)).toEqual([]);
    expect(refusals(`{ ...f0 } ${chain(MAX_FRAGMENTS + 1)}`)).toEqual(
      tooLarge(`A query may have at most ${MAX_FRAGMENTS} fragments.`),
    );
  });

  it.each([
    ['itself', '{ ...a } fragment a on Query { ...a }', 'a'],
    ['itself by another', '{ leaf ...a } fragment a on Query { ...b } fragment b on Query { ...a }', 'a'],
    ['itself below a field', '{ ...a } fragment a on Query { node { ... { ...a } } }', 'a'],
    [
      'itself, and nobody spreads it',
      '{ leaf } fragment x on Query { leaf } fragment a on Query { ...a }',
      'a',
    ],
    [
      'itself behind one in no circle',
      '{ ...z } fragment z on Query { ...a } fragment a on Query { ...a }',
      'a',
    ],
  ])('may not spread %s', (_what, query, name) => {
    expect(refusals(query)).toEqual([[undefined, `Cannot spread fragment "${name}" within itself.`]]);
  });

  it('may be spread in many places', () => {
    expect(
      refusals(
        '{ ...a ...b } fragment a on Query { ...c } fragment b on Query { ...c } fragment c on Query { leaf }',
      ),
    ).toEqual([]);
  });
});

describe('fields that are merged', () => {
  const AGAIN = tooLarge('The query asks for the same fields again and again. Ask for each once.');
  /** As many fields make so many pairs, and are looked at once each. */
  const most = Math.floor(Math.sqrt(2 * MAX_COMPARISONS)) - 1;

  it('have a limit', () => {
    expect(refusals(`{ node { ${'leaf '.repeat(most - 2)} } }`)).toEqual([]);
    expect(refusals(`{ node { ${'leaf '.repeat(most + 2)} } }`)).toEqual(AGAIN);
  });

  it('are counted where they meet: in inline and named fragments, and under fields that meet themselves', () => {
    const times = most + 2;
    expect(refusals(`{ node { ${'... { leaf } '.repeat(times)} } }`)).toEqual(AGAIN);
    expect(refusals(`{ ${'node { leaf leaf } '.repeat(19)} }`)).toEqual([]);
    const half = 'leaf '.repeat(times / 2);
    expect(
      refusals(`{ node { ${half} } node { ${half} } node { ...f } } fragment f on Query { ${half} }`),
    ).toEqual(AGAIN);
  });

  it('are not those under different names, and not those of different places', () => {
    const wide = Array.from({ length: 20 }, (_, i) => `a${i}: node { ${'leaf '.repeat(20)} }`).join(' ');
    expect(refusals(`{ ${wide} }`)).toEqual([]);
  });
});

it('lets the standard introspection query pass, with all its options', () => {
  const query = getIntrospectionQuery({
    descriptions: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  });
  expect(refusals(query)).toEqual([]);
});

/** Without remembering what it has measured, the rule would need 2^150 steps for this and never end. */
it('measures each of 99 fragments once, though each spreads the next one twice', () => {
  const spreads = Array.from(
    { length: 99 },
    (_, i) => `fragment f${i} on Query { ...f${i + 1} ...f${i + 1} }`,
  );
  const bomb = (depth: number): string =>
    `{ ...f0 } ${spreads.join(' ')} fragment f99 on Query { ${nested(depth)} }`;
  expect(refusals(bomb(MAX_DEPTH))).toEqual([]);
  expect(refusals(bomb(MAX_DEPTH + 1))).toEqual(TOO_DEEP);
});

it('leaves fragments that do not exist to another rule', () => {
  expect(refusals('{ ...none }')).toEqual([]);
});

it('has a limit on aliases in the whole document', () => {
  const aliases = (count: number): string => Array.from({ length: count }, (_, i) => `a${i}: leaf`).join(' ');
  const query = (inFragment: number): string =>
    `{ node { ${aliases(MAX_ALIASES - 10)} ...f } } fragment f on Query { ${aliases(inFragment)} }`;
  expect(refusals(query(10))).toEqual([]);
  // Said once, however many there are.
  const message = `A query may have at most ${MAX_ALIASES} aliases.`;
  expect(refusals(query(11))).toEqual(tooLarge(message));
  expect(refusals(query(30))).toEqual(tooLarge(message));
});

it.each([
  ['{ a: __schema { description } b: __schema { description } }'],
  ['{ __schema { types { a: fields { name } b: fields { name } } } }'],
  ['{ __schema { types { ...f } } } fragment f on __Type { a: ofType { name } ... on __Type { b: kind } }'],
])(
  'refuses aliases in introspection, each of which would multiply an answer without a price: %s',
  (query) => {
    expect(refusals(query)).toEqual(tooLarge('Introspection takes no aliases, except for __type.'));
  },
);

it('lets several types be asked for by name', () => {
  expect(refusals('{ a: __type(name: "A") { name } b: __type(name: "B") { name } }')).toEqual([]);
});

describe('the root fields of an operation', () => {
  const fields = (count: number): string => 'leaf '.repeat(count);
  const TOO_MANY = tooLarge(`An operation may have at most ${MAX_ROOT_FIELDS} root fields.`);

  it.each<[string, (count: number) => string]>([
    ['as they stand', (count) => `{ ${fields(count)} }`],
    ['in an inline fragment', (count) => `{ leaf ... on Query { ${fields(count - 1)} } }`],
    [
      'in fragments within each other',
      (count) =>
        `{ leaf ...a } fragment a on Query { leaf ...b } fragment b on Query { ${fields(count - 2)} }`,
    ],
  ])('have a limit %s', (_where, query) => {
    expect(refusals(query(MAX_ROOT_FIELDS))).toEqual([]);
    expect(refusals(query(MAX_ROOT_FIELDS + 1))).toEqual(TOO_MANY);
  });

  it('are counted once in a fragment that is spread again: it adds no answer', () => {
    const query = `{ ...a ...a } fragment a on Query { ${fields(MAX_ROOT_FIELDS)} }`;
    expect(refusals(query)).toEqual([]);
  });
});

it('has a limit on the length of an operation’s name', () => {
  const named = (length: number): string => `query ${'q'.repeat(length)} { leaf }`;
  expect(refusals(named(MAX_OPERATION_NAME))).toEqual([]);
  expect(refusals(named(MAX_OPERATION_NAME + 1))).toEqual(
    tooLarge(`The name of an operation may have at most ${MAX_OPERATION_NAME} characters.`),
  );
});

it('refuses kinds of operations that the schema does not have', () => {
  expect(refusals('mutation { leaf }')).toEqual([
    [undefined, 'There are no operations of the kind mutation.'],
  ]);
});
