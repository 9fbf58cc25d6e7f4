import fc from 'fast-check';
import { canonicalJson } from '../src/canonicalJson.js';

/** The values that stored facts are made of. */
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger().map((n) => n + 0),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

/** The same value with its members in the opposite order. */
function reversed(of: unknown): unknown {
  if (Array.isArray(of)) return of.map(reversed);
  if (typeof of !== 'object' || of === null) return of;
  return Object.fromEntries(
    Object.entries(of)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

it('is JSON of the same value', () => {
  fc.assert(fc.property(value, (of) => expect(JSON.parse(canonicalJson(of))).toEqual(of)));
});

it('does not depend on the order of members', () => {
  fc.assert(fc.property(value, (of) => expect(canonicalJson(reversed(of))).toBe(canonicalJson(of))));
});

it('is its own canonical form', () => {
  fc.assert(
    fc.property(value, (of) => expect(canonicalJson(JSON.parse(canonicalJson(of)))).toBe(canonicalJson(of))),
  );
});

it('sorts members by UTF-16 units at every depth, keeps arrays, and has no white space', () => {
  expect(
    canonicalJson({ b: [{ z: 1, a: 2 }, 'x'], a: null, B: true, '€': 0, '😀': 0, ﬁ: 0, 10: 0, 9: 0 }),
  ).toBe('{"10":0,"9":0,"B":true,"a":null,"b":[{"a":2,"z":1},"x"],"€":0,"😀":0,"ﬁ":0}');
});

it('leaves out members that are undefined, as JSON does', () => {
  expect(canonicalJson({ a: undefined, b: { c: undefined } })).toBe('{"b":{}}');
});
