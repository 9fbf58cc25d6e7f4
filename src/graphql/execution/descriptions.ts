import type { GraphQLSchema } from 'graphql';
import { isEnumType, isIntrospectionType, isUnionType } from 'graphql';

const SCHEMA = `Sell access to an API: keys, plans, exact limits, usage and teams.

Send an API key as \`X-API-Key\` or \`Authorization: Bearer\`; users sign in and send their session token as
\`Authorization: Bearer\`. Begin with \`account { plan { name } limits { name used remaining resetAt } }\`.

Calls with a key take one request and cost points from the plan. \`@cost\` and \`@listSize\` say what a field costs, \`@access\` who may ask for it. The headers \`RateLimit\` and \`RateLimit-Policy\` say what is left.

The schema grows without versions. What goes is marked \`@deprecated\` six months before. New fields, enum
values and union members may come at any time: let your client handle values that it does not know.`;

const QUERY = `All reads. Lists are paged: \`first\` is the page size, \`after\` takes the \`endCursor\` of the previous page.

How much of the month is left, and by key:
\`{ account { limits { name window remaining resetAt } keys(first: 100) { nodes { name limitStatus { name remaining } } } } }\`.`;

const MUTATION = `All writes. Each mutation takes one \`input\` and returns a union of its payload and the refusals that you should
expect. Select \`... on Refusal { code message }\` in each of them, and branch on \`code\`.

Send a \`commandId\` of your own to make retries safe: the same command sent again changes nothing and returns the
first result, without secrets, with \`replayed: true\`. After the answer, queries on the same node show the change;
on other nodes pass the payload's \`position\` as \`minPosition\`.`;

const SUBSCRIPTION = `Live updates, over WebSockets (\`graphql-transport-ws\`) or server-sent events, at the same address.
Each event has a \`position\` and uses the types of the queries. Slow readers receive only the latest state.`;

/**
 * Describes what no class stands for, the first page that a newcomer reads, and says of every enum and union that
 * it may grow: clients of today have to be ready for members of tomorrow.
 */
export function describeRoots(schema: GraphQLSchema): void {
  schema.description = SCHEMA;
  const roots = [
    [schema.getQueryType(), QUERY],
    [schema.getMutationType(), MUTATION],
    [schema.getSubscriptionType(), SUBSCRIPTION],
  ] as const;
  for (const [type, text] of roots) if (type) type.description = text;
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type)) continue;
    const more = isEnumType(type) ? 'values' : isUnionType(type) ? 'types' : undefined;
    if (!more) continue;
    const grows = `New ${more} may be added.`;
    // The types of directives are the same in every schema of the process.
    if (!type.description?.endsWith(grows)) type.description = `${type.description ?? ''} ${grows}`;
  }
}
