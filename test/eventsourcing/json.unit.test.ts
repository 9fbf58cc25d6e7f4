import fc from 'fast-check';
import { isReadable, storedJson, UnreadableValue } from '../../src/eventsourcing/json.js';

it('everything that JSON keeps is stored as JSON.stringify writes it', () => {
  const plain = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('\\u'));
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string().filter((name) => name !== '__proto__'),
        plain,
      ),
      (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        const text = storedJson(value);
        expect(text).toBe(JSON.stringify(value));
        expect(isReadable(text)).toBe(true);
      },
    ),
  );
});

it.each<[string, unknown, string]>([
  ['undefined', { a: undefined }, 'a'],
  ['undefined in a list', { a: [1, undefined] }, 'a.1'],
  ['a hole', { a: [1, , 2] }, 'a.length'],
  ['NaN', { a: { b: NaN } }, 'a.b'],
  ['Infinity', { a: [-Infinity] }, 'a.0'],
  ['a BigInt', { a: 1n }, 'a'],
  ['a function', { a: () => 1 }, 'a'],
  ['a symbol', { a: Symbol('a') }, 'a'],
  ['a date', { a: new Date() }, 'a'],
  ['a date beyond the range', { a: new Date(NaN) }, 'a'],
  ['a map', { a: new Map() }, 'a'],
  ['what has its own idea of JSON', { a: Object.create({ toJSON: () => 1 }) as object }, 'a'],
  ['a name that sets the prototype', JSON.parse('{"a":{"__proto__":{}}}'), 'a.__proto__'],
  ['NUL', { a: 'b\0' }, 'a'],
  ['NUL in a name', { 'a\0': 1 }, 'a\0'],
  ['half a surrogate pair', { a: [{ b: '\ud800' }] }, 'a.0.b'],
])('%s is refused, by its place', (_what, value, place) => {
  expect(() => storedJson(value as object)).toThrow(UnreadableValue);
  expect(() => storedJson(value as object)).toThrow(`the value at "${place}" would not`);
});

it.each(['{"a":"\\u0000"}', '{"a":"\\ud83d"}', '{"\\ud83d":1}', '{"a":"\\u00"}'])(
  '%s cannot be read',
  (text) => expect(isReadable(text)).toBe(false),
);

it.each(['{}', '{"a":"\\u0001"}', '{"a":"\\\\u0000"}', '{"a":"\\ud83d\\ude00"}', '{ "a": 1e3 }'])(
  '%s can be read',
  (text) => expect(isReadable(text)).toBe(true),
);
