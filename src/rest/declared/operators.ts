import { isoTime } from '../../isoTime.js';
import type { JsonSchema, Known } from './known.js';
import { anyOf, nullable } from './known.js';

/** What references of a template begin with, and what they name. */
export type Names = Readonly<Record<string, Known>>;
export type Scope = Readonly<Record<string, unknown>>;

/** A template that is ready to be filled. */
export interface Template {
  /** Walks the template once, and each list that it names once for each time that it is named. */
  fill(scope: Scope): unknown;
  /** Of what it comes to. */
  readonly schema: JsonSchema;
  /** For those that name parts of it. */
  readonly known?: Known | undefined;
}

export class TemplateError extends Error {
  constructor(
    readonly path: readonly PropertyKey[],
    message: string,
  ) {
    super(message);
  }
}

export type Path = readonly PropertyKey[];
export type Parts = Readonly<Record<string, unknown>>;

const DAY_MS = 86_400_000;
/** Lists of names that one template walks within each other. */
const MAX_NESTED = 3;

/** An operator: the parts beside it, and what it makes of them. */
interface Operator {
  readonly parts: readonly string[];
  readonly optional?: readonly string[];
  compile(parts: Parts, compile: (part: string, names?: Names) => Template, context: Context): Template;
}

interface Context {
  readonly names: Names;
  /** Makes a template ready that stands among several. */
  readonly at: (template: unknown, part: string, index: number) => Template;
  readonly fail: (part: string, message: string) => TemplateError;
}

const number = (value: unknown): number | null => {
  const read = typeof value === 'bigint' || isText(value) ? Number(value) : value;
  return typeof read === 'number' && Number.isFinite(read) ? read : null;
};

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/** The same; of a whole number beyond 2^53 every digit (`jsonText`). */
function exactNumber(value: unknown): number | bigint | null {
  const exact = typeof value === 'string' && /^-?\d{16,}$/.test(value) ? BigInt(value) : value;
  return typeof exact === 'bigint' && !Number.isSafeInteger(Number(exact)) ? exact : number(exact);
}

/** The schema without null. */
const NUMBER = { type: 'number' } as const;
const INTEGER = { type: 'integer' } as const;
const LARGEST_INT = 2_147_483_647;

/** The same value, or lists of the same values. */
const isSame = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b)
    ? a.length === b.length && a.every((one, index) => one === b[index])
    : a === b;

/** The list that a part names. */
function listAt(part: string, list: Template, { names, fail }: Context): Known {
  if (list.known?.kind !== 'list') throw fail(part, 'is not a list');
  let depth = 1;
  for (let name = 'item'; name in names; name = `outer_${name}`) depth += 1;
  if (depth > MAX_NESTED) throw fail(part, `more than ${MAX_NESTED} lists within each other`);
  return list.known.of;
}

/** Names within a list: an item, and that of the list around it. */
const withItem = (names: Names, item: Known): Names => ({ ...shifted(names), item });
const scopeOf = (scope: Scope, item: unknown): Scope => ({ ...shifted(scope), item });

function shifted<T>(names: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(names).map(([name, value]) => [
      /^(outer_)*item$/.test(name) ? `outer_${name}` : name,
      value,
    ]),
  );
}

export const OPERATORS: Readonly<Record<string, Operator>> = {
  /** A list of what `as` makes of each `$item`. */
  $each: {
    parts: ['$each', 'as'],
    compile: (_parts, compile, context) => {
      const list = compile('$each');
      const as = compile('as', withItem(context.names, listAt('$each', list, context)));
      return {
        fill: (scope) => {
          const items = (list.fill(scope) ?? []) as unknown[];
          const around = shifted(scope);
          return items.map((item) => as.fill({ ...around, item }));
        },
        schema: { type: 'array', items: as.schema },
      };
    },
  },
  /**
   * What `get` makes of the first `$item` whose names have the values that the templates in `where` come to;
   * without one, `else` or null.
   */
  $find: {
    parts: ['$find', 'where', 'get'],
    optional: ['else'],
    compile: ({ where }, compile, context) => {
      const list = compile('$find');
      const item = listAt('$find', list, context);
      if (typeof where !== 'object' || where === null) throw context.fail('where', 'names and values');
      const wanted = Object.entries(where).map(
        ([name, value], index) => [name, context.at(value, 'where', index)] as const,
      );
      for (const [name] of wanted) {
        if (item.kind !== 'object' || !item.fields.has(name)) {
          throw context.fail('where', `an item has no "${name}"`);
        }
      }
      const get = compile('get', withItem(context.names, item));
      const otherwise = compile('else');
      return {
        fill: (scope) => {
          const values = wanted.map(([name, value]) => [name, value.fill(scope)] as const);
          const found = ((list.fill(scope) ?? []) as unknown[]).find((candidate) =>
            values.every(([name, value]) =>
              isSame((candidate as Record<string, unknown> | null)?.[name], value),
            ),
          );
          return found === undefined ? otherwise.fill(scope) : get.fill(scopeOf(scope, found));
        },
        schema: anyOf([get.schema, otherwise.schema]),
      };
    },
  },
  /** `then` where the value is neither null nor false, else `else`. */
  $if: {
    parts: ['$if', 'then', 'else'],
    compile: (_parts, compile) => {
      const [condition, then, otherwise] = [compile('$if'), compile('then'), compile('else')];
      return {
        fill: (scope) => {
          const value = condition.fill(scope);
          return value === null || value === false ? otherwise.fill(scope) : then.fill(scope);
        },
        schema: anyOf([then.schema, otherwise.schema]),
      };
    },
  },
  /** The first of a list of templates that is not null. */
  $first: {
    parts: ['$first'],
    compile: ({ $first }, _compile, { at, fail }) => {
      if (!Array.isArray($first) || $first.length === 0) throw fail('$first', 'a list of templates');
      const all = $first.map((one, index) => at(one, '$first', index));
      const last = all.at(-1) as Template;
      return {
        fill: (scope) => {
          for (const one of all) {
            const value = one.fill(scope);
            if (value !== null) return value;
          }
          return null;
        },
        schema: anyOf([...all.slice(0, -1).map(({ schema }) => withoutNull(schema)), last.schema]),
      };
    },
  },
  /** The text that a value has beside it in `of`; any other stays as it is, or becomes `else`. */
  $case: {
    parts: ['$case', 'of'],
    optional: ['else'],
    compile: (parts, compile, { fail }) => {
      const value = compile('$case');
      const { of } = parts;
      if (typeof of !== 'object' || of === null) throw fail('of', 'values and what stands for them');
      const table = new Map(Object.entries(of as Record<string, unknown>));
      const otherwise = 'else' in parts ? compile('else') : value;
      return {
        fill: (scope) => {
          const key = keyOf(value.fill(scope));
          return key !== undefined && table.has(key) ? table.get(key) : otherwise.fill(scope);
        },
        schema: anyOf([
          { enum: [...new Set(table.values())] },
          ...('else' in parts || !isCovered(value.schema, table) ? [otherwise.schema] : []),
        ]),
      };
    },
  },
  /** One text of several; null counts as empty. */
  $join: {
    parts: ['$join'],
    optional: ['with'],
    compile: ({ $join, with: between = '' }, compile, { at, fail }) => {
      if (typeof between !== 'string') throw fail('with', 'a text');
      const whole = Array.isArray($join)
        ? $join.map((one, index) => at(one, '$join', index))
        : compile('$join');
      return {
        fill: (scope) => {
          const parts = Array.isArray(whole)
            ? whole.map((one) => one.fill(scope))
            : ((whole.fill(scope) ?? []) as unknown[]);
          return parts.map((part) => (part === null ? '' : String(part as string))).join(between);
        },
        schema: { type: 'string' },
      };
    },
  },
  /** A whole number, of a text too; null for everything else. */
  $integer: {
    parts: ['$integer'],
    compile: (_parts, compile) => {
      const value = compile('$integer');
      return {
        fill: (scope) => {
          const given = value.fill(scope);
          if (typeof given === 'string' && !/^\d{1,10}$/.test(given)) return null;
          const read = number(given);
          return read !== null && Number.isInteger(read) && Math.abs(read) <= LARGEST_INT ? read : null;
        },
        schema: nullable(INTEGER),
      };
    },
  },
  /** A number, of a text too; null for everything else. A whole one keeps all its digits. */
  $number: {
    parts: ['$number'],
    compile: (_parts, compile) => {
      const value = compile('$number');
      const schema = isNullable(value.schema) ? nullable(NUMBER) : NUMBER;
      return { fill: (scope) => exactNumber(value.fill(scope)), schema };
    },
  },
  /** How many items a list has. */
  $count: {
    parts: ['$count'],
    compile: (_parts, compile, { fail }) => {
      const list = compile('$count');
      if (list.known?.kind !== 'list') throw fail('$count', 'is not a list');
      return { fill: (scope) => ((list.fill(scope) ?? []) as unknown[]).length, schema: INTEGER };
    },
  },
  /** `$divide` by `by`, rounded `up` or to so many decimals; null where either is null or `by` is 0. */
  $divide: {
    parts: ['$divide', 'by', 'round'],
    compile: ({ round }, compile, { fail }) => {
      if (round !== 'up' && !(Number.isInteger(round) && (round as number) >= 0 && (round as number) <= 9)) {
        throw fail('round', '"up", or 0 to 9 decimals');
      }
      const [value, by] = [compile('$divide'), compile('by')];
      const scale = round === 'up' ? 1 : 10 ** (round as number);
      const sure = !isNullable(value.schema) && !isNullable(by.schema);
      const schema = round === 'up' || round === 0 ? INTEGER : NUMBER;
      return {
        fill: (scope) => {
          const [a, b] = [number(value.fill(scope)), number(by.fill(scope))];
          if (a === null || b === null || b === 0) return null;
          return round === 'up' ? Math.ceil(a / b) : Math.round((a / b) * scale) / scale;
        },
        schema: sure ? schema : nullable(schema),
      };
    },
  },
  /** A product, rounded to so many decimals; null where either is null. */
  $multiply: {
    parts: ['$multiply', 'by', 'round'],
    compile: ({ round }, compile, { fail }) => {
      if (!(Number.isInteger(round) && (round as number) >= 0 && (round as number) <= 9)) {
        throw fail('round', '0 to 9 decimals');
      }
      const [value, by] = [compile('$multiply'), compile('by')];
      const scale = 10 ** (round as number);
      return {
        fill: (scope) => {
          const [a, b] = [number(value.fill(scope)), number(by.fill(scope))];
          return a === null || b === null ? null : Math.round(a * b * scale) / scale;
        },
        schema: isNullable(value.schema) || isNullable(by.schema) ? nullable(NUMBER) : NUMBER,
      };
    },
  },
  /** Whether the number is above `than`; false where either is null. */
  $above: {
    parts: ['$above', 'than'],
    compile: (_parts, compile) => {
      const [value, than] = [compile('$above'), compile('than')];
      return {
        fill: (scope) => {
          const [a, b] = [number(value.fill(scope)), number(than.fill(scope))];
          return a !== null && b !== null && a > b;
        },
        schema: { type: 'boolean' },
      };
    },
  },
  /** Whether there is a value. */
  $given: {
    parts: ['$given'],
    compile: (_parts, compile) => {
      const value = compile('$given');
      return { fill: (scope) => value.fill(scope) !== null, schema: { type: 'boolean' } };
    },
  },
  /** The time so many days before now. */
  $daysAgo: {
    parts: ['$daysAgo'],
    compile: (_parts, compile) => {
      const days = compile('$daysAgo');
      return {
        fill: (scope) => isoTime((scope['now'] as number) - (number(days.fill(scope)) ?? 0) * DAY_MS),
        schema: { type: 'string', format: 'date-time' },
      };
    },
  },
};

/** How a value stands among the names of a `$case`. */
const keyOf = (value: unknown): string | undefined =>
  ['string', 'number', 'bigint', 'boolean'].includes(typeof value) ? String(value) : undefined;

const isNullable = ({ type, anyOf: some }: JsonSchema): boolean =>
  [type].flat().includes('null') || ((some as JsonSchema[] | undefined)?.some(isNullable) ?? false);

function withoutNull(schema: JsonSchema): JsonSchema {
  const { type, anyOf: some } = schema;
  if (some) return anyOf((some as JsonSchema[]).filter((one) => one['type'] !== 'null').map(withoutNull));
  if (!Array.isArray(type)) return schema;
  const types = (type as string[]).filter((one) => one !== 'null');
  return { ...schema, type: types.length === 1 ? types[0] : types };
}

const isCovered = (schema: JsonSchema, table: ReadonlyMap<string, unknown>): boolean =>
  ((schema['enum'] as unknown[] | undefined) ?? [undefined]).every(
    (value) => value === null || table.has(keyOf(value) ?? ''),
  );
