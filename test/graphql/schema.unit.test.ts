import { readdirSync, readFileSync } from 'node:fs';
import type { GraphQLField, GraphQLNamedType, GraphQLSchema, OperationTypeNode } from 'graphql';
import {
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  parse,
  print,
  printSchema,
  validateSchema,
} from 'graphql';
import { accessRuleOf } from '../../src/graphql/kit/access.js';
import { errorTables } from '../../src/graphql/kit/errorTables.js';
import { documentIdOf } from '../../src/graphql/transport/trustedDocuments.js';
import { createSchema, sdlOf } from '../../src/graphql/execution/schema.js';
import { meteringOf } from '../../src/graphql/kit/metering.js';

const schema = createSchema();

/** Types of ours, without introspection and the scalars of the language. */
const types = (of: GraphQLSchema): GraphQLNamedType[] =>
  Object.values(of.getTypeMap()).filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type));

/** Every place of the schema that people read, with its description. */
function described(of: GraphQLSchema): [place: string, description: string | null | undefined][] {
  return types(of).flatMap((type): [string, string | null | undefined][] => {
    // The roots are named by the language.
    const root = [of.getQueryType(), of.getMutationType(), of.getSubscriptionType()].includes(type as never);
    const places: [string, string | null | undefined][] = root ? [] : [[type.name, type.description]];
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        places.push([`${type.name}.${field.name}`, field.description]);
        for (const arg of field.args) {
          places.push([`${type.name}.${field.name}(${arg.name})`, arg.description]);
        }
      }
    } else if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        places.push([`${type.name}.${field.name}`, field.description]);
      }
    } else if (isEnumType(type)) {
      for (const value of type.getValues()) places.push([`${type.name}.${value.name}`, value.description]);
    }
    return places;
  });
}

it('is valid', () => {
  expect(validateSchema(schema)).toEqual([]);
});

it('is the published contract, schema/schema.graphql', () => {
  const committed = readFileSync('schema/schema.graphql', 'utf8');
  // The file is formatted; printed again from its parse, both have one form. Order and descriptions count.
  expect(print(parse(committed))).toBe(print(parse(sdlOf(schema))));
  const published = buildSchema(committed);
  expect(printSchema(lexicographicSortSchema(published))).toBe(printSchema(lexicographicSortSchema(schema)));
  expect([...findBreakingChanges(published, schema), ...findDangerousChanges(published, schema)]).toEqual([]);
});

it('comes with the trusted documents and the tables of codes that belong to it', () => {
  const folder = 'schema/operations';
  const texts = readdirSync(folder).map((file) => print(parse(readFileSync(`${folder}/${file}`, 'utf8'))));
  const manifest = JSON.parse(readFileSync('schema/operations.json', 'utf8')) as Record<string, string>;
  expect(manifest).toEqual(Object.fromEntries(texts.map((text) => [documentIdOf(text), text])));
  expect(readFileSync('docs/errors.md', 'utf8')).toBe(errorTables(schema));
});

it('lists in the tables every code that a command is refused with', () => {
  const tables = readFileSync('docs/errors.md', 'utf8');
  // Those of an installation end a start, those of a mail nobody is answered.
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^(installation|mail)/.test(file))
    .map((file) => readFileSync(`src/${file}`, 'utf8'));
  const refusals = files.flatMap((text) => [
    ...text.matchAll(/\b(?:refused?|[A-Z]\w+(?:Refused|Stays|Input))\([^;]*?'([A-Z]+(?:_[A-Z]+)+)'/g),
  ]);
  const codes = new Set(refusals.map(([, code]) => code as string));
  expect(codes.size).toBeGreaterThan(15);
  expect([...codes].filter((code) => !tables.includes(`\`${code}\``))).toEqual([]);
});

/** Breaking changes against the schema of the last release that nobody has declared, and declared ones that there are not. */
function undeclared(released: GraphQLSchema, now: GraphQLSchema, declared: readonly string[]): string[] {
  const changes = findBreakingChanges(released, now).map(({ description }) => description);
  return [
    ...changes.filter((change) => !declared.includes(change)).map((change) => `not declared: ${change}`),
    ...declared.filter((change) => !changes.includes(change)).map((change) => `declared in vain: ${change}`),
  ];
}

it('breaks no client of the last release, but for what schema/breaking.json declares with a reason', () => {
  const released = buildSchema(readFileSync('schema/released.graphql', 'utf8'));
  const declared = JSON.parse(readFileSync('schema/breaking.json', 'utf8')) as Record<string, string>;
  expect(Object.values(declared).filter((reason) => reason.trim().length < 10)).toEqual([]);
  expect(undeclared(released, schema, Object.keys(declared))).toEqual([]);
});

it('would notice a breaking change', () => {
  const now = buildSchema('type Query { kept: String }');
  const released = buildSchema('type Query { kept: String, gone: String }');
  expect(undeclared(released, now, [])).toEqual(['not declared: Query.gone was removed.']);
  expect(undeclared(released, now, ['Query.gone was removed.'])).toEqual([]);
  expect(undeclared(now, now, ['Query.gone was removed.'])).toEqual([
    'declared in vain: Query.gone was removed.',
  ]);
});

it('describes every type, field, argument and enum value', () => {
  const places = described(schema);
  expect(places.length).toBeGreaterThan(100);
  expect(places.filter(([, text]) => !text || text.trim().length < 4).map(([place]) => place)).toEqual([]);
});

it('says of every scalar of its own where it is specified', () => {
  const scalars = types(schema).filter(isScalarType);
  expect(scalars.map(({ name, specifiedByURL }) => [name, specifiedByURL])).toEqual([
    ['DateTimeISO', expect.stringMatching(/^https:/)],
    ['BigInt', expect.stringMatching(/^https:/)],
    ['CurrencyCode', expect.stringMatching(/^https:/)],
    ['Quantity', expect.stringMatching(/^https:/)],
    ['URL', expect.stringMatching(/^https:/)],
  ]);
});

/** Null takes the place of what failed, and of everything round it up to the next field that may be null. */
it('lets what asks a read model on its own fail on its own', () => {
  const priced = (field: GraphQLField<unknown, unknown>) =>
    field.astNode?.directives?.some(({ name }) => name.value === 'cost') === true;
  const asking = types(schema)
    .filter(isObjectType)
    .flatMap((type) => Object.values(type.getFields()).map((field) => ({ type, field })))
    .filter(({ field }) => field.args.length > 0 || priced(field));
  expect(asking.length).toBeGreaterThan(30);
  const whole = asking.filter(({ field }) => isNonNullType(field.type));
  // Priced for its length; it came with its pattern.
  expect(whole.map(({ type, field }) => `${type.name}.${field.name}`)).toEqual(['PatternExample.text']);
});

describe('the root fields', () => {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
    (type) =>
      type ? Object.keys(type.getFields()).map((field) => [type.name.toLowerCase(), field] as const) : [],
  );

  it('all say how they are metered', () => {
    expect(roots.length).toBeGreaterThan(8);
    expect(roots.filter(([operation, field]) => meteringOf(schema, operation, field) === undefined)).toEqual(
      [],
    );
  });

  it('all say who may ask for them', () => {
    const silent = roots.filter(([operation, field]) => {
      const type = schema.getRootType(operation as OperationTypeNode);
      const root = type?.getFields()[field];
      return !root || !accessRuleOf(root);
    });
    expect(silent).toEqual([]);
  });

  // Who makes a field free to call, or guarded only, says so here too.
  it('are governed but for these', () => {
    const free = roots
      .map(([operation, field]) => `${field}: ${meteringOf(schema, operation, field)}`)
      .filter((text) => !text.endsWith(': governed'));
    expect(free.sort()).toEqual([
      'acceptInvitation: guarded',
      'account: guarded',
      'cancelSubscription: guarded',
      'changeEmail: guarded',
      'changeMemberRole: guarded',
      'changePassword: guarded',
      'changePlan: guarded',
      'confirmEmailChange: anonymous',
      'createWebhookEndpoint: guarded',
      'deleteAccount: guarded',
      'deleteWebhookEndpoint: guarded',
      'grantOperator: guarded',
      'grantPlan: guarded',
      'inviteMember: guarded',
      'invoice: guarded',
      'issueKey: guarded',
      'leaveTeam: guarded',
      'me: guarded',
      'openBillingPortal: guarded',
      'operator: guarded',
      'prices: guarded',
      'refreshSession: anonymous',
      'registerUser: anonymous',
      'removeMember: guarded',
      'replayWebhookDeliveries: guarded',
      'requestPasswordReset: anonymous',
      'resetPassword: anonymous',
      'resumeSubscription: guarded',
      'revokeKey: guarded',
      'revokeKeyAsOperator: guarded',
      'revokeOperator: guarded',
      'rotateKey: guarded',
      'rotateWebhookSecret: guarded',
      'signIn: anonymous',
      'signOut: guarded',
      'signOutEverywhere: guarded',
      'startCheckout: guarded',
      'testWebhookEndpoint: guarded',
      'updateProfile: guarded',
      'updateWebhookEndpoint: guarded',
      'usageChanged: guarded',
      'verifyEmail: anonymous',
      'verifyKey: service',
      'webhookEventTypes: guarded',
      'withdrawInvitation: guarded',
    ]);
  });

  it('are nullable, so that one that fails leaves the others', () => {
    const strict = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
      (type) => Object.values(type?.getFields() ?? {}).filter((field) => String(field.type).endsWith('!')),
    );
    // `categories` and the like must not take the whole answer with them.
    expect(strict.map(({ name }) => name)).toEqual([]);
  });

  it('of mutations take one input and answer with a payload that has a position, or a refusal', () => {
    // It is no command: what it spends is a use, and its answer tells of the key.
    const { verifyKey: _, ...commands } = schema.getMutationType()?.getFields() ?? {};
    for (const field of Object.values(commands)) {
      expect([field.name, field.args.map(({ name }) => name)]).toEqual([field.name, ['input']]);
      const input = schema.getType(String(field.args[0]?.type).replace('!', ''));
      expect(isInputObjectType(input) && Object.keys(input.getFields())).toContain('commandId');
      const result = schema.getType(String(field.type).replace('!', ''));
      const members = schema.getPossibleTypes(result as Parameters<GraphQLSchema['getPossibleTypes']>[0]);
      const payloads = members.filter(({ name }) => name.endsWith('Payload'));
      expect(payloads.map((type) => Object.keys(type.getFields()).includes('position'))).toEqual([true]);
      for (const refusal of members.filter((type) => !payloads.includes(type))) {
        expect([refusal.name, refusal.getInterfaces().map(({ name }) => name)]).toEqual([
          refusal.name,
          ['Refusal'],
        ]);
      }
    }
  });
});
