import fc from 'fast-check';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { InvoiceNumbered } from '../../src/billing/events.js';
import { invoiceNumbersStream } from '../../src/billing/events.js';
import { InvoiceNumbers } from '../../src/billing/invoiceNumbers.js';
import { as } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { InterceptedStore } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';

let database: Awaited<ReturnType<typeof freshSql>>;
let store: EventStore;
beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
});
afterAll(() => database.remove());

let issuers = 0;
const newIssuer = (): string => `ACME${++issuers}`;

const numbersOn = (on: EventStore, issuer: string, over: { live?: boolean; timeZone?: string } = {}) => {
  const { live = true, timeZone = 'UTC' } = over;
  return new InvoiceNumbers(on, { live, numbering: () => ({ issuer, timeZone }), clock: () => 0 });
};
const invoice = (id: number, issuedAt = '2027-05-01T12:00:00.000Z') => ({
  invoiceId: `in_${id}`,
  accountId: 'a',
  issuedAt,
});

/** A store whose appends fail as often as is told, some once they are stored. */
function unreliable(faults: ('before' | 'after' | 'none')[]): EventStore {
  const failing = new InterceptedStore(store);
  failing.onAppend = async (append) => {
    const fault = faults.shift() ?? 'none';
    if (fault === 'before') throw new StoreUnavailable('not reached');
    const result = await append();
    if (fault === 'after') throw new StoreUnavailable('its answer was lost');
    return result;
  };
  return failing;
}

async function untilGiven(numbers: InvoiceNumbers, id: number): Promise<string> {
  for (;;) {
    try {
      return await numbers.of(invoice(id));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}

it('are 1 to n without gaps or doubles, whoever finalises at once and whatever fails', async () => {
  const fault = fc.constantFrom('before' as const, 'after' as const, 'none' as const);
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          ids: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 12 }),
          faults: fc.array(fault, { maxLength: 6 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      async (processes) => {
        const issuer = newIssuer();
        const given = new Map<number, Set<string>>();
        await Promise.all(
          processes.map(async ({ ids, faults }) => {
            const numbers = numbersOn(unreliable([...faults]), issuer);
            await Promise.all(
              ids.map(async (id) => {
                const number = await untilGiven(numbers, id);
                given.set(id, (given.get(id) ?? new Set()).add(number));
              }),
            );
          }),
        );
        const stored = await store.readStream(invoiceNumbersStream(`${issuer}-2027`));
        const invoices = stored.map((event) => as<InvoiceNumbered>(event).data.invoiceId);
        expect([...invoices].sort()).toEqual([...given.keys()].map((id) => `in_${id}`).sort());
        const expected = invoices.map((_, place) => `${issuer}-2027-${String(place + 1).padStart(6, '0')}`);
        expect([...given.values()].flatMap((all) => [...all]).sort()).toEqual(expected);
        for (const [id, numbers] of given) {
          expect([...numbers]).toEqual([expected[invoices.indexOf(`in_${id}`)]]);
        }
        // A process that starts later finds the same.
        for (const [id, numbers] of given) {
          expect(await numbersOn(store, issuer).of(invoice(id))).toBe([...numbers][0]);
        }
      },
    ),
    { numRuns: 25 },
  );
}, 60_000);

it('begin anew with the year of the issuer, and count what is only tried by itself', async () => {
  const issuer = newIssuer();
  const berlin = numbersOn(store, issuer, { timeZone: 'Europe/Berlin' });
  expect(await berlin.of(invoice(1, '2027-12-31T22:59:59.000Z'))).toBe(`${issuer}-2027-000001`);
  expect(await berlin.of(invoice(2, '2027-12-31T23:00:00.000Z'))).toBe(`${issuer}-2028-000001`);
  const tried = numbersOn(store, issuer, { live: false });
  expect(await tried.of(invoice(3, '2027-12-31T12:00:00.000Z'))).toBe(`TEST-${issuer}-2027-000001`);
});

it('reads more than a page of what others have numbered', async () => {
  const issuer = newIssuer();
  const first = numbersOn(store, issuer);
  const all = await Promise.all(Array.from({ length: 1_200 }, (_, id) => first.of(invoice(id))));
  expect(new Set(all).size).toBe(1_200);
  expect(await numbersOn(store, issuer).of(invoice(1_200))).toBe(`${issuer}-2027-001201`);
  expect(await first.of(invoice(1_201))).toBe(`${issuer}-2027-001202`);
}, 60_000);
