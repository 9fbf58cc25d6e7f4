import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GraphQLObjectType } from 'graphql';
import { isUnionType, Kind, parse, TypeInfo, validate, visit, visitWithTypeInfo } from 'graphql';
import { createSchema } from '../../src/graphql/execution/schema.js';

const schema = createSchema();

const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);

/** The operations that a page shows: what is fenced as GraphQL, bodies of `curl`, and what stands in descriptions. */
function operationsIn(text: string): string[] {
  const sent = matches(text, /"query":\s*("(?:[^"\\]|\\.)*")/g).map((json) => JSON.parse(json) as string);
  return [
    ...matches(text, /```graphql\n([\s\S]*?)```/g),
    ...sent.filter((query) => /^(?:query|mutation|subscription)?\s*\{/.test(query)),
    ...matches(text, /[`']((?:mutation )?\{ [^`'\n]*\.\.\. on [^`'\n]*\})[`']/g),
  ];
}

const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file));

const PAGES = ['README.md', 'schema/schema.graphql', 'src/cli/serve.ts', ...filesIn('docs', '.md')];
const OPERATIONS: [string, string][] = [
  ...filesIn('schema/operations', '.graphql').map((file): [string, string] => [
    file,
    readFileSync(file, 'utf8'),
  ]),
  ...PAGES.flatMap((file) =>
    operationsIn(readFileSync(file, 'utf8')).map((text): [string, string] => [file, text]),
  ),
];

const isRefusal = (type: GraphQLObjectType): boolean =>
  type.getInterfaces().some(({ name }) => name === 'Refusal');

/** Results whose refusals an operation names one by one: it would take one that is added later for nothing at all. */
function unprepared(text: string): string[] {
  const types = new TypeInfo(schema);
  const found: string[] = [];
  visit(
    parse(text),
    visitWithTypeInfo(types, {
      SelectionSet: ({ selections }) => {
        const type = types.getParentType();
        if (!isUnionType(type) || !type.getTypes().some(isRefusal)) return;
        const named = selections.flatMap((one) =>
          one.kind === Kind.INLINE_FRAGMENT ? (one.typeCondition?.name.value ?? []) : [],
        );
        if (named.length > 0 && !named.includes('Refusal')) found.push(type.name);
      },
    }),
  );
  return found;
}

it('finds the operations', () => {
  const files = new Set(OPERATIONS.map(([file]) => file));
  expect([...files]).toEqual(
    expect.arrayContaining([...PAGES.slice(0, 3), 'docs/scanner.md', 'docs/guide.md']),
  );
  expect(OPERATIONS.length).toBeGreaterThan(120);
});

it('every operation that is shown fits the schema', () => {
  const faults = OPERATIONS.flatMap(([file, text]) =>
    validate(schema, parse(text)).map(({ message }) => `${file}: ${message}`),
  );
  expect(faults).toEqual([]);
});

it('every operation that is shown understands a refusal that is added later', () => {
  const faults = OPERATIONS.flatMap(([file, text]) => unprepared(text).map((type) => `${file}: ${type}`));
  expect(faults).toEqual([]);
  expect(unprepared('mutation { signOut(input: {}) { ... on NotFound { code } } }')).toEqual([
    'SignOutResult',
  ]);
});
