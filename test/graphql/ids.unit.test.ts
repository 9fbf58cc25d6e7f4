import { createSchema } from '../../src/graphql/execution/schema.js';
import { givenId, isIdType, parseId, shownId } from '../../src/graphql/kit/ids.js';

const schema = createSchema();
const nodes = schema.getPossibleTypes(schema.getType('Node') as never).map(({ name }) => name);

it.each(nodes)('an id of a %s is shown, taken and parsed alike', (name) => {
  if (!isIdType(name)) throw new Error(`${name} has no prefix`);
  // What the payment service names has its prefix from there, and a reservation's use has it as well.
  const whole = { Invoice: 'in_1Qx', PlanSubscription: 'sub_1Qx', Reservation: 'res_1f0c2a9b' };
  const id = whole[name as keyof typeof whole] ?? '1f0c2a9b';
  const shown = shownId(name, id);
  expect(shown).toMatch(/^[a-z]+_/);
  expect(parseId(shown)).toEqual({ type: name, id });
  expect([givenId(name, shown), givenId(name, id)]).toEqual([id, id]);
});

it('an id of the payment service is shown as it is there', () => {
  expect([shownId('Invoice', 'in_1Qx'), shownId('PlanSubscription', 'sub_1Qx')]).toEqual([
    'in_1Qx',
    'sub_1Qx',
  ]);
});
