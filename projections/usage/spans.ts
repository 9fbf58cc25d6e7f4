/** Rows that are read: from one slot to another (exclusive), added to a bucket, taken from another. -1 for none. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly plus: number;
  readonly minus: number;
}

/** What has to be read of the rows of one length. */
export interface Level {
  /** Length of its slots, in the shortest ones. */
  readonly size: number;
  readonly stretches: readonly Stretch[];
}

/** A part of a day as slots of some lengths, each added or taken. */
interface Piece {
  readonly size: number;
  readonly from: number;
  readonly to: number;
  readonly sign: 1 | -1;
}

const NONE = -1;

const rowsOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { from, to }) => sum + to - from, 0);

/** The fewest slots that add up to a part of a day: what is read too much at its edges is taken off again. */
function piecesOf(
  from: number,
  to: number,
  [size = 1, ...shorter]: readonly number[],
  sign: 1 | -1,
): Piece[] {
  if (from >= to) return [];
  if (size === 1) return [{ size, from, to, sign }];
  const [first, last] = [Math.round(from / size), Math.round(to / size)];
  if (first >= last) return piecesOf(from, to, shorter, sign);
  const edge = (edgeFrom: number, edgeTo: number, edgeSign: 1 | -1): Piece[] =>
    piecesOf(edgeFrom, edgeTo, shorter, edgeSign);
  const against = sign === 1 ? -1 : 1;
  return [
    { size, from: first, to: last, sign },
    ...edge(from, first * size, sign),
    ...edge(first * size, from, against),
    ...edge(last * size, to, sign),
    ...edge(to, last * size, against),
  ];
}

/**
 * Which rows make up the buckets between boundaries, as few as there can be. A day in which no bucket ends is read
 * whole. One that two buckets share is read whole as well, and of it one part by shorter rows: that is added to one
 * bucket and taken from the other. So a year by the day reads few rows in whatever time zone.
 * @param boundaries in the shortest slots since the epoch, ascending: one more than there are buckets
 * @param sizes lengths of slots, the longest first: a day, what divides it, and 1
 */
export function spansOf(boundaries: readonly number[], sizes: readonly number[]): readonly Level[] {
  const [day = 1, ...shorter] = sizes;
  const levels = new Map(sizes.map((size) => [size, [] as Stretch[]]));
  const last = boundaries.length - 1;
  const asked = (bucket: number): number => (bucket >= 0 && bucket < last ? bucket : NONE);
  const read = (pieces: readonly Piece[], plus: number, minus = NONE): void => {
    for (const { size, from, to, sign } of pieces) {
      const [added, taken] = sign === 1 ? [asked(plus), asked(minus)] : [asked(minus), asked(plus)];
      if (added !== NONE || taken !== NONE) levels.get(size)?.push({ from, to, plus: added, minus: taken });
    }
  };
  const whole = (slot: number): Piece => ({ size: day, from: slot, to: slot + 1, sign: 1 });
  const part = (from: number, to: number): readonly Piece[] => piecesOf(from, to, shorter, 1);
  const dayOf = (boundary: number): number => Math.floor(boundary / day);

  const end = dayOf((boundaries[last] as number) - 1);
  // The bucket that the day begins in, or -1 before the first.
  let bucket = boundaries[0] === dayOf(boundaries[0] as number) * day ? 0 : -1;
  for (let slot = dayOf(boundaries[0] as number); slot <= end; slot++) {
    const [begin, next] = [slot * day, (slot + 1) * day];
    const inside: number[] = [];
    for (let i = bucket + 1; i <= last && (boundaries[i] as number) < next; i++) {
      inside.push(boundaries[i] as number);
    }
    const [only] = inside;
    if (only === undefined) read([whole(slot)], bucket);
    else if (inside.length > 1) {
      const edges = [begin, ...inside, next];
      for (let i = 0; i + 1 < edges.length; i++) {
        read(part(edges[i] as number, edges[i + 1] as number), bucket + i);
      }
    } else {
      const [before, after] = [part(begin, only), part(only, next)];
      const rows = [
        (asked(bucket) === NONE ? 0 : rowsOf(before)) + (asked(bucket + 1) === NONE ? 0 : rowsOf(after)),
        rowsOf(before) + 1,
        rowsOf(after) + 1,
      ];
      const fewest = rows.indexOf(Math.min(...rows));
      if (fewest === 0) {
        read(before, bucket);
        read(after, bucket + 1);
      } else if (fewest === 1) {
        read([whole(slot)], bucket + 1);
        read(before, bucket, bucket + 1);
      } else {
        read([whole(slot)], bucket);
        read(after, bucket + 1, bucket);
      }
    }
    bucket += inside.length;
    // One that begins with the next day.
    if (boundaries[bucket + 1] === next && bucket + 1 <= last) bucket++;
  }
  return sizes.map((size) => ({ size, stretches: levels.get(size) ?? [] }));
}

/**
 * A query of the rows of stretches, with the bucket and the sign of each: one that is added to a bucket and taken from
 * another is read once.
 * @param given stretches as rows of "from", "to", plus, minus, known as `s`; rows of the table are known as `c`
 * @param ofOne whether the rows are of one account: each stretch is then looked up in the index, while a planner that
 *   takes the account for a small one would read all of it
 */
export function rowsOfStretches(
  table: string,
  given: string,
  where: string,
  columns: string,
  ofOne: boolean,
): string {
  const joined = ofOne
    ? `CROSS JOIN LATERAL (SELECT * FROM ${table} AS c WHERE ${where} OFFSET 0) AS c`
    : `JOIN ${table} AS c ON ${where}`;
  return `SELECT b.bucket, b.sign, ${columns}
            FROM unnest(${given}) AS s("from", "to", plus, minus)
            ${joined}
           CROSS JOIN LATERAL (VALUES (s.plus, 1), (s.minus, -1)) AS b(bucket, sign)
           WHERE b.bucket >= 0`;
}
