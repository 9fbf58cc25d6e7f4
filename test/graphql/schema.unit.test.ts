import { readdirSync, readFileSync } from 'node:fs';
import type {
  GraphQLField,
  GraphQLInputField,
  GraphQLNamedType,
  GraphQLSchema,
  GraphQLType,
  OperationTypeNode,
} from 'graphql';
import {
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  getNamedType,
  GraphQLID,
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
import { isIdType } from '../../src/graphql/kit/ids.js';
import { meteringOf } from '../../src/graphql/kit/metering.js';

const schema = createSchema();

/** Types of ours, without introspection and the scalars of the language. */
const types = (of: GraphQLSchema): GraphQLNamedType[] =>
  Object.values(of.getTypeMap()).filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type));

/** Every place of the schema that people read, with its description. */
function described(of: GraphQLSchema): [place: string, description: string | null | undefined][] {
  return types(of).flatMap((type): [string, string | null | undefined][] => {
    const places: [string, string | null | undefined][] = [[type.name, type.description]];
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
  // Those of an installation end a start.
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('installation'))
    .map((file) => readFileSync(`src/${file}`, 'utf8'));
  const refusals = files.flatMap((text) => [
    ...text.matchAll(/\b(?:refused?|[A-Z]\w+(?:Refused|Stays|Input))\([^;]*?'([A-Z]+(?:_[A-Z]+)+)'/g),
  ]);
  const codes = new Set(refusals.map(([, code]) => code as string));
  expect(codes.size).toBeGreaterThan(15);
  expect([...codes].filter((code) => !tables.includes(`\`${code}\``))).toEqual([]);
});

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Whether a description says nothing: fewer than three words, or nothing but the name again. */
function isFiller(place: string, text: string | null | undefined): boolean {
  const words = wordsOf(text ?? '');
  const name = (place.split(/[.(]/).at(-1) ?? '').replace(')', '').replace(/([a-z\d])([A-Z])/g, '$1 $2');
  const known = new Set([
    ...wordsOf(name.replace(/_/g, ' ')),
    'the',
    'a',
    'an',
    'its',
    'of',
    'this',
    'it',
    'is',
  ]);
  return words.length < 3 || words.every((word) => known.has(word));
}

it('describes itself, and every type, field, argument and enum value, and not by fillers', () => {
  const places = described(schema);
  expect(places.length).toBeGreaterThan(100);
  expect(
    places.filter(([place, text]) => isFiller(place, text)).map(([place, text]) => `${place}: ${text}`),
  ).toEqual([]);
  expect(wordsOf(schema.description ?? '').length).toBeGreaterThan(50);
});

it('would notice a filler', () => {
  expect(isFiller('Key.name', 'Its name.')).toBe(true);
  expect(isFiller('KeyScope.READ', 'Read only.')).toBe(true);
  expect(isFiller('Query.account(accountId)', 'The account id of the account.')).toBe(true);
  expect(isFiller('Key.last4', 'The last four characters of the secret.')).toBe(false);
});

it('says of every scalar of its own where it is specified', () => {
  const scalars = types(schema).filter(isScalarType);
  expect(scalars.map(({ name, specifiedByURL }) => [name, specifiedByURL]).sort()).toEqual([
    ['BigInt', expect.stringMatching(/^https:/)],
    ['CurrencyCode', expect.stringMatching(/^https:/)],
    ['DateTime', expect.stringMatching(/^https:/)],
    ['Quantity', expect.stringMatching(/^https:/)],
    ['TimeZone', expect.stringMatching(/^https:/)],
    ['URL', expect.stringMatching(/^https:/)],
    ['UncheckedQuantity', expect.stringMatching(/^https:/)],
  ]);
});

it('says of every id whose it is, so that all are shown and taken alike', () => {
  // Of the profile, of the journal, and what a header names.
  const others = [
    'meter',
    'planId',
    'useId',
    'Plan.id',
    'WebhookDelivery.id',
    'Mail.id',
    'mailId',
    'deliveryIds',
    'priceId',
    'Price.id',
    'PaymentEvent.id',
    'Dispute.id',
    'Dispute.paymentId',
    'invoiceId',
    'eventIds',
    'Reservation.id',
    'reservationId',
    'CreditPackOffer.id',
    'packId',
  ];
  const silent = types(schema).flatMap((type) => {
    if (!isObjectType(type) && !isInputObjectType(type)) return [];
    const isNode = isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node');
    const fields: readonly (GraphQLField<unknown, unknown> | GraphQLInputField)[] = Object.values(
      type.getFields(),
    );
    return fields
      .filter((field) => {
        if (isNode && field.name === 'id') return !isIdType(type.name);
        return (
          getNamedType(field.type as GraphQLType) === GraphQLID && field.extensions['idOf'] === undefined
        );
      })
      .filter(({ name }) => !others.includes(name) && !others.includes(`${type.name}.${name}`))
      .map(({ name }) => `${type.name}.${name}`);
  });
  expect(silent).toEqual([]);
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
      'analysis: guarded',
      'analysisChanged: guarded',
      'buyCredits: guarded',
      'cancelSubscription: guarded',
      'changeMemberRole: guarded',
      'changePassword: guarded',
      'changePlan: guarded',
      'confirmEmailChange: anonymous',
      'correctUsage: service',
      'createAnalyses: guarded',
      'createAnalysis: guarded',
      'createRuleSet: guarded',
      'createWebhookEndpoint: guarded',
      'creditPacks: guarded',
      'deleteAccount: guarded',
      'deleteAnalysis: guarded',
      'deleteRuleSet: guarded',
      'deleteWebhookEndpoint: guarded',
      'grantOperator: guarded',
      'inviteMember: guarded',
      'invoice: guarded',
      'issueKey: guarded',
      'leaveAccount: guarded',
      'me: guarded',
      'myAnalyses: guarded',
      'node: by id',
      'nodes: by id',
      'openBillingPortal: guarded',
      'operator: guarded',
      'operatorAgreePrice: guarded',
      'operatorGrantCredits: guarded',
      'operatorGrantPlan: guarded',
      'operatorInviteUser: guarded',
      'operatorRefundCredits: guarded',
      'operatorReplayMail: guarded',
      'operatorResetQuota: guarded',
      'operatorRevokeKey: guarded',
      'operatorVoidCredits: guarded',
      'operatorWithdrawPrice: guarded',
      'pauseSubscription: guarded',
      'plans: anonymous',
      'prices: guarded',
      'recordUsage: service',
      'refreshSession: anonymous',
      'registerUser: anonymous',
      'releaseReservation: service',
      'removeMember: guarded',
      'renameAccount: guarded',
      'replayWebhookDeliveries: guarded',
      'requestEmailChange: guarded',
      'requestPasswordReset: anonymous',
      'reserveUsage: service',
      'resetPassword: anonymous',
      'resumeSubscription: guarded',
      'revokeKey: guarded',
      'revokeOperator: guarded',
      'rotateKey: guarded',
      'rotateWebhookSecret: guarded',
      'ruleSetTrial: guarded',
      'setCreditTopUp: guarded',
      'setOverage: guarded',
      'settleReservation: service',
      'signIn: anonymous',
      'signOut: guarded',
      'signOutEverywhere: guarded',
      'startCheckout: guarded',
      'testWebhookEndpoint: guarded',
      'updateProfile: guarded',
      'updateRuleSet: guarded',
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
