import { shownId } from '../../src/graphql/kit/ids.js';
import type { IssueKeyInput, VerifyKeyInput } from '../generated/graphql.js';
import {
  IssueKeyDocument,
  RevokeKeyDocument,
  UsageDocument,
  VerifyKeyDocument,
} from '../generated/graphql.js';
import { mintKey } from '../../src/keys/format.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { quantityIn } from '../support/usage.js';

let t: TestApp;
/** The key of a back end of the service. */
let backEnd: string;

async function issue(token: string, input: Partial<IssueKeyInput>): Promise<string> {
  const { data } = await t.query(IssueKeyDocument, { input: { name: 'test', ...input } }, token);
  if (data?.issueKey?.__typename !== 'IssueKeyPayload') throw new Error(JSON.stringify(data));
  return data.issueKey.secret as string;
}

beforeAll(async () => {
  t = await startApp();
  const operator = await t.customer();
  await t.makeOperator(operator);
  backEnd = await issue(operator.token, { scopes: ['ADMIN'] });
});
afterAll(() => t.close());

async function verify(input: VerifyKeyInput) {
  const { data, errors } = await t.query(VerifyKeyDocument, { input }, backEnd);
  if (data?.verifyKey?.__typename !== 'VerifyKeyPayload') throw new Error(JSON.stringify({ data, errors }));
  return data.verifyKey;
}
const reasonOf = async (input: VerifyKeyInput): Promise<unknown> => {
  const { valid, code } = await verify(input);
  expect(valid).toBe(code === 'VALID');
  return code;
};

const points = (quantity: number | string) => ({ quantities: [{ meter: 'cost', quantity }] });
const spend = {
  ...points(7),
  endpoint: '/videos',
  method: 'POST',
  operation: 'analyse',
  source: 'upload',
};

it('says whose a key is, what it may do and what it has left, and takes nothing', async () => {
  const { secret, keyId, accountId } = await t.customer('team');
  for (let i = 0; i < 2; i++) {
    const answer = await verify({ secret });
    expect(answer).toMatchObject({
      valid: true,
      code: 'VALID',
      keyId: shownId('Key', keyId),
      accountId: shownId('Account', accountId),
      environment: 'LIVE',
      scopes: ['READ'],
      plan: { id: 'team', features: [{ name: 'teams', value: null }] },
      useId: null,
    });
    expect(answer.limits.map(({ name, used }) => [name, used])).toEqual([
      ['requests-minute', '0'],
      ['requests-month', '0'],
      ['cost-minute', '0'],
    ]);
  }
});

it('says why a key may not be used', async () => {
  const { token, secret, keyId } = await t.customer();
  expect(await reasonOf({ secret: 'nonsense' })).toBe('KEY_MALFORMED');
  // As in a header, blanks around it are none of its own.
  expect(await reasonOf({ secret: ` \t${mintKey('sk_live_')}\t ` })).toBe('KEY_UNKNOWN');
  expect(await reasonOf({ secret: `${mintKey('sk_live_')}\n` })).toBe('KEY_MALFORMED');
  expect(await reasonOf({ secret: mintKey('sk_live_') })).toBe('KEY_UNKNOWN');
  // A session is no key.
  expect(await reasonOf({ secret: token })).toBe('KEY_MALFORMED');
  expect(await reasonOf({ secret, environment: 'TEST' })).toBe('ENVIRONMENT_MISMATCH');
  expect(await reasonOf({ secret, environment: 'LIVE' })).toBe('VALID');
  expect(await reasonOf({ secret, scopes: ['READ', 'WRITE'] })).toBe('SCOPE_MISSING');
  await t.query(RevokeKeyDocument, { input: { keyId } }, token);
  expect(await verify({ secret, spend })).toMatchObject({
    valid: false,
    code: 'KEY_REVOKED',
    keyId: null,
    accountId: null,
    useId: null,
  });
});

it('spends from all limits, and stores a use before it answers', async () => {
  const { secret, token, accountId } = await t.customer();
  const limited = await issue(token, { limits: [{ meter: 'cost', window: 'DAY', max: 10 }] });
  const first = await verify({ secret: limited, spend });
  expect(first.limits.map(({ name, used }) => [name, used])).toEqual([
    ['requests-minute', '1'],
    ['requests-month', '1'],
    ['cost-minute', '7'],
    ['key-cost-day', '7'],
  ]);
  const stored = (await t.app.parts.store.readAll(0, 10_000, 100_000_000)).filter(
    ({ type, dataText }) => type === 'UsesRecorded' && dataText.includes(`"${first.useId}"`),
  );
  expect(stored).toHaveLength(1);
  expect(stored[0]?.data).toMatchObject({
    groups: [
      {
        account: accountId,
        uses: [
          {
            id: first.useId,
            endpoint: '/videos',
            method: 'POST',
            operation: 'analyse',
            source: 'upload',
            meters: { cost: 7, requests: 1 },
          },
        ],
      },
    ],
  });
  expect(await verify({ secret: limited, spend })).toMatchObject({
    valid: false,
    code: 'QUOTA_EXCEEDED',
    useId: null,
  });
  expect(await reasonOf({ secret: limited, spend: { ...spend, ...points(11) } })).toBe('QUERY_COST_EXCEEDED');
  const usage = await t.query(UsageDocument, {}, secret);
  expect(quantityIn(usage.data?.account?.usage)).toBe(1);
});

it('holds a limit exactly with parallel spending (law 2)', async () => {
  const { secret } = await t.customer();
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => verify({ secret, spend: { ...spend, ...points(0) } })),
  );
  expect(answers.filter(({ valid }) => valid)).toHaveLength(10);
  expect(new Set(answers.flatMap(({ useId }) => useId ?? [])).size).toBe(10);
  const refused = answers.find(({ valid }) => !valid);
  expect(refused).toMatchObject({ code: 'RATE_LIMITED' });
  expect(refused?.retryAfterSeconds).toBeGreaterThan(0);
});

it.each([
  ['more than can be counted', points('9007199254740991')],
  ['nineteen digits', points('9223372036854775807')],
  ['no endpoint', { endpoint: '' }],
  ['a long endpoint', { endpoint: 'x'.repeat(201) }],
  ['a method that is none', { method: 'post it' }],
])('refuses %s', async (_what, over) => {
  const { secret } = await t.customer();
  const { data } = await t.query(
    VerifyKeyDocument,
    { input: { secret, spend: { ...spend, ...over } } },
    backEnd,
  );
  expect(data?.verifyKey).toMatchObject({ __typename: 'InvalidInput', code: 'INVALID_INPUT' });
});

it('is for back ends of the service alone', async () => {
  const { token } = await t.customer();
  const other = await issue(token, { scopes: ['ADMIN'] });
  const { status, errors } = await t.query(VerifyKeyDocument, { input: { secret: backEnd } }, other);
  expect([status, errors?.[0]?.extensions['code']]).toEqual([403, 'OPERATOR_REQUIRED']);
});
