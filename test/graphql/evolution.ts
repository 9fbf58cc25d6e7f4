import type { GraphQLSchema } from 'graphql';
import {
  findBreakingChanges,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
} from 'graphql';

/** `Use X. Removed after 2027-06-01.` */
const REASON = /^Use [^.].*\. Removed after (\d{4}-\d{2}-\d{2})\.$/;
const NOTICE_MONTHS = 6;

/** What clients may use, as breaking changes name it, and why it is deprecated, if it is. */
function* parts(schema: GraphQLSchema): Generator<readonly [name: string, deprecated: string | null]> {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type)) continue;
    if (isEnumType(type)) {
      for (const value of type.getValues()) {
        yield [`${value.name} was removed from enum type ${type.name}.`, value.deprecationReason ?? null];
      }
    } else if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        yield [`${type.name}.${field.name} was removed.`, field.deprecationReason ?? null];
      }
    } else if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        yield [`${type.name}.${field.name} was removed.`, field.deprecationReason ?? null];
        for (const arg of field.args) {
          yield [`${type.name}.${field.name} arg ${arg.name} was removed.`, arg.deprecationReason ?? null];
        }
      }
    }
  }
}

/**
 * Breaking changes against the schema of the last release that were not announced in it, for as long as it said,
 * and that nobody has declared; and declared ones that there are not.
 */
export function undeclared(
  released: GraphQLSchema,
  now: GraphQLSchema,
  declared: readonly string[],
  today: string,
): string[] {
  const announced = new Set(
    [...parts(released)].flatMap(([removal, reason]) => {
      const date = REASON.exec(reason ?? '')?.[1];
      return date !== undefined && date < today ? [removal] : [];
    }),
  );
  const changes = findBreakingChanges(released, now).map(({ description }) => description);
  return [
    ...changes
      .filter((change) => !declared.includes(change) && !announced.has(change))
      .map((change) => `not declared: ${change}`),
    ...declared.filter((change) => !changes.includes(change)).map((change) => `declared in vain: ${change}`),
  ];
}

/**
 * What is deprecated without saying what to use, or for less than six months.
 * @param since when each was deprecated, `2026-11-29`, by what its removal would be called
 */
export function badDeprecations(schema: GraphQLSchema, since: Readonly<Record<string, string>>): string[] {
  const deprecated = [...parts(schema)].filter(([, reason]) => reason !== null);
  const names = new Set(deprecated.map(([name]) => name));
  return [
    ...deprecated.flatMap(([name, reason]) => {
      const [, date] = REASON.exec(reason ?? '') ?? [];
      if (date === undefined) return [`${name} Its reason is not "Use X. Removed after DATE."`];
      const began = since[name];
      if (began === undefined) return [`${name} schema/deprecated.json does not say since when.`];
      const earliest = new Date(`${began}T00:00:00Z`);
      earliest.setUTCMonth(earliest.getUTCMonth() + NOTICE_MONTHS);
      return Date.parse(date) < earliest.getTime() ? [`${name} It goes after less than six months.`] : [];
    }),
    ...Object.keys(since).flatMap((name) => (names.has(name) ? [] : [`${name} It is not deprecated.`])),
  ];
}
