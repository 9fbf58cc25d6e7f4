import { StoredEvent } from '../../src/eventsourcing/event.js';
import type { Upcasters } from '../../src/eventsourcing/upcasting.js';
import { NewerSchemaVersion, schemaVersionOf, upcast } from '../../src/eventsourcing/upcasting.js';

/** An event that has changed twice: a price without a currency, then in units, now in minor units. */
const priced: Upcasters = new Map([
  [
    'Priced',
    [
      (data: { price: number }) => ({ ...data, currency: 'usd' }),
      ({ price, currency }: { price: number; currency: string }) => ({ amount: price * 100, currency }),
    ],
  ],
]);

it('lifts each version through all that came after it', () => {
  expect(upcast('Priced', 1, { price: 29 }, priced)).toEqual({ amount: 2_900, currency: 'usd' });
  expect(upcast('Priced', 2, { price: 29, currency: 'eur' }, priced)).toEqual({
    amount: 2_900,
    currency: 'eur',
  });
  expect(upcast('Priced', 3, { amount: 2_900, currency: 'eur' }, priced)).toEqual({
    amount: 2_900,
    currency: 'eur',
  });
});

it('writes the version behind the last lift, for each type by itself', () => {
  expect(schemaVersionOf('Priced', priced)).toBe(3);
  expect(schemaVersionOf('Noted', priced)).toBe(1);
});

it('leaves what is stored as it is', () => {
  const data = { price: 29 };
  upcast('Priced', 1, data, priced);
  expect(data).toEqual({ price: 29 });
});

it.each([
  ['Priced', 4, 3],
  ['Noted', 2, 1],
])('refuses data of a newer program: %s in version %d', (type, version, known) => {
  const lift = (): object => upcast(type, version, {}, priced);
  expect(lift).toThrow(NewerSchemaVersion);
  expect(lift).toThrow(`${type} has schema version ${version}, and this program knows it up to ${known}`);
});

it.each([0, -1, 1.5, Number.NaN, undefined as unknown as number])('refuses the version %p', (version) => {
  expect(() => upcast('Priced', version, {}, priced)).toThrow('no schema version');
});

it('a stored event of a newer program shows itself, and refuses its data', () => {
  const metadata = JSON.stringify({ schemaVersion: 2 });
  const event = new StoredEvent(1, 'test-1', 0, 'id', 'Noted', '{"text":"new"}', metadata);
  expect(event.type).toBe('Noted');
  expect(() => event.data).toThrow(NewerSchemaVersion);
});
