import { compositeKey } from '../../src/eventsourcing/compositeKey.js';
import type { BucketReading } from './readings.js';

/** What uses came to. Of each number of calls it is said how many uses there are, whatever they came to. */
export interface Sums {
  /** Amounts by meter, exact; of an account also what meters come to that do not add up. */
  readonly amounts: ReadonlyMap<string, bigint>;
  /** Uses, those that were refused or failed among them. */
  readonly uses: bigint;
  readonly refused: bigint;
  /** Internal errors and time-outs. */
  readonly errors: bigint;
  /** Of what was executed, in microseconds. */
  readonly durationUs: bigint;
}

export interface GroupSums extends Sums {
  /** A value for each dimension of the group. */
  readonly group: readonly string[];
}

export interface BucketSums extends GroupSums {
  /** Its place among the buckets, from 0 on. */
  readonly bucket: number;
}

/** What of the groups is shown. */
export interface Grouped<S> {
  readonly sums: readonly S[];
  /** How many groups are left out, those with the fewest uses. */
  readonly omitted: number;
  /** What those came to together, by bucket; of meters that add up. */
  readonly others: readonly OtherSums[];
}

/** What groups came to in a bucket that are left out. */
export interface OtherSums extends BucketSums {
  /** How many of them have something in it. */
  readonly omitted: number;
}

/** What a report reads: a meter of a group in a bucket. */
export type Row = Readonly<Record<string, string | number>>;

export const NOTHING: Sums = { amounts: new Map(), uses: 0n, refused: 0n, errors: 0n, durationUs: 0n };

/** The same, with what the uses say of meters that do not add up. */
export function joined(sums: readonly BucketSums[], readings: readonly BucketReading[]): BucketSums[] {
  if (readings.length === 0) return [...sums];
  const byPlace = new Map<string, BucketReading[]>();
  for (const reading of readings) {
    const place = compositeKey(reading.bucket, ...reading.group);
    const known = byPlace.get(place);
    if (known) known.push(reading);
    else byPlace.set(place, [reading]);
  }
  return sums.map((sum) => {
    const own = byPlace.get(compositeKey(sum.bucket, ...sum.group)) ?? [];
    const amounts = own.map(({ meter, amount }) => [meter, amount] as const);
    return { ...sum, amounts: new Map([...sum.amounts, ...amounts]) };
  });
}

/** The rows of one bucket and group follow each other: one for each meter. */
export function added(rows: readonly Row[], columns: readonly string[]): BucketSums[] {
  const sums: (Omit<BucketSums, 'amounts'> & { amounts: Map<string, bigint> })[] = [];
  for (const row of rows) {
    const bucket = row['bucket'] as number;
    const group = columns.map((column) => row[column] as string);
    const last = sums.at(-1);
    const same = last?.bucket === bucket && last.group.every((value, i) => value === group[i]);
    const before = same && last ? last : { ...NOTHING, bucket, group, amounts: new Map<string, bigint>() };
    const plus = (name: string): bigint => BigInt(row[name] as string);
    if (row['meter'] !== '') before.amounts.set(row['meter'] as string, plus('amount'));
    const sum = {
      ...before,
      uses: before.uses + plus('uses'),
      refused: before.refused + plus('refused'),
      errors: before.errors + plus('errors'),
      durationUs: before.durationUs + plus('duration_us'),
    };
    if (same) sums.pop();
    sums.push(sum);
  }
  return sums;
}

/** The last one of a bucket says how many there are. */
export function othersOf(rows: readonly Row[]): OtherSums[] {
  const omitted = new Map<unknown, number>();
  for (const { bucket, nth } of rows) {
    omitted.set(bucket, Math.max(omitted.get(bucket) ?? 0, Number(nth)));
  }
  return added(rows, []).map((sums) => ({ ...sums, omitted: omitted.get(sums.bucket) ?? 0 }));
}

/** All of some sums together; of meters that do not add up nothing. */
export function addedUp(sums: readonly BucketSums[]): Sums {
  const amounts = new Map<string, bigint>();
  for (const [meter, amount] of sums.flatMap((one) => [...one.amounts])) {
    amounts.set(meter, (amounts.get(meter) ?? 0n) + amount);
  }
  const all = (name: Exclude<keyof Sums, 'amounts'>): bigint =>
    sums.reduce((sum, one) => sum + one[name], 0n);
  return {
    amounts,
    uses: all('uses'),
    refused: all('refused'),
    errors: all('errors'),
    durationUs: all('durationUs'),
  };
}
