import type { OperationDefinitionNode } from 'graphql';
import { buildSchema, getVariableValues, parse, validate } from 'graphql';
import { literalTexts, textsOf } from '../../src/graphql/execution/texts.js';

const schema = buildSchema(`
  scalar Json
  enum Colour { RED }
  input Inner { text: String, self: Inner, list: [[Inner!]], id: ID, n: Int }
  input Outer { inner: Inner!, colour: Colour, json: Json }
  input Numbers { n: Int, colour: Colour }
  type Query {
    f(text: String, id: ID, texts: [String], outer: Outer, numbers: Numbers, json: Json, n: Int, x: Float): Int
  }
`);

const DEFINITIONS =
  '($t: String = "", $id: ID, $ts: [String], $o: Outer, $i: Inner, $numbers: Numbers, $json: Json, $n: Int)';
const operationOf = (definitions: string): OperationDefinitionNode =>
  parse(`query ${definitions} { f }`).definitions[0] as OperationDefinitionNode;

const { variableDefinitions } = operationOf(DEFINITIONS);
const check = textsOf(schema, variableDefinitions ?? []);

/** What is said of variables, once they are coerced. */
function said(variables: Record<string, unknown>): [unknown, unknown, string] | undefined {
  const { coerced, errors } = getVariableValues(schema, variableDefinitions ?? [], variables);
  if (!coerced) throw new Error(`they do not fit: ${errors?.join()}`);
  const refused = check(coerced);
  return refused && [refused.code, refused.extensions['field'], refused.message];
}

/** What is said of literals. */
const saidOf = (query: string): [unknown, unknown, string][] =>
  validate(schema, parse(query), [literalTexts]).map(({ extensions, message }) => [
    extensions['code'],
    extensions['field'],
    message,
  ]);

const CONTROL = (field: string) => ['INVALID_INPUT', field, `"${field}" holds a control character.`];
const HALF = (field: string) => [
  'INVALID_INPUT',
  field,
  `"${field}" is not well-formed Unicode: it holds half of a surrogate pair.`,
];

describe('variables', () => {
  it.each<[Record<string, unknown>, unknown]>([
    [{ t: 'a\0' }, CONTROL('t')],
    [{ t: 'a\u0001' }, CONTROL('t')],
    [{ t: '\ud800' }, HALF('t')],
    [{ ts: ['a', null, '\udfff'] }, HALF('2')],
    [{ o: { inner: { text: '\u007f' } } }, CONTROL('inner.text')],
    [{ i: { self: { self: { text: '\u0085' } } } }, CONTROL('self.self.text')],
    [{ i: { list: [[], [{}, { text: 'x\ud83d' }]] } }, HALF('list.1.1.text')],
    [{ id: 'a\nb' }, CONTROL('id')],
    [{ id: '' }, ['INVALID_INPUT', 'id', '"id" must have 1 to 128 bytes.']],
    [{ i: { id: 'ü'.repeat(65) } }, ['INVALID_INPUT', 'id', '"id" must have 1 to 128 bytes.']],
    [{ json: { a: [{ b: '\0' }] } }, CONTROL('a.0.b')],
    [{ o: { inner: {}, json: '\ud800' } }, HALF('json')],
    [{ json: { 'a\0': 1 } }, ['INVALID_INPUT', 'json', '"json" has an unfit name.']],
  ])('%j is refused, by the name of the field and without its value', (variables, expected) => {
    expect(said(variables)).toEqual(expected);
  });

  it.each<Record<string, unknown>>([
    {},
    { t: null },
    { t: 'two\r\n\tlines \u2028 😀 e\u0301 \u200f ‮' },
    { id: 'ü'.repeat(64) },
    { id: 7 },
    { json: [1, null, true, { a: 'b' }] },
    { o: { inner: { self: null, list: null }, colour: 'RED' } },
    { numbers: { n: 1, colour: 'RED' }, n: 2 },
  ])('%j pass', (variables) => {
    expect(said(variables)).toBeUndefined();
  });

  it('are not looked at where they can hold no text', () => {
    const none = textsOf(schema, operationOf('($n: [Int!]!, $numbers: Numbers)').variableDefinitions ?? []);
    const untouchable = new Proxy(
      {},
      {
        get: () => {
          throw new Error('it was looked at');
        },
      },
    );
    expect(none(untouchable)).toBeUndefined();
  });
});

describe('texts of a document', () => {
  it.each<[string, unknown]>([
    ['{ f(text: "a\\u0000b") }', CONTROL('text')],
    ['{ f(text: "a\u0001b") }', CONTROL('text')],
    ['{ f(text: """a\u0085b""") }', CONTROL('text')],
    ['{ f(id: "a\\nb") }', CONTROL('id')],
    ['{ f(texts: ["\\u0007"]) }', CONTROL('texts')],
    ['{ f(outer: { inner: { self: { text: "\\u0008" } } }) }', CONTROL('inner.self.text')],
    ['{ f(json: { a: ["\\u0000"] }) }', CONTROL('a')],
    ['query ($t: String = "\\u0000") { f(text: $t) }', CONTROL('t')],
    ['query ($i: Outer = { inner: { text: "\\u0000" } }) { f(outer: $i) }', CONTROL('inner.text')],
    ['{ __typename @nope(reason: "\\u0000") }', CONTROL('reason')],
  ])('%s is refused', (query, expected) => {
    expect(saidOf(query)).toEqual([expected]);
  });

  it.each(['{ f(text: "a\\\\u0000b") }', '{ f(text: """two\n lines""") }', '{ f(id: 7) }'])(
    '%s passes',
    (query) => {
      expect(saidOf(query)).toEqual([]);
    },
  );

  it.each(['"\\ud800"', '"\\ud83d x"', '"\ud800"', '"\\u{d800}"'])(
    'half a surrogate pair in %j is no GraphQL',
    (literal) => expect(() => parse(`{ f(text: ${literal}) }`)).toThrow(/Syntax Error/),
  );
});
