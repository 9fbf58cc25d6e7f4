/**
 * One text for several: different parts never give the same text, whatever stands in them. Joined with a
 * separator they would, as soon as a part contains it (decision 31).
 */
export function compositeKey(...parts: readonly (string | number | null | undefined)[]): string {
  return JSON.stringify(parts);
}
