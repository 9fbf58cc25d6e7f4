import type { GraphQLField, GraphQLNamedOutputType } from 'graphql';
import { getNamedType, isAbstractType, isCompositeType, isNonNullType, isObjectType } from 'graphql';
import { accessRuleOf } from '../../src/graphql/access.js';
import { createSchema } from '../../src/graphql/schema.js';
import { team } from '../../src/teams/decide.js';
import { teamStream } from '../../src/teams/events.js';
import type { MemberRole } from '../generated/graphql.js';
import { InviteMemberDocument } from '../generated/graphql.js';
import { startApp } from '../support/app.js';
import type { TestApp } from '../support/app.js';

const schema = createSchema();
let t: TestApp;
beforeAll(async () => {
  t = await startApp({ patterns: 'patterns' });
});
afterAll(() => t.close());

/** Arguments that a field cannot be asked without, and sizes. */
const ARGUMENTS: Readonly<Record<string, (size: number) => string>> = {
  first: String,
  query: () => '"retry"',
  slug: () => '"circuit-breaker"',
};

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
  // Dates of the database are another realm's in this test runner, and no dates to graphql-scalars.
  if (within.includes(to.name) || to.name === 'DateTimeISO') return [];
  const args = field.args.flatMap((arg) => {
    const value = ARGUMENTS[arg.name];
    const required = isNonNullType(arg.type) && arg.defaultValue === undefined;
    if (required && !value) throw new Error(`say what to give for ${field.name}(${arg.name})`);
    return value ? [`${arg.name}: ${value(size)}`] : [];
  });
  const given = args.length > 0 ? `(${args.join(', ')})` : '';
  const alias = aliased ? `${within.at(-1)}_${field.name}: ` : '';
  return [`${alias}${field.name}${given} ${isCompositeType(to) ? everything(to, size, within) : ''}`];
}

/** Adds so many new users to the members of an account, and as many invitations. */
async function employ(token: string, accountId: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { userId } = await t.register();
    for (const email of [`employed${i}@example.com`, `invited${i}@example.com`]) {
      const input = { email, role: 'VIEWER' as MemberRole };
      const { data } = await t.query(InviteMemberDocument, { input }, token);
      const made = data?.inviteMember;
      if (made?.__typename !== 'InviteMemberPayload') throw new Error(JSON.stringify(made));
      if (email.startsWith('invited')) continue;
      const stream = teamStream(accountId);
      const event = (await t.app.parts.store.readStream(stream)).at(-1);
      const { emailHash } = event?.data as { emailHash: string };
      const { id: invitationId } = made.invitation;
      await t.app.parts.commands.handle(
        team,
        stream,
        { type: 'AcceptInvitation', invitationId, userId, emailHash, verified: true, at: new Date() },
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
  }
  await t.caughtUp();
}

/** Counts what reaches the database while somebody asks. */
async function statements(query: string, credential: string): Promise<number> {
  const { sql } = t.app.parts;
  const send = sql.query.bind(sql);
  let count = 0;
  sql.query = (text, params) => {
    // What asks a read model; the journal, the projections, their leases and mails go on meanwhile.
    if (/^\s*SELECT/.test(text) && /\bread\.(?!mails)\w+_v\d/.test(text)) count++;
    return send(text, params) as never;
  };
  try {
    const { status, errors } = await t.raw(query, {}, credential);
    expect([status, errors]).toEqual([200, undefined]);
  } finally {
    sql.query = send;
  }
  return count;
}

const roots = Object.values(schema.getQueryType()?.getFields() ?? {});

it.each(roots.filter(({ name }) => name !== 'node').map((field) => [field.name, field] as const))(
  '%s sends as many statements for a long list as for a short one (no N+1)',
  async (_name, field) => {
    const { secret, token, userId, accountId } = await t.customer('enterprise');
    if (accessRuleOf(field)?.operator) await t.makeOperator({ userId, accountId });
    await Promise.all(Array.from({ length: 6 }, () => t.issueKey(token)));
    if (field.name === 'me') await employ(token, accountId, 3);
    // A session sees what a key of one scope does not.
    const credential = accessRuleOf(field)?.roles ? token : secret;
    // Seen before: what is kept of plans and counts is there for both.
    const ask = (size: number) => statements(`{ ${call(field, size, ['Query']).join(' ')} }`, credential);
    await ask(3);
    const [short, long] = [await ask(2), await ask(50)];
    expect(long).toBeLessThanOrEqual(short);
    if (['patterns', 'searchPatterns'].includes(field.name)) expect(short).toBeGreaterThan(0);
  },
);
