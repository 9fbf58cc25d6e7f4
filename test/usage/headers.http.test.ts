import { shownId } from '../../src/graphql/kit/ids.js';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PatternsDocument, LimitsDocument } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

let t: TestApp;
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tollgraph-headers-'));
  await cp('profiles', join(root, 'profiles'), { recursive: true });
  const file = join(root, 'profiles', 'specql.yaml');
  const profile = await readFile(file, 'utf8');
  const headers =
    'headers:\n  limit: requests-month\n  reset: date\n  extra: [X-User-Id, X-Response-Time, X-Demo-Mode]\n';
  await writeFile(file, profile.replace(/^headers:\n.*\n/m, headers));
  t = await startApp({ root, env: { CORS_ORIGINS: 'https://shop.example' } });
});
afterAll(async () => {
  await t.close();
  await rm(root, { recursive: true, force: true });
});

/** The month ends at midnight. */
const RESET = /^\d{4}-\d\d-01T00:00:00\.000Z$/;

it('a governed answer has the headers of the profile, fed by the limit that it names', async () => {
  const { secret, accountId } = await t.customer();
  const { headers } = await t.query(PatternsDocument, { first: 1 }, secret);
  expect(headers.get('x-ratelimit-limit')).toBe('1000');
  expect(headers.get('x-ratelimit-used')).toBe('1');
  expect(headers.get('x-ratelimit-remaining')).toBe('999');
  expect(headers.get('x-ratelimit-reset')).toMatch(RESET);
  expect(headers.get('x-user-id')).toBe(shownId('Account', accountId));
  expect(headers.get('x-response-time')).toMatch(/^\d+\.\d{3}ms$/);
  expect(headers.get('x-demo-mode')).toBeNull();
});

it('every other answer to the account says too where it stands, and takes nothing', async () => {
  const { secret, token, accountId } = await t.customer();
  await t.query(PatternsDocument, { first: 1 }, secret);
  const asked = [
    ['{ me { account { id } } }', secret, 200],
    ['{ me { account { id } } }', token, 200],
    ['query ($first: Int!) { patterns(first: $first) { totalCount } }', secret, 400],
    ['{ patterns { totalCount', secret, 400],
    ['{ nothing }', secret, 400],
    ['query A { __typename } query B { __typename }', secret, 400],
  ] as const;
  for (const [query, credential, expected] of asked) {
    const { status, headers } = await t.raw(query, {}, credential);
    expect([query, status]).toEqual([query, expected]);
    expect(headers.get('ratelimit-policy')).toMatch(
      /^"requests-minute";q=10;w=60, "requests-month";q=1000;w=\d+, "cost-minute";q=1000;w=60$/,
    );
    expect(headers.get('ratelimit')).toMatch(
      /^"requests-minute";r=9;t=\d+, "requests-month";r=999;t=\d+, "cost-minute";r=\d+;t=\d+$/,
    );
    expect(headers.get('x-ratelimit-used')).toBe('1');
    expect(headers.get('x-user-id')).toBe(shownId('Account', accountId));
    expect(headers.get('x-response-time')).toMatch(/ms$/);
  }
});

it('an answer to nobody has no limits to tell of', async () => {
  const { status, headers } = await t.raw('{ patterns { totalCount } }');
  expect(status).toBe(401);
  expect(headers.get('ratelimit')).toBeNull();
  expect(headers.get('x-user-id')).toBeNull();
  expect(headers.get('x-response-time')).toMatch(/ms$/);
});

it('an account’s limits say what the headers say, and is free', async () => {
  const { secret } = await t.customer();
  await t.query(PatternsDocument, { first: 1 }, secret);
  for (let i = 0; i < 12; i++) {
    const { data, headers } = await t.query(LimitsDocument, {}, secret);
    const { limits } = data?.account ?? {};
    const limit = limits?.find(({ name }) => name === 'requests-month');
    expect(limit).toMatchObject({
      name: 'requests-month',
      max: '1000',
      used: '1',
      remaining: '999',
    });
    expect(limit?.resetAt).toBe(headers.get('x-ratelimit-reset'));
    expect(
      limits
        ?.filter(({ meter }) => meter !== 'cost')
        .map(({ name, remaining }) => `"${name}";r=${remaining}`),
    ).toEqual(
      // Points come back between the two, on a busy machine.
      headers
        .get('ratelimit')
        ?.match(/"[^"]+";r=\d+/g)
        ?.filter((text) => !text.startsWith('"cost')),
    );
  }
});

it('pages of other origins may read the headers', async () => {
  const response = await fetch(`${t.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'https://shop.example' },
    body: '{"query":"{__typename}"}',
  });
  const exposed = response.headers.get('access-control-expose-headers')?.split(/, */);
  expect(exposed).toEqual(
    expect.arrayContaining([
      'RateLimit',
      'RateLimit-Policy',
      'X-RateLimit-Reset',
      'Retry-After',
      'X-Response-Time',
    ]),
  );
});
