import type { ValueNode } from 'graphql';
import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { isTimeZone } from '../../text/timeZone.js';

/** The error does not repeat what was given: callers keep errors in their logs. */
function zoneIn(given: unknown, nodes: ValueNode | null): string {
  if (typeof given === 'string' && isTimeZone(given)) return given;
  throw new GraphQLError('A time zone must be a name of the IANA database, like "Asia/Kolkata" or "UTC".', {
    nodes,
  });
}

/** By whose clocks days and months begin. */
export const TimeZone = new GraphQLScalarType<string, string>({
  name: 'TimeZone',
  description:
    'The name of a time zone in the IANA database, e.g. `Asia/Kolkata`, `America/New_York` or `UTC`. Daylight saving time is taken into account.',
  specifiedByURL: 'https://www.iana.org/time-zones',
  serialize: (value) => String(value),
  parseValue: (value) => zoneIn(value, null),
  parseLiteral: (node) => zoneIn(node.kind === Kind.STRING ? node.value : undefined, node),
});
