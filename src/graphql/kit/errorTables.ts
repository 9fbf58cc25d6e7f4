import type { GraphQLSchema } from 'graphql';
import { isInterfaceType } from 'graphql';
import { APOLLO_ERRORS, ERRORS } from './errors.js';

type Codes = Readonly<Record<string, readonly [status: number, message: string]>>;

const HEAD = `# Codes

Made from the code by \`npm run schema\`; the tests fail when it is not up to date. Decide by codes: sentences may change, and some are more exact than here.

## In \`errors[].extensions.code\`

| status | code | sentence |
| --- | --- | --- |
`;

const REFUSALS = `
Beside \`data\` the status is 200 whatever the code: one field has failed, and is null.

Where a limit refuses, \`extensions\` has its name as \`limit\`, its \`window\`, and as texts its \`amount\` and what is \`used\`, in the smallest unit of its meter: they may have more digits than a JSON number keeps. \`retryAfter\` is a number of seconds.

## Expected failures

Members of a mutation's or query's union, which implement \`Refusal { code message }\`.

| type | when |
| --- | --- |
`;

/** \`docs/errors.md\`: every code that an answer can carry, with its HTTP status and public sentence. */
export function errorTables(schema: GraphQLSchema): string {
  const codes = Object.entries<Codes[string]>({ ...ERRORS, ...APOLLO_ERRORS });
  const rows = codes
    .sort(([a, [x]], [b, [y]]) => x - y || (a < b ? -1 : 1))
    .map(([code, [status, message]]) => `| ${status} | \`${code}\` | ${message} |\n`);
  const refusal = schema.getType('Refusal');
  if (!isInterfaceType(refusal)) throw new Error('the schema has no Refusal');
  const types = [...schema.getPossibleTypes(refusal)]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, description }) => `| \`${name}\` | ${description} |\n`);
  return `${HEAD}${rows.join('')}${REFUSALS}${types.join('')}`;
}
