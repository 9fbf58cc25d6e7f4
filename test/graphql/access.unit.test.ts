import type { GraphQLField, GraphQLObjectType } from 'graphql';
import { isInterfaceType, isObjectType, Kind, parse } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';
import { accessRuleOf, accessRulesOf, refusedAccess, refusedIn } from '../../src/graphql/kit/access.js';
import type { Caller } from '../../src/graphql/kit/context.js';
import { createSchema } from '../../src/graphql/execution/schema.js';
import type { KnownKey } from '../../src/keys/cache.js';
import type { Scope } from '../../src/keys/events.js';
import { SCOPES } from '../../src/keys/events.js';
import type { Role } from '../../src/teams/events.js';
import { ROLES } from '../../src/teams/events.js';

const schema = createSchema();

/** Who may ask: the scope of keys, the roles of sessions by their first letters, operators alone. */
type Decision = 'anyone' | `${Scope | 'no'} key, ${string}` | `operator: ${Scope | 'no'} key, ${string}`;

const EVERY_ROLE = 'oadbv';
const DECISIONS: Readonly<Record<string, Decision>> = {
  'Query.categories': `read key, ${EVERY_ROLE}`,
  'Query.nodes': `read key, ${EVERY_ROLE}`,
  'Query.node': `read key, ${EVERY_ROLE}`,
  'Query.pattern': `read key, ${EVERY_ROLE}`,
  'Query.patterns': `read key, ${EVERY_ROLE}`,
  'Query.searchPatterns': `read key, ${EVERY_ROLE}`,
  'Query.me': `read key, ${EVERY_ROLE}`,
  'Query.account': `read key, ${EVERY_ROLE}`,
  'Account.limits': `read key, ${EVERY_ROLE}`,
  'Account.usage': `read key, ${EVERY_ROLE}`,
  'Account.overage': `read key, ${EVERY_ROLE}`,
  'Account.credits': `read key, ${EVERY_ROLE}`,
  'Query.creditPacks': `read key, ${EVERY_ROLE}`,
  'Mutation.setOverage': 'admin key, oab',
  'Mutation.buyCredits': 'admin key, oab',
  'Mutation.setCreditTopUp': 'admin key, oab',
  'Mutation.operatorGrantCredits': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.operatorVoidCredits': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.operatorRefundCredits': `operator: admin key, ${EVERY_ROLE}`,
  'Account.usageTimeline': `read key, ${EVERY_ROLE}`,
  'Account.usageProjection': `read key, ${EVERY_ROLE}`,
  'Account.uses': `read key, ${EVERY_ROLE}`,
  'Account.duplicateUses': `read key, ${EVERY_ROLE}`,
  'Account.usageThresholds': `read key, ${EVERY_ROLE}`,
  'Subscription.usageChanged': `read key, ${EVERY_ROLE}`,

  'Mutation.registerUser': 'anyone',
  'Mutation.signIn': 'anyone',
  'Mutation.refreshSession': 'anyone',
  'Mutation.verifyEmail': 'anyone',
  'Mutation.requestPasswordReset': 'anyone',
  'Mutation.resetPassword': 'anyone',
  'Mutation.confirmEmailChange': 'anyone',
  'Mutation.requestEmailChange': `no key, ${EVERY_ROLE}`,
  'Mutation.changePassword': `no key, ${EVERY_ROLE}`,
  'Mutation.updateProfile': `no key, ${EVERY_ROLE}`,
  'Mutation.signOut': `no key, ${EVERY_ROLE}`,
  'Mutation.signOutEverywhere': `no key, ${EVERY_ROLE}`,
  'Mutation.deleteAccount': 'no key, o',
  'Mutation.renameAccount': 'no key, oa',

  'Mutation.issueKey': 'admin key, oad',
  'Mutation.rotateKey': 'admin key, oad',
  'Mutation.revokeKey': 'admin key, oad',
  'Account.keys': `admin key, ${EVERY_ROLE}`,

  'Query.analysis': `read key, ${EVERY_ROLE}`,
  'Subscription.analysisChanged': `read key, ${EVERY_ROLE}`,
  'Query.myAnalyses': `read key, ${EVERY_ROLE}`,
  'Mutation.createAnalysis': 'write key, oad',
  'Mutation.createAnalyses': 'write key, oad',
  'Mutation.deleteAnalysis': 'write key, oad',
  'Account.ruleSets': `read key, ${EVERY_ROLE}`,
  'Query.ruleSetTrial': 'write key, oad',
  'Mutation.createRuleSet': 'write key, oad',
  'Mutation.updateRuleSet': 'write key, oad',
  'Mutation.deleteRuleSet': 'write key, oad',

  'Account.members': `no key, ${EVERY_ROLE}`,
  'Account.invitations': 'no key, oa',
  'Viewer.accounts': `no key, ${EVERY_ROLE}`,
  'Mutation.inviteMember': 'no key, oa',
  'Mutation.withdrawInvitation': 'no key, oa',
  'Mutation.changeMemberRole': 'no key, oa',
  'Mutation.removeMember': 'no key, oa',
  'Mutation.acceptInvitation': `no key, ${EVERY_ROLE}`,
  'Mutation.leaveAccount': `no key, ${EVERY_ROLE}`,

  'Query.webhookEventTypes': `read key, ${EVERY_ROLE}`,
  'Account.webhookEndpoints': 'admin key, oa',
  'Mutation.createWebhookEndpoint': 'admin key, oa',
  'Mutation.updateWebhookEndpoint': 'admin key, oa',
  'Mutation.deleteWebhookEndpoint': 'admin key, oa',
  'Mutation.testWebhookEndpoint': 'admin key, oa',
  'Mutation.rotateWebhookSecret': 'admin key, oa',
  'Mutation.replayWebhookDeliveries': 'admin key, oa',
  'Query.prices': `read key, ${EVERY_ROLE}`,
  'Query.plans': 'anyone',
  'Account.subscription': `read key, ${EVERY_ROLE}`,
  'Account.planChangePreview': 'read key, oab',
  'Account.invoices': 'read key, oab',
  'Account.upcomingInvoice': 'read key, oab',
  'Query.invoice': 'read key, oab',
  'Mutation.startCheckout': 'admin key, oab',
  'Mutation.openBillingPortal': 'admin key, oab',
  'Mutation.changePlan': 'admin key, oab',
  'Mutation.cancelSubscription': 'admin key, oab',
  'Mutation.resumeSubscription': 'admin key, oab',
  'Mutation.pauseSubscription': 'admin key, oab',

  'Account.auditLog': 'admin key, oa',
  'Query.operator': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.grantOperator': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.revokeOperator': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.verifyKey': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.operatorAgreePrice': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.operatorWithdrawPrice': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.operatorGrantPlan': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.operatorInviteUser': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.operatorRevokeKey': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.operatorReplayMail': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.operatorResetQuota': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.recordUsage': 'admin key, oa',
  'Mutation.correctUsage': `operator: admin key, ${EVERY_ROLE}`,
  'Mutation.reserveUsage': 'admin key, oa',
  'Mutation.settleReservation': 'admin key, oa',
  'Mutation.releaseReservation': 'admin key, oa',
};

/** `Type.field` of every field that says who may ask for it, or has to: those at the root. */
function decided(): [string, GraphQLField<unknown, unknown>][] {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const found: [string, GraphQLField<unknown, unknown>][] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!(isObjectType(type) || isInterfaceType(type)) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      if (roots.includes(type as GraphQLObjectType) || accessRuleOf(field)) {
        found.push([`${type.name}.${field.name}`, field]);
      }
    }
  }
  return found;
}

const key = (scopes: readonly Scope[], environment: 'live' | 'test', operator = false): Caller => ({
  kind: 'key',
  accountId: 'a',
  key: { scopes, environment } as KnownKey,
  operator,
});
const session = (role: Role, operator = false): Caller => ({
  kind: 'session',
  accountId: 'a',
  session: { userId: 'u', accountId: 'a', sessionId: 's', epoch: 0 },
  role,
  operator,
});

/** Every kind of caller, and whether the decision lets him. */
const CALLERS: [string, Caller, (decision: Decision) => boolean][] = [
  ['nobody', { kind: 'anonymous' }, (decision) => decision === 'anyone'],
  ...SCOPES.flatMap((scope) =>
    (['live', 'test'] as const).map((environment): (typeof CALLERS)[number] => [
      `a ${environment} key that may ${scope}`,
      key([scope], environment),
      (decision) => decision === 'anyone' || decision.startsWith(`${scope} key`),
    ]),
  ),
  ...SCOPES.map((scope): (typeof CALLERS)[number] => [
    `an operator's key that may ${scope}`,
    key([scope], 'live', true),
    (decision) => decision === 'anyone' || decision.replace('operator: ', '').startsWith(`${scope} key`),
  ]),
  ...ROLES.map((role): (typeof CALLERS)[number] => [
    `a session of the role ${role}`,
    session(role),
    (decision) =>
      decision === 'anyone' ||
      (!decision.startsWith('operator') && letters(decision).includes(role.charAt(0))),
  ]),
  ...ROLES.map((role): (typeof CALLERS)[number] => [
    `an operator's session of the role ${role}`,
    session(role, true),
    (decision) => decision === 'anyone' || letters(decision).includes(role.charAt(0)),
  ]),
];

function letters(decision: Decision): string {
  const roles = decision.split(', ')[1] ?? '';
  return roles === 'no session' ? '' : roles;
}

it('every field that has to be decided on is in the table, and nothing else', () => {
  expect(
    decided()
      .map(([name]) => name)
      .sort(),
  ).toEqual(Object.keys(DECISIONS).sort());
});

describe.each(decided())('%s', (name, field) => {
  it.each(CALLERS)('asked for by %s', (_who, caller, may) => {
    const decision = DECISIONS[name];
    if (!decision) throw new Error(`decide who may ask for ${name}`);
    const refused = refusedAccess(caller, [accessRuleOf(field) ?? {}]);
    expect(refused === undefined).toBe(may(decision));
  });
});

/** What holds below an account whatever it is, and what is judged at the account. */
describe('below an account', () => {
  const below = decided().filter(([name]) => /^(Account|Viewer)\./.test(name));

  it.each(below)('%s is judged by what the caller may do in that account', (name, field) => {
    const decision = DECISIONS[name] as Decision;
    const rule = accessRuleOf(field) ?? {};
    for (const role of ROLES) {
      const may = letters(decision).includes(role.charAt(0));
      expect([role, refusedIn({ kind: 'member', role }, rule)]).toEqual([
        role,
        may ? undefined : 'ROLE_MISSING',
      ]);
    }
    for (const scope of SCOPES) {
      const may = decision.startsWith(`${scope} key`);
      const refused = refusedIn({ kind: 'key', scopes: [scope] }, rule);
      expect([scope, refused === undefined]).toEqual([scope, may]);
    }
    expect(refusedIn({ kind: 'operator' }, rule)).toBeUndefined();
    expect(refusedIn(undefined, rule)).toBe('SESSION_MISSING');
  });

  it('the role in the caller’s own account decides nothing, the kind of credential does', () => {
    for (const [name, field] of below) {
      const rule = { ...accessRuleOf(field), below: true };
      for (const role of ROLES)
        expect([name, refusedAccess(session(role), [rule])]).toEqual([name, undefined]);
      expect(refusedAccess({ kind: 'anonymous' }, [rule])).toMatch(/^(SESSION|KEY)_MISSING$/);
      for (const caller of [key(['admin'], 'live', true), session('viewer', true)]) {
        expect(refusedAccess(caller, [rule])).toBeUndefined();
      }
    }
    expect(refusedAccess(session('owner'), [{ scope: 'read', below: true }])).toBe('KEY_MISSING');
  });
});

describe('an operation', () => {
  const rulesOf = (text: string) => {
    const document = parse(text);
    const operation = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    return accessRulesOf(schema, document, operation as OperationDefinitionNode);
  };
  const reader = key(['read'], 'live');

  it.each([
    ['at the root', 'mutation { revokeKey(input: { keyId: "k" }) { __typename } }'],
    ['deep within', '{ me { account { keys { nodes { id } } } } }'],
    ['behind an alias', '{ me { account { mine: keys { nodes { id } } } } }'],
    [
      'in a fragment',
      '{ me { ...F } } fragment F on Viewer { account { ... on Account { keys { nodes { id } } } } }',
    ],
    ['that is skipped', 'query ($no: Boolean!) { me { account { keys @skip(if: $no) { nodes { id } } } } }'],
    ['beside another', '{ patterns { totalCount } me { account { id keys { nodes { id } } } } }'],
    ['of an interface’s member', '{ node(id: "a") { ... on Account { keys { nodes { id } } } } }'],
  ])('is refused for a field %s that the key may not ask for', (_where, text) => {
    expect(refusedAccess(reader, rulesOf(text))).toBe('SCOPE_MISSING');
  });

  it('is let through when all of its fields are', () => {
    expect(
      refusedAccess(reader, rulesOf('{ me { account { id plan { id } } } patterns { totalCount } }')),
    ).toBeUndefined();
    expect(
      refusedAccess({ kind: 'anonymous' }, rulesOf('{ __typename __schema { types { name } } }')),
    ).toBeUndefined();
  });

  it('of a caller whose credential is not good is refused for that, whatever it asks for', () => {
    expect(refusedAccess({ kind: 'refused', code: 'KEY_REVOKED' }, rulesOf('{ __typename }'))).toBe(
      'KEY_REVOKED',
    );
  });

  it('with a root field that says nothing is refused to everybody', () => {
    for (const [, caller] of CALLERS) expect(refusedAccess(caller, [{}])).toBeDefined();
  });
});
