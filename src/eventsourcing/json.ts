/**
 * The JSON of what is stored for ever. What a reader would not get back as it was written is refused: one bad
 * command fails alone, before anything is stored, instead of stopping every reader afterwards.
 * @throws UnreadableValue
 */
export function storedJson(value: object): string {
  const path = unkept(value);
  if (path) throw new UnreadableValue(path.join('.'));
  return JSON.stringify(value);
}

/** A bug: a value that JSON does not keep was to be stored. The message names the place, never the value. */
export class UnreadableValue extends TypeError {
  constructor(place: string) {
    super(`the value at "${place}" would not be read back as it was written`);
    this.name = 'UnreadableValue';
  }
}

/** Where a value stands that JSON drops or changes, or a text that PostgreSQL does not store. */
function unkept(value: unknown): string[] | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : [];
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : [];
  if (typeof value === 'object') return value === null ? undefined : unkeptIn(value);
  return typeof value === 'boolean' ? undefined : [];
}

function unkeptIn(value: object): string[] | undefined {
  // A Date comes back as a text, a Map as nothing: facts are made of plain values.
  if (!Array.isArray(value) && !PLAIN.has(Object.getPrototypeOf(value) as object | null)) return [];
  for (const name of Object.keys(value)) {
    // As a name it comes back, and then sets what it was to name wherever objects are put together.
    const path =
      isStorable(name) && name !== '__proto__'
        ? unkept((value as Readonly<Record<string, unknown>>)[name])
        : [];
    if (path) return [name, ...path];
  }
  // A list with holes comes back with nulls in them.
  return Array.isArray(value) && Object.keys(value).length < value.length ? ['length'] : undefined;
}

const PLAIN: ReadonlySet<object | null> = new Set([Object.prototype, null]);

/** No adapter and no read model stores NUL or half of a surrogate pair. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/**
 * Whether a reader gets back what stands in a JSON text. `JSON.stringify` writes as escapes what could not be
 * stored as it is, and the read models meet it again: texts without escapes, which nearly all are, cost one look.
 */
export function isReadable(json: string): boolean {
  if (!isStorable(json)) return false;
  if (!json.includes('\\u')) return true;
  try {
    return unkept(JSON.parse(json)) === undefined;
  } catch {
    return false;
  }
}
