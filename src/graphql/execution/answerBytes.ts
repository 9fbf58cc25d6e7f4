/** Bytes that a character of UTF-16 comes to at most in JSON as UTF-8: escaped, e.g. \u0001. */
const PER_CHARACTER = 6;
/** Numbers, booleans and null, with what stands between values. */
const PER_VALUE = 26;

/**
 * Whether an answer's data come to at most so many bytes as JSON. Counting with the most that each character
 * may come to is enough for all but very large answers; those are written out.
 */
export function fitsBytes(data: unknown, max: number): boolean {
  return atMost(data) <= max || Buffer.byteLength(JSON.stringify(data)) <= max;
}

function atMost(value: unknown): number {
  if (typeof value === 'string') return PER_VALUE + PER_CHARACTER * value.length;
  if (typeof value !== 'object' || value === null) return PER_VALUE;
  let sum = PER_VALUE;
  if (Array.isArray(value)) for (const item of value) sum += atMost(item);
  // Names of an answer are of GraphQL: one byte a character.
  else for (const [name, field] of Object.entries(value)) sum += name.length + atMost(field);
  return sum;
}
