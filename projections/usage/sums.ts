import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import { ExactSum } from '../../src/exactSum.js';
import type { Tables } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';
import type { Use } from '../../src/usage/events.js';
import { subjectsOf } from '../../src/usage/events.js';
import type { CellsOfPlace } from './cells.js';
import { Cells, quarterOf, reportedIn } from './cells.js';

/** A row of `counters`. */
interface Sum {
  readonly of: readonly string[];
  readonly amount: ExactSum;
}

/** Where the amounts of a use go: all uses of a place are counted alike. */
export interface Place {
  readonly use: Use;
  readonly subjects: readonly string[];
  readonly cells: CellsOfPlace;
  /** By meter: the sums of its subjects and periods. */
  readonly sums: Map<string, readonly Sum[]>;
}

/** Of one page. Uses that follow each other mostly go to the same place, and finding one costs more than adding. */
export class Sums {
  readonly #counters = new Map<string, Sum>();
  readonly cells = new Cells();
  #last: Place | undefined;
  #account: string | undefined;

  add(account: string, use: Use, sign: 1 | -1): Place {
    if (sign === -1) this.cells.takesBack();
    const place = this.#placeOf(account, use);
    for (const meter in use.meters) {
      const amount = sign * (use.meters[meter] as number);
      if (amount === 0) continue;
      for (const sum of this.#sumsOf(place, meter)) sum.amount.add(amount);
    }
    place.cells.add(use, sign);
    return place;
  }

  counterStatements(t: Tables): Statement[] {
    const counters = sorted(this.#counters);
    if (counters.length === 0) return [];
    return [
      {
        text: `INSERT INTO ${t('counters')} AS c
               SELECT *, 0 FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[])
               ON CONFLICT (subject, meter, period) DO UPDATE SET amount = c.amount + excluded.amount`,
        params: [...columns(counters, 3), counters.map(({ amount }) => String(amount))],
      },
    ];
  }

  /** Takes away counters at which nothing is left, of those that are added to. */
  emptyCounters(t: Tables): Statement[] {
    const counters = sorted(this.#counters);
    if (counters.length === 0) return [];
    return [
      {
        text: `DELETE FROM ${t('counters')} AS c
                USING unnest($1::text[], $2::text[], $3::text[]) AS g(subject, meter, period)
                WHERE c.subject = g.subject AND c.meter = g.meter AND c.period = g.period
                  AND c.amount = 0 AND c.held = 0`,
        params: columns(counters, 3),
      },
    ];
  }

  #placeOf(account: string, use: Use): Place {
    const last = this.#last;
    if (last && this.#account === account && goTogether(last.use, use)) return last;
    this.#account = account;
    const [cells, subjects] = [this.cells.placeOf(account, use), subjectsOf(account, use)];
    return (this.#last = { use, subjects, cells, sums: new Map() });
  }

  #sumsOf({ use, subjects, sums }: Place, meter: string): readonly Sum[] {
    const known = sums.get(meter);
    if (known) return known;
    const found = subjects.flatMap((subject) =>
      use.periods.map((period) => this.#counter([subject, meter, period])),
    );
    sums.set(meter, found);
    return found;
  }

  #counter(of: readonly string[]): Sum {
    const id = compositeKey(...of);
    let sum = this.#counters.get(id);
    if (!sum) this.#counters.set(id, (sum = { of, amount: new ExactSum() }));
    return sum;
  }
}

/** Rows in the order of their keys, whatever came first: two folds never wait for each other's rows. */
const sorted = <R>(rows: ReadonlyMap<string, R>): R[] =>
  [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);

const columns = (rows: readonly { readonly of: readonly string[] }[], count: number): string[][] =>
  Array.from({ length: count }, (_, i) => rows.map(({ of }) => of[i] as string));

/** Whether two uses of an account are added to the same sums. */
function goTogether(a: Use, b: Use): boolean {
  return (
    quarterOf(a.at) === quarterOf(b.at) &&
    a.key === b.key &&
    a.environment === b.environment &&
    a.status === b.status &&
    a.operation === b.operation &&
    same(a.rootFields, b.rootFields) &&
    a.endpoint === b.endpoint &&
    a.source === b.source &&
    a.subject === b.subject &&
    a.plan === b.plan &&
    reportedIn(a) === reportedIn(b) &&
    same(a.periods, b.periods)
  );
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i]);
