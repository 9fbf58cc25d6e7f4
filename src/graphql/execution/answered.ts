type Path = readonly (string | number)[];

/**
 * An answer's data without the fields at these paths, as if they had not been asked for: what failed on our
 * side costs nothing. Where a failure has taken with it what is around it, that is what is left out.
 */
export function withoutFields<T>(data: T, paths: readonly Path[]): T {
  return paths.reduce((rest, path) => without(rest, path), data);
}

function without<T>(value: T, [key, ...below]: Path): T {
  if (key === undefined || value === null || typeof value !== 'object') return undefined as T;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<
    string | number,
    unknown
  >;
  copy[key] = without(copy[key], below);
  return copy as T;
}
