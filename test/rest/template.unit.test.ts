import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { Known } from '../../src/rest/declared/known.js';
import { INTEGER, leaf, object, TEXT } from '../../src/rest/declared/known.js';
import { jsonText } from '../../src/rest/declared/jsonText.js';
import { compileTemplate } from '../../src/rest/declared/template.js';

const item = object({ id: TEXT, amount: INTEGER, kind: leaf({ type: 'string', enum: ['LIVE', 'TEST'] }) });
const NAMES: Readonly<Record<string, Known>> = {
  data: object({ items: { kind: 'list', nullable: true, of: item }, total: INTEGER, name: TEXT }, true),
};
const DATA = {
  items: [
    { id: 'a', amount: 1, kind: 'LIVE' },
    { id: 'b', amount: 20, kind: 'TEST' },
  ],
  total: 41,
  name: 'x',
};

const fill = (template: unknown, data: unknown = DATA): unknown =>
  compileTemplate(template, NAMES, []).fill({ data, now: Date.UTC(2026, 10, 22) });

it.each<[string, unknown, unknown]>([
  ['constants', { a: 1, b: [true, null], c: '$$5' }, { a: 1, b: [true, null], c: '$5' }],
  ['references', { a: '$data.total', b: '$data.name' }, { a: 41, b: 'x' }],
  ['$each', { $each: '$data.items', as: { key: '$item.id' } }, [{ key: 'a' }, { key: 'b' }]],
  [
    '$each within $each',
    { $each: '$data.items', as: { $each: '$data.items', as: { $join: ['$outer_item.id', '$item.id'] } } },
    [
      ['aa', 'ab'],
      ['ba', 'bb'],
    ],
  ],
  ['$find', { $find: '$data.items', where: { id: 'b' }, get: '$item.amount' }, 20],
  [
    '$find without one',
    { $find: '$data.items', where: { id: 'c' }, get: '$item.amount', else: 'none' },
    'none',
  ],
  ['$if', { $if: '$data.name', then: 1, else: 2 }, 1],
  ['$first', { $first: ['$data.name', 'none'] }, 'x'],
  ['$case', { $each: '$data.items', as: { $case: '$item.kind', of: { LIVE: 'live' } } }, ['live', 'TEST']],
  ['$join', { $join: ['hm_', '$data.name', '$data.total'], with: '-' }, 'hm_-x-41'],
  ['$integer of a text', { $integer: '12' }, 12],
  ['$integer of another', { $integer: '1e3' }, null],
  ['$integer that is too large', { $integer: '9999999999' }, null],
  ['$number', { $number: '1.50' }, 1.5],
  ['$number of 2^53 - 1', { $number: '9007199254740991' }, 9_007_199_254_740_991],
  ['$number of 19 digits', { $number: '9223372036854775807' }, 9_223_372_036_854_775_807n],
  ['$count', { $count: '$data.items' }, 2],
  ['$divide, up', { $divide: '$data.total', by: 20, round: 'up' }, 3],
  ['$divide, to decimals', { $divide: '$data.total', by: 3, round: 2 }, 13.67],
  ['$divide by nothing', { $divide: '$data.total', by: 0, round: 2 }, null],
  ['$above', { $above: '$data.total', than: 40 }, true],
  ['$given', { $given: '$data.name' }, true],
  ['$daysAgo', { $daysAgo: 7 }, '2026-11-15T00:00:00.000Z'],
])('fills %s', (_what, template, expected) => {
  expect(fill(template)).toEqual(expected);
});

const TEMPLATES: readonly unknown[] = [
  { $each: '$data.items', as: { id: '$item.id', amount: '$item.amount', kind: '$item.kind' } },
  { $find: '$data.items', where: { id: 'b' }, get: '$item.amount', else: 'none' },
  { $first: ['$data.name', 'none'] },
  { $if: '$data.total', then: '$data.total', else: 'unlimited' },
  { $divide: '$data.total', by: '$data.total', round: 'up' },
  { $case: '$data.name', of: { x: 'y' }, else: null },
  { name: '$data.name', count: { $count: '$data.items' }, above: { $above: '$data.total', than: 3 } },
];

it('never fails, and comes to what its schema says, whatever there is', () => {
  const ajv = new Ajv2020({ strict: false });
  const compiled = TEMPLATES.map((template) => {
    const one = compileTemplate(template, NAMES, []);
    return { one, check: ajv.compile(one.schema) };
  });
  const text = fc.option(fc.string());
  const whole = fc.option(fc.integer());
  const data = fc.option(
    fc.record({
      items: fc.option(
        fc.array(fc.record({ id: text, amount: whole, kind: fc.constantFrom('LIVE', 'TEST') }), {
          maxLength: 5,
        }),
      ),
      total: whole,
      name: text,
    }),
  );
  fc.assert(
    fc.property(data, (given) => {
      for (const { one, check } of compiled) {
        const filled = one.fill({ data: given, now: 0 });
        if (!check(filled)) throw new Error(`${JSON.stringify(filled)}: ${JSON.stringify(check.errors)}`);
      }
    }),
  );
});

describe('the JSON of what a template comes to', () => {
  it('is what JSON.stringify writes', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(jsonText(value)).toBe(JSON.stringify(value))));
  });

  it('has integers of any size with all their digits, wherever they stand', () => {
    const stored = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }).map((digits) => ({ digits: String(digits) })),
        fc.constantFrom(null, true, 1.5, 'a "b"', '12'),
        fc.array(tie('value')),
        fc.dictionary(fc.string(), tie('value')),
      ),
    })).value;
    // As JSON has it, each integer in quotes that come off.
    const large = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(large);
      if (typeof value !== 'object' || value === null) return value;
      const { digits, ...rest } = value as { digits?: unknown };
      if (typeof digits === 'string' && Object.keys(rest).length === 0) return BigInt(digits);
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, large(member)]));
    };
    fc.assert(
      fc.property(stored, (value) => {
        const quoted = JSON.stringify(value).replace(/\{"digits":"(-?\d+)"\}/g, '$1');
        expect(jsonText(large(value))).toBe(quoted);
      }),
    );
  });
});
