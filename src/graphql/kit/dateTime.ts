import type { ValueNode } from 'graphql';
import { GraphQLError, GraphQLScalarType } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';

/** In UTC: years 1 to 9999, which ISO 8601 writes with four digits and PostgreSQL reads. */
export function isStorable(time: Date): boolean {
  const year = time.getUTCFullYear();
  return year >= 1 && year <= 9999;
}

function storable(time: Date, nodes: ValueNode | null): Date {
  if (isStorable(time)) return time;
  throw new GraphQLError('A time must be in the years 1 to 9999 (UTC).', { nodes });
}

const { parseValue, parseLiteral, ...config } = GraphQLDateTimeISO.toConfig();

/**
 * graphql-scalars' own takes every year that has four digits where it was written: one that is another in
 * UTC is refused here, before a read model meets it that cannot store it.
 */
export const DateTimeISO = new GraphQLScalarType<Date, string>({
  ...config,
  description:
    'A point in time as in RFC 3339, e.g. `2026-11-23T10:15:30Z`: with a zone, in the years 1 to 9999, and never a date alone. Answers are in UTC.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
  parseValue: (value) => storable(parseValue(value), null),
  parseLiteral: (node, variables) => storable(parseLiteral(node, variables), node),
});
