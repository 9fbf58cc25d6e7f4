import fc from 'fast-check';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { READ_MODELS } from '../../src/capabilities.js';
import { CorrectedStore } from '../../src/eventsourcing/correctedStore.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';
import { usesOf } from '../../src/usage/journal/readUses.js';
import { readJournalTail } from '../../src/usage/journal/journalTail.js';
import { freshSql } from '../support/database.js';
import { Historian, history } from './histories.js';

const LONG = 60_000;

let database: Awaited<ReturnType<typeof freshSql>>;
let sql: Sql;
beforeAll(async () => {
  database = await freshSql();
  sql = database.sql;
});
afterAll(() => database.remove());

/** Texts that were stored before a door refused them. */
const hostile = fc.constantFrom(
  'nul \0 in it',
  'half \ud83d',
  '\udc00',
  'list\u0001ok',
  'a|b',
  '","',
  "'; DROP TABLE x; --",
  '\u202egnirts',
  'x'.repeat(9_000),
  '',
);

/** A text of the history that becomes another: which event, which of its texts. */
const spoiling = fc.record({ event: fc.nat(), leaf: fc.nat(), text: hostile });

/** The data with one of its texts replaced; unchanged where there is none. */
function spoilt(data: unknown, leaf: number, text: string): unknown {
  let count = 0;
  const visit = (value: unknown, at: number | undefined): unknown => {
    if (typeof value === 'string') return count++ === at ? text : value;
    if (Array.isArray(value)) return value.map((inner) => visit(inner, at));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, visit(inner, at)]));
  };
  visit(data, undefined);
  const leaves = count;
  count = 0;
  return leaves === 0 ? data : visit(data, leaf % leaves);
}

it('stored text of any kind stops nobody, and a rebuild gives the same rows (laws 5 and 10)', async () => {
  await fc.assert(
    fc.asyncProperty(
      history,
      fc.array(spoiling, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 7 }),
      async (happenings, spoilings, pageEvents) => {
        await sql.script('DROP SCHEMA IF EXISTS read, store, vault CASCADE');
        const plain = await PostgresEventStore.open(sql);
        await new Historian(plain).write(happenings);
        const events = await plain.readAll(0, 10_000, 100_000_000);
        // With nothing to read, everybody has reached the head before being built.
        if (events.length === 0) return;
        for (const { event, leaf, text } of spoilings) {
          const { position } = events[event % events.length] as (typeof events)[number];
          const [stored] = await sql.query<{ data: string }>(
            'SELECT data FROM store.events WHERE position = $1',
            [position],
          );
          const data = JSON.stringify(spoilt(JSON.parse(stored?.data ?? '{}'), leaf, text));
          await sql.query('UPDATE store.events SET data = $2 WHERE position = $1', [position, data]);
        }

        const store = await CorrectedStore.open(await PostgresEventStore.open(sql));
        const reader = new EventReader(store);
        const load = { events: pageEvents, bytes: 1_000_000, compareRows: 100 };
        const options = { load, retryMs: [] };
        const projector = await Projector.open(sql, reader, READ_MODELS, () => undefined, options);
        try {
          projector.start();
          const head = await store.head();
          // Nobody stands still, whatever is parked.
          expect(await projector.allReached(head, LONG)).toBe(true);
          expect(projector.failures()).toEqual([]);
          for (const { name } of READ_MODELS) {
            const { differing } = await projector.rebuild(name);
            expect({ name, differing }).toEqual({ name, differing: [] });
          }
          // Every stored use is counted, or parked: none is lost, and none counts twice.
          const journal = (await store.readAll(0, 10_000, 100_000_000)).filter(
            ({ type }) => type === 'UsesRecorded' || type === 'UsesCorrected',
          );
          let [bad, uses] = [0, 0];
          for (const event of journal) {
            const read = usesOf(event);
            bad += read.bad.length;
            for (const group of read.groups) {
              for (const use of group.uses) uses += read.sign * (use.refusal?.count ?? 1);
            }
          }
          const { t } = projector.access('usage');
          const [counted] = await sql.query(
            `SELECT (SELECT coalesce(sum(uses), 0)::bigint FROM ${t('quarters')}) AS uses,
                    (SELECT count(*) FROM ${t('parked')}) AS parked`,
          );
          // What an operator has decided of a use is another test's (usage.int.test.ts, recordUsage.e2e.test.ts).
          const decided = events.some(({ type }) => type.startsWith('ParkedUse') || type === 'UseReversed');
          if (!decided) expect(counted).toEqual({ uses, parked: bad });
          // Limits can be loaded.
          await readJournalTail(store, 0, head, 10);
        } finally {
          reader.close();
          await projector.stop();
        }
      },
    ),
    { numRuns: 12 },
  );
});
