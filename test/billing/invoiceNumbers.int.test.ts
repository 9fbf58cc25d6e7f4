import fc from 'fast-check';
import { invoices as model } from '../../projections/invoices/model.js';
import { InvoiceQueries } from '../../projections/invoices/queries.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { InvoiceNumbered } from '../../src/billing/events.js';
import { invoiceNumbersStream } from '../../src/billing/events.js';
import type { FindNumbers } from '../../src/billing/invoiceNumbers.js';
import { InvoiceNumbers } from '../../src/billing/invoiceNumbers.js';
import { as } from '../../src/eventsourcing/event.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { StoreUnavailable } from '../../src/eventsourcing/eventStore.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import { InterceptedStore } from '../eventsourcing/fixtures.js';
import { freshSql } from '../support/database.js';

let database: Awaited<ReturnType<typeof freshSql>>;
let store: EventStore;
let reader: EventReader;
let projector: Projector;
let queries: InvoiceQueries;
beforeAll(async () => {
  database = await freshSql();
  store = await PostgresEventStore.open(database.sql);
  reader = new EventReader(store);
  projector = await Projector.open(database.sql, reader, [model], () => undefined, { retryMs: [] });
  projector.start();
  queries = new InvoiceQueries(database.sql, projector.access('invoices'));
});
afterAll(async () => {
  reader.close();
  await projector.stop();
  await database.remove();
});

let issuers = 0;
const newIssuer = (): string => `ACME${++issuers}`;

interface Over {
  readonly live?: boolean;
  readonly timeZone?: string;
  readonly find?: FindNumbers;
}
const numbersOn = (on: EventStore, issuer: string, over: Over = {}) => {
  const { live = true, timeZone = 'UTC', find = (...asked) => queries.numbers(...asked) } = over;
  return new InvoiceNumbers(on, { live, numbering: () => ({ issuer, timeZone }), find, clock: () => 0 });
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

/** A read model that is behind by any part of what is stored, and may go back, as while it is rebuilt. */
function behind(parts: readonly number[]): FindNumbers {
  let asked = 0;
  return async (series, invoiceIds) => {
    const stored = await store.readStream(invoiceNumbersStream(series));
    const part = parts[asked++ % parts.length] ?? 1;
    const seen = stored.slice(0, Math.floor(stored.length * part));
    const all = seen.map((event, place) => [as<InvoiceNumbered>(event).data.invoiceId, place + 1] as const);
    return { upTo: seen.length, given: new Map(all.filter(([id]) => invoiceIds.includes(id))) };
  };
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
          parts: fc.array(fc.constantFrom(0, 0.3, 0.7, 1), { minLength: 1, maxLength: 4 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      async (processes) => {
        const issuer = newIssuer();
        const given = new Map<number, Set<string>>();
        await Promise.all(
          processes.map(async ({ ids, faults, parts }) => {
            const numbers = numbersOn(unreliable([...faults]), issuer, { find: behind(parts) });
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

it('reads more than a page of what others have numbered, where the read model has seen none of it', async () => {
  const issuer = newIssuer();
  const find = behind([0]);
  const first = numbersOn(store, issuer, { find });
  const all = await Promise.all(Array.from({ length: 1_200 }, (_, id) => first.of(invoice(id))));
  expect(new Set(all).size).toBe(1_200);
  expect(await numbersOn(store, issuer, { find }).of(invoice(1_200))).toBe(`${issuer}-2027-001201`);
  expect(await first.of(invoice(1_201))).toBe(`${issuer}-2027-001202`);
}, 60_000);

it('reads nothing of a year that the read model has seen, whoever starts anew', async () => {
  const issuer = newIssuer();
  const first = numbersOn(store, issuer);
  const all = await Promise.all(Array.from({ length: 700 }, (_, id) => first.of(invoice(id))));
  expect(await projector.reached('invoices', await store.head(), 60_000)).toBe(true);
  let read = 0;
  const counted = new InterceptedStore(store);
  counted.readStream = async (...asked) => {
    const events = await store.readStream(...asked);
    read += events.length;
    return events;
  };
  const anew = numbersOn(counted, issuer);
  expect(await anew.of(invoice(7))).toBe(all[7]);
  expect(await anew.of(invoice(700))).toBe(`${issuer}-2027-000701`);
  expect(await first.of(invoice(701))).toBe(`${issuer}-2027-000702`);
  expect(await anew.of(invoice(702))).toBe(`${issuer}-2027-000703`);
  // At most what was numbered since.
  expect(read).toBeLessThanOrEqual(3);
}, 60_000);
