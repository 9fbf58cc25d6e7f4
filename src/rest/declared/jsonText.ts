/**
 * What templates come to, as JSON. `JSON.stringify` writes no whole number beyond 2^53 with all its digits: where
 * there is one, the text is put together here.
 * @param value JSON, and integers of any size
 */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // It refuses integers of any size by this.
    if (error instanceof TypeError) return withLarge(value);
    throw error;
  }
}

function withLarge(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(withLarge).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${withLarge(member)}`).join(',')}}`;
}
