import { OperatorGrantPlanDocument, IssueKeyDocument } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

// What each field takes, in characters as people count them (decision 31).

/** Eleven UTF-16 units, seven code points, 25 bytes; one character. */
const FAMILY = '👨‍👩‍👧‍👦';
/** The same word in two spellings of Unicode. */
const [NFC, NFD] = ['Äpfel', 'A\u0308pfel'];

let t: TestApp;
let operator: Awaited<ReturnType<TestApp['customer']>>;
let other: Awaited<ReturnType<TestApp['customer']>>;

beforeAll(async () => {
  t = await startApp();
  operator = await t.customer('enterprise');
  other = await t.customer('enterprise');
  await t.makeOperator(operator);
});
afterAll(() => t.close());

/** Sends a text in a field: nothing where it was taken, else the field that is named. */
type Send = (text: string) => Promise<string | undefined>;

const sender =
  (
    query: string,
    variables: (text: string) => object,
    credential: () => string = () => operator.token,
  ): Send =>
  async (text) => {
    const { data, errors } = await t.raw(query, variables(text), credential());
    if (errors) return String(errors[0]?.extensions['field']);
    const [answer] = Object.values(data ?? {}) as [{ code?: string; issues?: { path: string[] }[] } | null];
    return answer?.code === undefined ? undefined : answer.issues?.[0]?.path.join('.');
  };
const mutation = (name: string, type: string) =>
  `mutation($input: ${type}!) { ${name}(input: $input) { __typename ... on Refusal { code } ... on InvalidInput { issues { path } } } }`;
const inInput = (name: string, type: string, input: (text: string) => object): Send =>
  sender(mutation(name, type), (text) => ({ input: input(text) }));
const inSpend = (field: string): Send =>
  inInput('verifyKey', 'VerifyKeyInput', (text) => ({
    secret: other.secret,
    spend: { endpoint: '/x', quantities: [], [field]: text },
  }));
const searchFor = (argument: string, type: string, rest: string): Send =>
  sender(
    `query($text: ${type}) { searchPatterns(${argument} ${rest}) { degraded } }`,
    (text) => ({ text }),
    () => operator.secret,
  );

let registered = 0;

interface Rule {
  readonly max: number;
  readonly lines: boolean;
  /** Where a text of blanks is none. */
  readonly needed: boolean;
  /** Whether it is bounded in bytes, too. */
  readonly bytes?: boolean;
}
const LABEL = { max: 200, lines: false, needed: false, bytes: true };

describe.each<[string, string, Rule, Send]>([
  [
    'the name of a key',
    'name',
    { max: 100, lines: false, needed: true },
    inInput('issueKey', 'IssueKeyInput', (name) => ({ name })),
  ],
  [
    'the name of metadata',
    'metadata',
    { max: 40, lines: false, needed: true },
    inInput('issueKey', 'IssueKeyInput', (name) => ({ name: 'x', metadata: [{ name, value: '' }] })),
  ],
  [
    'the value of metadata',
    'metadata',
    { max: 500, lines: true, needed: false },
    inInput('issueKey', 'IssueKeyInput', (value) => ({ name: 'x', metadata: [{ name: 'n', value }] })),
  ],
  [
    'an operator’s reason',
    'reason',
    { max: 500, lines: true, needed: true },
    inInput('operatorGrantPlan', 'OperatorGrantPlanInput', (reason) => ({
      accountId: other.accountId,
      planId: 'team',
      reason,
    })),
  ],
  ['what was called', 'spend.endpoint', { ...LABEL, needed: true }, inSpend('endpoint')],
  ['what was asked for', 'spend.operation', LABEL, inSpend('operation')],
  ['where it came from', 'spend.source', LABEL, inSpend('source')],
  [
    'the name of who registers',
    'name',
    { max: 100, lines: false, needed: false },
    inInput('registerUser', 'RegisterUserInput', (name) => ({
      name,
      email: `fields${++registered}@example.com`,
      password: 'correct horse',
    })),
  ],
  [
    'the name in a profile',
    'name',
    { max: 100, lines: false, needed: false },
    inInput('updateProfile', 'UpdateProfileInput', (name) => ({ name })),
  ],
  ['a search', 'query', { max: 500, lines: true, needed: true }, searchFor('query: $text', 'String!', '')],
  [
    'a category',
    'category',
    { max: 100, lines: false, needed: false },
    searchFor('filter: { category: $text }', 'String', ', query: "x"'),
  ],
])('%s', (_what, field, { max, lines, needed, bytes = false }, send) => {
  it('is as long as people count', async () => {
    const character = bytes ? '👍🏽' : FAMILY;
    expect(await send(character.repeat(max))).toBeUndefined();
    expect(await send('x'.repeat(max + 1))).toBe(field);
    expect(await send(`e${'\u0301'.repeat(20_000)}`)).toBe(field);
    expect(await send(` ${'x'.repeat(max)}\n`)).toBeUndefined();
    if (bytes) expect(await send(FAMILY.repeat(max))).toBe(field);
  });

  it(`has ${lines ? 'lines' : 'one line'}`, async () => {
    for (const text of ['a\nb', 'a\tb', 'a\u2028b']) expect(await send(text)).toBe(lines ? undefined : field);
  });

  it(needed ? 'says something' : 'may be empty', async () => {
    expect(await send(' \u00a0 ')).toBe(needed ? field : undefined);
  });
});

it('two spellings of a word are one where texts are compared, and stored alike', async () => {
  const metadata = [NFC, NFD].map((name) => ({ name, value: 'x' }));
  const twice = await t.query(IssueKeyDocument, { input: { name: 'x', metadata } }, other.token);
  expect(twice.data?.issueKey).toMatchObject({
    __typename: 'InvalidInput',
    issues: [{ path: ['metadata'] }],
  });
  const { data } = await t.query(IssueKeyDocument, { input: { name: ` ${NFD} ` } }, other.token);
  expect(data?.issueKey).toMatchObject({ key: { name: NFC } });
  for (const [planId, reason] of Object.entries({ enterprise: NFC, developer: `${NFD}\n` })) {
    const input = { accountId: other.accountId, planId, reason };
    await t.query(OperatorGrantPlanDocument, { input }, operator.token);
  }
  await t.caughtUp();
  const log = await t.raw('{ operator { auditLog(first: 2) { nodes { reason } } } }', {}, operator.token);
  expect(log.data).toEqual({ operator: { auditLog: { nodes: [{ reason: NFC }, { reason: NFC }] } } });
});

describe('a command id', () => {
  let token: string;
  beforeAll(async () => void ({ token } = await t.register()));

  const issued = async (commandId: string) => {
    const { data } = await t.query(IssueKeyDocument, { input: { name: 'x', commandId } }, token);
    return data?.issueKey?.__typename === 'IssueKeyPayload'
      ? data.issueKey.key.id
      : { refused: data?.issueKey };
  };

  it('is what it is, byte by byte', async () => {
    const ids = [NFC, NFD, ` ${NFC}`, NFC.toLowerCase(), 'a b', 'ü'.repeat(64), '__proto__', FAMILY];
    const keys = new Map<string, unknown>();
    for (const id of ids) keys.set(id, await issued(id));
    expect([...keys.values()].every((key) => typeof key === 'string')).toBe(true);
    expect(new Set(keys.values()).size).toBe(ids.length);
    for (const id of ids) expect(await issued(id)).toBe(keys.get(id));
  });

  it.each(['', 'x'.repeat(129), 'ü'.repeat(65), 'a\nb', 'a\tb'])('%j is none', async (commandId) => {
    expect(await issued(commandId)).toMatchObject({
      refused: { __typename: 'InvalidInput', issues: [{ path: ['commandId'] }] },
    });
  });
});
