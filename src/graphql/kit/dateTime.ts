import type { ValueNode } from 'graphql';
import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';
import { timeOf } from '../../text/time.js';

/** The error does not repeat what was given: callers keep errors in their logs. */
function timeIn(given: unknown, nodes: ValueNode | null): Date {
  // graphql-jit coerces again what graphql-js has coerced.
  const time = typeof given === 'string' ? timeOf(given) : given instanceof Date ? given : undefined;
  if (time) return time;
  throw new GraphQLError(
    'A time must be one of the calendar with a zone, like 2026-11-23T10:15:30Z, in the years 1 to 9999 (UTC).',
    { nodes },
  );
}

/** Answers are written by graphql-scalars; what is given is read by the same rules as everywhere (time.ts). */
export const DateTimeISO = new GraphQLScalarType<Date, string>({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  description:
    'A point in time per RFC 3339, e.g. `2026-11-23T10:15:30Z`. A time zone is required; a date alone is refused. Years 1 to 9999. Answers are always in UTC.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
  parseValue: (value) => timeIn(value, null),
  parseLiteral: (node) => timeIn(node.kind === Kind.STRING ? node.value : undefined, node),
});
