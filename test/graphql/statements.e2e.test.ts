import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { GraphQLField, GraphQLNamedOutputType } from 'graphql';
import { getNamedType, isAbstractType, isCompositeType, isNonNullType, isObjectType } from 'graphql';
import { listSizeOf } from '../../src/graphql/cost/directives.js';
import { givenId } from '../../src/graphql/kit/ids.js';
import { accessRuleOf } from '../../src/graphql/kit/access.js';
import { createSchema } from '../../src/graphql/execution/schema.js';
import { teamDecider } from '../../src/teams/decide.js';
import { teamStream } from '../../src/teams/events.js';
import type { MemberRole } from '../generated/graphql.js';
import { InviteMemberDocument } from '../generated/graphql.js';
import { startApp } from '../support/app.js';
import type { TestApp } from '../support/app.js';

const schema = createSchema();
/** Holds in all that an HTTP request has begun. */
const forRequest = new AsyncLocalStorage<true>();
subscribe('http.server.request.start', () => forRequest.enterWith(true));
let t: TestApp;
beforeAll(async () => {
  t = await startApp({ patterns: 'patterns' });
});
afterAll(() => t.close());

/** Arguments that a field cannot be asked without, and sizes. */
const ARGUMENTS: Readonly<Record<string, (size: number) => string>> = {
  first: String,
  query: () => '"retry"',
  by: () => '{ slug: "circuit-breaker" }',
  id: () => JSON.stringify(asking),
  groupBy: () => '[KEY]',
  requestId: () => '"unknown"',
};
/** The account that is asked about. */
let asking = '';

/** Everything that can be asked of a type, each field once, lists at the given size. */
function everything(
  type: GraphQLNamedOutputType,
  size: number,
  within: readonly string[] = [],
  aliased = false,
): string {
  if (isAbstractType(type)) {
    // Members of unions have fields of the same name and other types.
    const members = schema
      .getPossibleTypes(type)
      .map((of) => `... on ${of.name} ${everything(of, size, within, true)}`);
    return `{ __typename ${members.join(' ')} }`;
  }
  if (!isObjectType(type)) return '';
  const fields = Object.values(type.getFields()).flatMap((field) =>
    call(field, size, [...within, type.name], aliased),
  );
  return `{ __typename ${fields.join(' ')} }`;
}

function call(
  field: GraphQLField<unknown, unknown>,
  size: number,
  within: readonly string[],
  aliased = false,
): string[] {
  const to = getNamedType(field.type);
  // Dates of the database are another realm's in this test runner, and no dates to graphql-scalars; this one
  // is made from a number.
  const foreign = to.name === 'DateTime' && field.name !== 'lastUsedAt';
  if (within.includes(to.name) || foreign) return [];
  // What entries of a list have is asked of each of them, within what a call may cost.
  const listed = within.some((name) => name.endsWith('Connection'));
  if (listed && (field.args.length > 0 || (listSizeOf(field) && isCompositeType(to)))) return [];
  // One asks Stripe; the other is as long as the time that is asked about.
  if (['planChangePreview', 'usageTimeline'].includes(field.name)) return [];
  // All that accounts have, asked again of those that operators see, is more than a call may ask.
  if (within.includes('Operator') && within.at(-1) === 'Account' && to.name !== 'ID') return [];
  const args = field.args.flatMap((arg) => {
    const value = ARGUMENTS[arg.name];
    const required = isNonNullType(arg.type) && arg.defaultValue === undefined;
    if (required && !value) throw new Error(`say what to give for ${field.name}(${arg.name})`);
    const optional = arg.name === 'id' && !required;
    return value && !optional ? [`${arg.name}: ${value(size)}`] : [];
  });
  const given = args.length > 0 ? `(${args.join(', ')})` : '';
  const alias = aliased ? `${within.at(-1)}_${field.name}: ` : '';
  return [`${alias}${field.name}${given} ${isCompositeType(to) ? everything(to, size, within) : ''}`];
}

/** Makes an invitation to an account, and has a user accept it. */
async function invite(token: string, accountId: string, email: string, userId?: string): Promise<void> {
  const input = { email, role: 'VIEWER' as MemberRole };
  const { data } = await t.query(InviteMemberDocument, { input }, token);
  const made = data?.inviteMember;
  if (made?.__typename !== 'InviteMemberPayload') throw new Error(JSON.stringify(made));
  if (userId === undefined) return;
  const stream = teamStream(accountId);
  const event = (await t.app.parts.store.readStream(stream)).at(-1);
  const { emailHash } = event?.data as { emailHash: string };
  const invitationId = givenId('Invitation', made.invitation.id);
  await t.app.parts.commands.handle(
    teamDecider,
    stream,
    {
      type: 'AcceptInvitation',
      invitationId,
      userId,
      emailHashes: [emailHash],
      verified: true,
      at: new Date(),
    },
    {
      commandId: invitationId,
      caller: `user:${userId}`,
      requestHash: 'test',
      at: new Date(),
      environment: 'live',
      correlationId: 'test',
    },
  );
}

/** Adds members and invitations to an account, and its user to other accounts. */
async function employ(token: string, accountId: string, userId: string): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const { userId: employed } = await t.register();
    await invite(token, accountId, `employed${i}@example.com`, employed);
    await invite(token, accountId, `invited${i}@example.com`);
    const other = await t.customer('enterprise');
    await invite(other.token, other.accountId, 'employer@example.com', userId);
  }
  await t.caughtUp();
}

/** Where an answer has pages, and how many entries they have. */
function pages(answer: unknown, path = ''): [path: string, entries: number][] {
  if (Array.isArray(answer)) {
    const own: [string, number][] = /(edges|nodes)$/.test(path) ? [[path, answer.length]] : [];
    return [...own, ...(answer.length > 0 ? pages(answer[0], path) : [])];
  }
  if (typeof answer !== 'object' || answer === null) return [];
  return Object.entries(answer).flatMap(([name, value]) => pages(value, `${path}.${name}`));
}

/** Counts what reaches the database while somebody asks. */
async function statements(query: string, credential: string) {
  const { sql } = t.app.parts;
  const send = sql.query.bind(sql);
  let count = 0;
  sql.query = (text, params) => {
    // What asks a read model, for a request: whatever works in the background goes on meanwhile.
    if (forRequest.getStore() && /^\s*SELECT/.test(text) && /\bread\.\w+_v\d/.test(text)) count++;
    return send(text, params) as never;
  };
  try {
    const { status, errors, data } = await t.raw(query, {}, credential);
    expect([status, errors]).toEqual([200, undefined]);
    return { count, pages: pages(data) };
  } finally {
    sql.query = send;
  }
}

/** Lists that this test does not fill: tests of their own ask for them. */
const UNFILLED =
  /\.(webhookEndpoints|invoices|paymentEvents|prices|uses|duplicateUses|usageThresholds|myAnalyses|ruleSets|invoiceDifferences|overageCorrections|disputes|agreedPrices)\./;

/** The pages that were asked for, by their paths. */
const listed: string[] = [];

const roots = Object.values(schema.getQueryType()?.getFields() ?? {});

it.each(
  roots
    .filter(({ name }) => !/^(nodes?|prices|ruleSetTrial)$/.test(name))
    .map((field) => [field.name, field] as const),
)('%s sends as many statements for a long list as for a short one (no N+1)', async (_name, field) => {
  const { secret, token, userId, accountId } = await t.customer('enterprise');
  if (accessRuleOf(field)?.operator) await t.makeOperator({ userId, accountId });
  await Promise.all(Array.from({ length: 6 }, () => t.issueKey(token)));
  asking = accountId;
  if (['me', 'account', 'operator'].includes(field.name)) await employ(token, accountId, userId);
  // A session sees what a key of one scope does not.
  const credential = accessRuleOf(field)?.roles ? token : secret;
  // Seen before: what is kept of plans is there for both. What is kept of counts is dropped when the use of
  // the question before is folded: for both.
  const ask = async (size: number) => {
    await t.caughtUp();
    return statements(`{ ${call(field, size, ['Query']).join(' ')} }`, credential);
  };
  await ask(3);
  const short = await ask(2);
  let long = await ask(50);
  // Loads that come a turn apart are two statements now and then; one for each entry would be there each time.
  for (let again = 0; again < 2 && long.count > short.count; again++) long = await ask(50);
  expect(long.count).toBeLessThanOrEqual(short.count);
  if (['patterns', 'searchPatterns'].includes(field.name)) expect(short.count).toBeGreaterThan(0);
  // A list that is no longer than the short one would show nothing.
  const brief = long.pages.filter(([path, entries]) => entries <= 2 && !UNFILLED.test(path));
  expect(brief).toEqual([]);
  listed.push(...long.pages.map(([path]) => path));
});

it('has asked for every list that the schema has in pages', () => {
  // Those of entries of other lists are left aside.
  const types = ['Query', 'Viewer', 'Account', 'Operator']
    .map((name) => schema.getType(name))
    .filter(isObjectType);
  const fields = types.flatMap((type) =>
    Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field] as const),
  );
  const connections = fields.filter(([, field]) => getNamedType(field.type).name.endsWith('Connection'));
  expect(connections.length).toBeGreaterThan(5);
  // The last two names of a path are the list and its edges or nodes.
  const lists = new Set(listed.map((path) => path.split('.').slice(-2).join('.')));
  const expected = connections.flatMap(([place]) => {
    const name = place.split('.')[1] as string;
    return [`${name}.edges`, `${name}.nodes`];
  });
  expect([...lists].sort()).toEqual([...new Set(expected)].sort());
});
