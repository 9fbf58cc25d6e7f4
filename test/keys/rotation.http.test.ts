import { shownId } from '../../src/graphql/kit/ids.js';
import {
  IssueKeyDocument,
  KeysDocument,
  LimitsDocument,
  RevokeKeyDocument,
  RotateKeyDocument,
} from '../generated/graphql.js';
import type { IssueKeyInput } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

async function issue(credential: string, input: Partial<IssueKeyInput> = {}) {
  const { data } = await t.query(IssueKeyDocument, { input: { name: 'test', ...input } }, credential);
  if (data?.issueKey?.__typename !== 'IssueKeyPayload') throw new Error(JSON.stringify(data));
  return { ...data.issueKey.key, secret: data.issueKey.secret as string };
}

async function rotate(credential: string, id: string, graceSeconds: number, commandId?: string) {
  const input = { keyId: id, graceSeconds, commandId: commandId ?? null };
  const { data } = await t.query(RotateKeyDocument, { input }, credential);
  if (data?.rotateKey?.__typename !== 'RotateKeyPayload') throw new Error(JSON.stringify(data));
  return data.rotateKey;
}

/** One governed call: its status, the code of its refusal, and what it says of the limits. */
async function call(secret: string) {
  const { status, errors, headers } = await t.raw('{ patterns(first: 1) { totalCount } }', {}, secret);
  const [error] = errors ?? [];
  return { status, code: error?.extensions['code'], limit: error?.extensions['limit'], headers };
}
const codeOf = async (secret: string): Promise<unknown> => (await call(secret)).code;

describe('a rotated key', () => {
  it('works under both secrets during its grace', async () => {
    const { token, secret, keyId } = await t.customer('team');
    const { secret: next, key } = await rotate(token, keyId, 60);
    expect(key).toMatchObject({ id: shownId('Key', keyId), last4: next?.slice(-4) });
    expect(next).toMatch(/^sk_live_[0-9A-Za-z]{32}$/);
    expect([await codeOf(secret), await codeOf(next as string)]).toEqual([undefined, undefined]);
    expect(Date.parse(key.graceEndsAt as string) - Date.parse(key.rotatedAt as string)).toBe(60_000);
  });

  it('without grace refuses the secret before at once, and revoked it refuses all', async () => {
    const { token, secret, keyId } = await t.customer('team');
    const { secret: second } = await rotate(token, keyId, 3_600);
    const { secret: third } = await rotate(token, keyId, 0);
    const codes = () => Promise.all([secret, second as string, third as string].map(codeOf));
    expect(await codes()).toEqual([undefined, 'KEY_ROTATED', undefined]);
    await t.query(RevokeKeyDocument, { input: { keyId } }, token);
    expect(await codes()).toEqual(['KEY_REVOKED', 'KEY_REVOKED', 'KEY_REVOKED']);
  });

  it('shows its secret once, however often the command is sent', async () => {
    const { token, keyId } = await t.customer('team');
    const answers = await Promise.all(Array.from({ length: 5 }, () => rotate(token, keyId, 60, 'again')));
    expect(answers.filter(({ secret }) => secret !== null)).toHaveLength(1);
    expect(answers.filter(({ replayed }) => replayed)).toHaveLength(4);
    expect(new Set(answers.map(({ key }) => JSON.stringify(key))).size).toBe(1);
  });

  it('goes on with the counters that it had', async () => {
    const { token } = await t.customer('enterprise');
    const { id, secret } = await issue(token, { limits: [{ meter: 'requests', window: 'DAY', max: 3 }] });
    expect([await codeOf(secret), await codeOf(secret)]).toEqual([undefined, undefined]);
    const next = (await rotate(token, id, 60)).secret as string;
    expect([await codeOf(next), await codeOf(next)]).toEqual([undefined, 'QUOTA_EXCEEDED']);
    expect(await codeOf(secret)).toBe('QUOTA_EXCEEDED');
  });
});

describe('limits of a key', () => {
  const limits: IssueKeyInput['limits'] = [{ meter: 'requests', window: 'MINUTE', max: 2 }];

  it('hold beside those of its account, whose other keys go on', async () => {
    const { token, secret: other } = await t.customer();
    const { secret } = await issue(token, { limits });
    const first = await call(secret);
    expect(first.headers.get('ratelimit-policy')).toMatch(
      /^"requests-minute";q=10;.*"key-requests-minute";q=2;w=60$/,
    );
    expect(await codeOf(secret)).toBeUndefined();
    expect(await call(secret)).toMatchObject({
      status: 429,
      code: 'RATE_LIMITED',
      limit: 'key-requests-minute',
    });
    // What was refused was not taken of the account.
    const { data } = await t.query(LimitsDocument, {}, other);
    expect(data?.account?.limits?.map(({ name, used }) => [name, used])).toContainEqual([
      'requests-minute',
      '2',
    ]);
    const mine = await t.query(LimitsDocument, {}, secret);
    expect(mine.data?.account?.limits?.at(-1)).toMatchObject({
      name: 'key-requests-minute',
      source: 'KEY',
      mode: 'HARD',
      window: 'MINUTE',
      max: '2',
      used: '2',
      remaining: '0',
    });
    expect(await codeOf(other)).toBeUndefined();
  });

  it('hold with parallel requests: exactly the amount passes (law 2)', async () => {
    const { token } = await t.customer('enterprise');
    const { secret } = await issue(token, { limits: [{ meter: 'requests', window: 'MINUTE', max: '7' }] });
    const codes = await Promise.all(Array.from({ length: 60 }, () => codeOf(secret)));
    expect(codes.filter((code) => code === undefined)).toHaveLength(7);
  });
});

describe('a key that manages keys', () => {
  it('issues, lists, rotates and revokes keys of its environment, with no more scopes than its own', async () => {
    const { token, keyId: live } = await t.customer('team');
    const admin = await issue(token, { scopes: ['ADMIN', 'READ'], environment: 'TEST' });
    const made = await issue(admin.secret, { environment: 'TEST', name: 'by a key' });
    expect(await codeOf((await rotate(admin.secret, made.id, 0)).secret as string)).toBeUndefined();
    const { data } = await t.query(KeysDocument, {}, admin.secret);
    expect(data?.me?.account.keys?.nodes.map(({ id }) => id)).toContain(made.id);
    await expect(issue(admin.secret, { environment: 'LIVE' })).rejects.toThrow('environment');
    await expect(issue(admin.secret, { environment: 'TEST', scopes: ['WRITE'] })).rejects.toThrow('scopes');
    await expect(rotate(admin.secret, live, 0)).rejects.toThrow('NOT_FOUND');
    for (const [id, type] of [
      [live, 'NotFound'],
      [made.id, 'RevokeKeyPayload'],
    ] as const) {
      const revoked = await t.query(RevokeKeyDocument, { input: { keyId: id } }, admin.secret);
      expect(revoked.data?.revokeKey?.__typename).toBe(type);
    }
  });
});

it('lists a key with what it was issued with, its rotation and its last use', async () => {
  const { token } = await t.customer('team');
  const input: Partial<IssueKeyInput> = {
    scopes: ['READ', 'WRITE'],
    limits: [{ meter: 'cost', window: 'MONTH', max: '500' }],
    metadata: [{ name: 'service', value: 'billing' }],
  };
  const { id, secret } = await issue(token, input);
  const { key } = await rotate(token, id, 60);
  await call(secret);
  await t.caughtUp();
  const { data } = await t.query(KeysDocument, {}, token);
  const listed = data?.me?.account.keys?.nodes.find((node) => node.id === id);
  expect(listed).toMatchObject({ ...input, ...key, revokedAt: null });
  expect(Date.parse(listed?.lastUsedAt as string)).toBeGreaterThanOrEqual(
    Date.parse(key.rotatedAt as string),
  );
  expect(data?.me?.account.keys?.nodes.find((node) => node.id !== id)?.lastUsedAt).toBeNull();
});
