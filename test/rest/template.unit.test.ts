import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { Known } from '../../src/rest/declared/known.js';
import { INTEGER, leaf, object, TEXT } from '../../src/rest/declared/known.js';
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
