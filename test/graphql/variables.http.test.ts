import { randomBytes } from 'node:crypto';
import { startApp } from '../support/app.js';
import type { TestApp } from '../support/app.js';

const secret = (): string => randomBytes(32).toString('base64url');

let t: TestApp;
beforeAll(async () => {
  t = await startApp({
    env: {
      NODE_ENV: 'production',
      KEY_PEPPER: secret(),
      EMAIL_HASH_KEY: secret(),
      MASTER_KEY: secret(),
      SESSION_KEY: secret(),
    },
  });
});
afterAll(() => t.close());

const REGISTER = 'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { __typename } }';
const ISSUE = 'mutation ($input: IssueKeyInput!) { issueKey(input: $input) { __typename } }';
const USAGE = 'query ($from: DateTime) { account { usage(from: $from) { calls } } }';

async function messages(query: string, variables: object, credential?: string): Promise<string[]> {
  const { status, errors = [] } = await t.raw(query, variables, credential);
  expect([status, errors[0]?.extensions['code']]).toEqual([400, 'BAD_USER_INPUT']);
  return errors.map(({ message }) => message);
}

describe('variables that do not fit are refused', () => {
  it('without repeating what was given: it can be a password', async () => {
    const password = 'correct horse battery';
    for (const input of [
      { emial: 'a@example.com', password },
      { email: 'a@example.com', password: [password] },
      [password],
      password,
    ]) {
      expect((await messages(REGISTER, { input })).join()).not.toContain('horse');
    }
  });

  it('without repeating it either where it stands for a time, an enum, a number or a flag', async () => {
    const { token, secret } = await t.customer();
    const given = 'correct horse';
    const issue = (input: object) => messages(ISSUE, { input: { name: 'x', ...input } }, token);
    const said = [
      ...(await messages(USAGE, { from: given }, token)),
      ...(await messages(USAGE, { from: { [given]: given } }, token)),
      ...(await messages(USAGE, { from: `2026-02-30T00:00:00Z ${given}` }, token)),
      ...(await issue({ environment: given })),
      ...(await issue({ environment: [given] })),
      ...(await issue({ scopes: [given, `" does not exist in "${given}" enum.`] })),
      ...(await issue({ expiresAt: given })),
      ...(await messages(
        'query ($first: Int) { patterns(first: $first) { totalCount } }',
        { first: given },
        secret,
      )),
      ...(await messages(
        'query ($id: ID!) { pattern(by: { id: $id }) { __typename } }',
        { id: { given } },
        secret,
      )),
      ...(await messages('query ($if: Boolean!) { __typename @skip(if: $if) }', { if: given })),
    ];
    for (const message of said) {
      expect(message).not.toContain('horse');
      expect(message).toMatch(/^Variable "\$\w+"( at "[^"]+")? does not fit: .{10,}\.$/);
    }
    expect(await issue({ environment: given })).toEqual([
      'Variable "$input" at "input.environment" does not fit: Not a value of the enum "Environment".',
    ]);
  });

  it('with the place and the reason', async () => {
    const { token } = await t.register();
    const email = 'a@example.com';
    expect(await messages(REGISTER, { input: { email } })).toEqual([
      'Variable "$input" does not fit: Field "password" of required type "String!" was not provided.',
    ]);
    expect(await messages(REGISTER, { input: { email, password: 12345678 } })).toEqual([
      'Variable "$input" at "input.password" does not fit: String cannot represent a non string value.',
    ]);
    expect(await messages(REGISTER, {})).toEqual([
      'Variable "$input" of required type "RegisterUserInput!" was not provided.',
    ]);
    expect(await messages(USAGE, { from: 'x at "y"' }, token)).toEqual([
      expect.stringMatching(
        /^Variable "\$from" does not fit: A time must be one of the calendar with a zone, like/,
      ),
    ]);
  });

  it('and in production without hints at the schema, as documents are', async () => {
    const { token } = await t.register();
    const inputs = [
      { name: 'a', environment: 'LIV' },
      { name: 'a', enviroment: 'LIVE' },
      { name: 'a', scopes: ['READD'] },
    ];
    for (const input of inputs) {
      expect((await messages(ISSUE, { input }, token)).join()).not.toContain('Did you mean');
    }
    const { errors } = await t.raw('{ patern { name } }');
    expect(errors?.[0]?.message).toBe('Cannot query field "patern" on type "Query".');
  });
});
