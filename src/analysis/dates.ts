import type { Stamp } from './stamp.js';

/** Whether days or months come first in a file, `year` where it says so itself, `ambiguous` where nothing tells. */
export type DateOrder = 'day' | 'month' | 'year' | 'ambiguous';

/** Finds out in which order a file writes day and month. */
export class DateOrders {
  #first = false;
  #second = false;
  #written = false;
  #yearFirst = false;
  #last = { day: -Infinity, month: -Infinity };
  #backward = { day: 0, month: 0 };

  push(stamp: Stamp): void {
    if (stamp.yearFirst) {
      this.#yearFirst = true;
      return;
    }
    this.#written = true;
    this.#first ||= stamp.first > 12;
    this.#second ||= stamp.second > 12;
    for (const order of ['day', 'month'] as const) {
      const [day, month] = order === 'day' ? [stamp.first, stamp.second] : [stamp.second, stamp.first];
      const time = ((stamp.year * 12 + month) * 31 + day) * 1440 + (stamp.minute ?? 0);
      if (time < this.#last[order]) this.#backward[order] += 1;
      this.#last[order] = time;
    }
  }

  /** Undefined where no date was written. */
  get order(): DateOrder | undefined {
    if (!this.#written) return this.#yearFirst ? 'year' : undefined;
    if (this.#first !== this.#second) return this.#first ? 'day' : 'month';
    const { day, month } = this.#backward;
    if (day === month) return 'ambiguous';
    return day < month ? 'day' : 'month';
  }
}

/** Counts of a month, like 2024-08; of files that do not tell their order, of the year alone. */
export class Timeline {
  readonly #months = { day: new Map<string, Int32Array>(), month: new Map<string, Int32Array>() };
  readonly #years = new Map<string, Int32Array>();

  constructor(private readonly categories: number) {}

  add(stamp: Stamp, bits: number): void {
    const year = String(stamp.year).padStart(4, '0');
    this.#count(this.#years, year, bits);
    const month = (number: number): string => `${year}-${String(number).padStart(2, '0')}`;
    const byDay = stamp.yearFirst ? stamp.first : stamp.second;
    if (byDay <= 12) this.#count(this.#months.day, month(byDay), bits);
    if (stamp.first <= 12) this.#count(this.#months.month, month(stamp.first), bits);
  }

  /** In order of time: the period and the counts of each category. */
  of(order: DateOrder | undefined): [string, Int32Array][] {
    const periods = order === 'ambiguous' ? this.#years : this.#months[order === 'month' ? 'month' : 'day'];
    return [...periods].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #count(periods: Map<string, Int32Array>, period: string, bits: number): void {
    let counts = periods.get(period);
    if (!counts) periods.set(period, (counts = new Int32Array(this.categories)));
    for (let index = 0; index < counts.length; index++) {
      if (bits & (1 << index)) counts[index] = (counts[index] as number) + 1;
    }
  }
}
