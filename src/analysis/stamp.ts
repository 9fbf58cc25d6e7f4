/** A date, and a time where there is one, as written at the beginning of a line. */
export interface Stamp {
  /** Day and month in the order in which they stand; the month first where the year came before them. */
  readonly first: number;
  readonly second: number;
  readonly year: number;
  readonly yearFirst: boolean;
  /** Of the day; undefined where there is no time. */
  readonly minute: number | undefined;
  readonly second60: number;
}

/** No stamp is longer; nothing behind it is looked at. */
const REACH = 80;

/** Marks of direction, which no reader sees. */
export const isMark = (unit: number): boolean =>
  unit === 0x200e ||
  unit === 0x200f ||
  unit === 0xfeff ||
  (unit >= 0x202a && unit <= 0x202e) ||
  (unit >= 0x2066 && unit <= 0x2069);

const isSpace = (unit: number): boolean =>
  unit === 0x20 || unit === 0x09 || unit === 0xa0 || unit === 0x202f || unit === 0x2009;

/** East Asian words for before and after noon. */
const HALF_DAYS: ReadonlyMap<string, boolean> = new Map([
  ['上午', false],
  ['下午', true],
  ['午前', false],
  ['午後', true],
  ['오전', false],
  ['오후', true],
]);

/** Reads on from a place, over marks as if they were not there, and never further than a stamp may reach. */
export class Cursor {
  readonly #end: number;

  constructor(
    readonly text: string,
    public at = 0,
  ) {
    this.#end = Math.min(text.length, at + REACH);
  }

  /** The next code unit, or -1. */
  peek(): number {
    while (this.at < this.#end && isMark(this.text.charCodeAt(this.at))) this.at += 1;
    return this.at < this.#end ? this.text.charCodeAt(this.at) : -1;
  }

  take(characters: string): boolean {
    const unit = this.peek();
    if (unit === -1 || !characters.includes(String.fromCharCode(unit))) return false;
    this.at += 1;
    return true;
  }

  spaces(): boolean {
    const { at } = this;
    while (isSpace(this.peek())) this.at += 1;
    return this.at > at;
  }

  /** A number of so many digits, with how many it has; undefined and unmoved where there is none. */
  number(most: number): { value: number; digits: number } | undefined {
    let value = 0;
    let digits = 0;
    const before = this.at;
    for (let unit = this.peek(); unit >= 0x30 && unit <= 0x39; unit = this.peek()) {
      value = value * 10 + unit - 0x30;
      digits += 1;
      this.at += 1;
      if (digits > most) break;
    }
    if (digits > 0 && digits <= most) return { value, digits };
    this.at = before;
    return undefined;
  }

  /** Whether afternoon is said; undefined and unmoved where neither is. */
  halfDay(): boolean | undefined {
    const before = this.at;
    this.peek();
    const word = HALF_DAYS.get(this.text.slice(this.at, this.at + 2));
    if (word !== undefined) {
      this.at += 2;
      return word;
    }
    const afternoon = this.take('pP');
    if (afternoon || this.take('aA')) {
      this.take('.');
      this.spaces();
      if (this.take('mM')) {
        this.take('.');
        return afternoon;
      }
    }
    this.at = before;
    return undefined;
  }
}

/** `plain` knows `d/m/yyyy` and `yyyy-mm-dd` with colons alone; `export` all that phones write. */
export type Dialect = 'plain' | 'export';

/** Reads a stamp; where there is none, undefined. The cursor stands behind it then, or anywhere. */
export function readStamp(cursor: Cursor, dialect: Dialect): Stamp | undefined {
  const one = cursor.number(4);
  if (!one) return undefined;
  const yearFirst = one.digits === 4;
  const separators = dialect === 'export' ? '/.-' : yearFirst ? '-' : '/';
  const separator = String.fromCharCode(cursor.peek());
  if (one.digits === 3 || !separators.includes(separator) || !cursor.take(separators)) return undefined;
  if (dialect === 'export') cursor.spaces();
  const two = cursor.number(2);
  if (!two || !cursor.take(separator)) return undefined;
  if (dialect === 'export') cursor.spaces();
  const three = cursor.number(yearFirst ? 2 : 4);
  if (!three || (!yearFirst && three.digits < 2)) return undefined;
  const [first, second, year] = yearFirst ? [two, three, one] : [one, two, three];
  if (!possible(first.value, second.value)) return undefined;
  const behindDate = cursor.at;
  if (dialect === 'export') cursor.take('.');
  const time = readTime(cursor, dialect);
  if (!time) cursor.at = behindDate;
  return {
    first: first.value,
    second: second.value,
    year: year.digits === 4 ? year.value : 2000 + year.value,
    yearFirst,
    minute: time?.minute,
    second60: time?.second ?? 0,
  };
}

function possible(first: number, second: number): boolean {
  return first >= 1 && second >= 1 && Math.max(first, second) <= 31 && Math.min(first, second) <= 12;
}

function readTime(cursor: Cursor, dialect: Dialect): { minute: number; second: number } | undefined {
  cursor.take(dialect === 'export' ? ',T' : ',');
  cursor.spaces();
  if (dialect === 'export' && cursor.take('àa')) cursor.spaces();
  const before = dialect === 'export' ? cursor.halfDay() : undefined;
  if (before !== undefined) cursor.spaces();
  const hour = cursor.number(2);
  const colons = dialect === 'export' ? ':.' : ':';
  if (!hour || !cursor.take(colons)) return undefined;
  const minute = cursor.number(2);
  if (minute?.digits !== 2 || hour.value > 24 || minute.value > 59) return undefined;
  let second = 0;
  const behindMinute = cursor.at;
  if (cursor.take(colons)) {
    const seconds = cursor.number(2);
    if (seconds?.digits === 2) second = seconds.value;
    else cursor.at = behindMinute;
  }
  const behindTime = cursor.at;
  cursor.spaces();
  const after = cursor.halfDay();
  if (after === undefined) cursor.at = behindTime;
  const afternoon = before ?? after;
  const hours = afternoon === undefined ? hour.value : (hour.value % 12) + (afternoon ? 12 : 0);
  return { minute: hours * 60 + minute.value, second };
}
