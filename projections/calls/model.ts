import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { StoredEvent } from '../../src/eventsourcing/event.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel, Tables } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';
import type { ParkedUseEvent, UsageEvent, Use } from '../../src/usage/events.js';
import { PRICED_ELSEWHERE } from '../../src/usage/events.js';
import { usesOf } from '../../src/usage/journal/readUses.js';
import { SketchPage } from './sketchPage.js';
import { hourOf, SKETCH_TABLES, sketchTable } from './sketchTables.js';

/**
 * How calls went that were executed here, beside what they came to: sketches of their time and cost by the hour, and
 * what was refused by which limit. How long reported uses took the ledger has, which judges whether they count.
 */
export const calls: ReadModel = {
  name: 'calls',
  awaited: false,
  version: 2,
  tables: [...SKETCH_TABLES, 'denials'],
  // Bins and counts are added up, in whatever order.
  independent: true,
  handles: new Set<(UsageEvent | ParkedUseEvent)['type']>([
    'UsesRecorded',
    'UsesCorrected',
    'ParkedUseCorrected',
  ]),
  create: (t) => `
    ${SKETCH_TABLES.map((table) => sketchTable(t(table), table)).join('')}
    CREATE TABLE ${t('denials')} (
      account     text NOT NULL,
      environment text NOT NULL,
      -- Hours of UTC since the epoch.
      slot        int NOT NULL,
      limit_name  text NOT NULL,
      code        text NOT NULL,
      calls       bigint NOT NULL,
      PRIMARY KEY (account, environment, slot, limit_name, code)
    );`,
  indexes: (t) =>
    [...SKETCH_TABLES, 'denials'].map((table) => `CREATE INDEX ON ${t(table)} USING brin (slot)`),
  fold: (events, t) => {
    const page = new Page();
    for (const stored of events) page.read(stored);
    return page.statements(t);
  },
};

/** What the events of one page add. */
class Page {
  readonly #sketches = new SketchPage();
  readonly #denials = new Map<string, { readonly of: readonly unknown[]; calls: number }>();
  #takesBack = false;

  read(stored: StoredEvent): void {
    const event = as<UsageEvent | ParkedUseEvent>(stored);
    if (event.type === 'ParkedUseCorrected') {
      const { account, use, sign } = event.data;
      this.#add(account, use, sign);
      return;
    }
    if (!hasCalls(stored.dataText)) return;
    const { sign, groups } = usesOf(stored);
    for (const { account, uses } of groups) for (const use of uses) this.#add(account, use, sign);
  }

  #add(account: string, use: Use, sign: 1 | -1): void {
    // Its id may come again, and it was not executed here.
    if (use.phase !== undefined) return;
    if (sign === -1) this.#takesBack = true;
    if (use.refusal !== null) this.#deny(account, use, sign);
    if (use.status === 'refused') return;
    // What a back end does itself, it has not told how long that took.
    const here = use.costVersion !== null && use.costVersion !== PRICED_ELSEWHERE;
    if (here) this.#sketches.add(account, use, 'duration', use.durationUs, sign);
    const cost = use.meters['cost'];
    if (cost !== undefined) this.#sketches.add(account, use, 'cost', cost, sign);
  }

  #deny(account: string, { environment, at, refusal }: Use, sign: 1 | -1): void {
    const of = [account, environment, hourOf(at), nameIn(refusal?.limit), nameIn(refusal?.code)];
    const id = compositeKey(...(of as string[]));
    const known = this.#denials.get(id) ?? { of, calls: 0 };
    known.calls += sign * (refusal?.count ?? 0);
    this.#denials.set(id, known);
  }

  statements(t: Tables): Statement[] {
    const denials = [...this.#denials.values()].map(({ of, calls: count }) => [...of, count]);
    return [
      ...this.#sketches.statements(t),
      ...(denials.length === 0 ? [] : [addDenials(t('denials'), denials)]),
      ...(denials.length === 0 || !this.#takesBack ? [] : [removeDenials(t('denials'), denials)]),
    ];
  }
}

/** Takes away rows that came to nothing. @param rows what was touched: account, environment and slot come first */
const removeDenials = (table: string, rows: readonly (readonly unknown[])[]): Statement => ({
  text: `DELETE FROM ${table} WHERE account = ANY($1::text[]) AND slot = ANY($2::int[]) AND calls = 0`,
  params: [[...new Set(rows.map(([account]) => account))], [...new Set(rows.map(([, , slot]) => slot))]],
});

const addDenials = (table: string, rows: readonly (readonly unknown[])[]): Statement => ({
  text: `
    INSERT INTO ${table} AS d
    SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bigint[])
           AS g(account, environment, slot, limit_name, code, calls)
     WHERE calls <> 0 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (account, environment, slot, limit_name, code) DO UPDATE SET calls = d.calls + excluded.calls`,
  params: [0, 1, 2, 3, 4, 5].map((i) => rows.map((row) => row[i])),
});

/** Whether a batch has calls that were executed here, or refused: of those that back ends report most are not even parsed. */
const hasCalls = (batch: string): boolean =>
  batch.includes('"costVersion":"') || batch.includes('"status":"refused"');

const MAX_NAME = 200;

/** Of limits and codes nobody has checked what stands in the journal. */
const nameIn = (value: unknown): string =>
  typeof value === 'string' && value.length <= MAX_NAME && value.isWellFormed() && !value.includes('\0')
    ? value
    : '';
