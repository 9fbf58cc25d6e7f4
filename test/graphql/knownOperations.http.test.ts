import { startApp } from '../support/app.js';
import type { TestApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp({ patterns: 'patterns', env: { CORS_ORIGINS: 'https://shop.example' } });
});
afterAll(() => t.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function send(body: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const response = await fetch(`${t.app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const all = Object.fromEntries(response.headers);
  // What tells the time, what was spent, or which request it was.
  for (const name of [
    'date',
    'ratelimit',
    'retry-after',
    'content-length',
    'x-ratelimit-reset',
    'x-request-id',
  ])
    delete all[name];
  for (const name of ['x-ratelimit-used', 'x-ratelimit-remaining']) delete all[name];
  const text = (await response.text())
    .replace(/"(used|remaining|currentlyAvailable|retryAfter)":\d+/g, '"$1":0')
    .replace(/"resetAt":"[^"]+"/g, '"resetAt":""');
  return { status: response.status, headers: all, body: text };
}

const PATTERN =
  'query One($slug: String!) { pattern(by: { slug: $slug }) { ... on Pattern { name } ... on Refusal { code } } }';
const body = (query: string, rest: object = {}): string => JSON.stringify({ query, ...rest });

/** Each is sent three times: Apollo answers the first, whoever knows it the others. */
const CASES: [name: string, body: string, headers?: Readonly<Record<string, string>>, nobody?: boolean][] = [
  ['a query', body('{ categories { slug } }')],
  ['a query with variables', body(PATTERN, { variables: { slug: 'circuit-breaker' } })],
  ['variables that do not fit', body(PATTERN, { variables: { slug: null } })],
  ['a variable too many', body(PATTERN, { variables: { slug: 'x', more: 1 } })],
  ['no variables where one is needed', body(PATTERN)],
  ['variables that are null', body('{ account { limits { name } } }', { variables: null })],
  ['variables that are a list', body('{ __typename }', { variables: [] })],
  [
    'an operation of several',
    body('query A { __typename } query B { categories { slug } }', { operationName: 'B' }),
  ],
  ['an operation of several, not named', body('query A { __typename } query B { __typename }')],
  ['an operation that is not there', body('query A { __typename }', { operationName: 'C' })],
  ['a name that is no text', body('query A { __typename }', { operationName: 1 })],
  ['extensions', body('{ __typename }', { extensions: { any: 1 } })],
  ['something unknown beside it', body('{ __typename }', { other: 1 })],
  ['introspection', body('{ __schema { queryType { name } } }')],
  ['nobody’s call', body('{ categories { slug } }'), {}, true],
  ['a bad key', body('{ categories { slug } }'), { 'x-api-key': 'sk_live_x' }, true],
  ['a size out of its range', body('{ patterns(first: 0) { totalCount } }')],
  [
    'too dear a query',
    body(
      `{ ${'abcdefgh'
        .split('')
        .map((a) => `${a}: patterns(first: 100) { edges { node { name } } }`)
        .join(' ')} }`,
    ),
  ],
  ['a resolver’s refusal', body('{ patterns(after: "x") { totalCount } }')],
  ['GraphQL-Cost: validate', body('{ patterns { totalCount } }'), { 'graphql-cost': 'validate' }],
  ['GraphQL-Cost: report', body('{ patterns { totalCount } }'), { 'graphql-cost': 'report' }],
  ['who takes GraphQL’s own type', body('{ __typename }'), { accept: 'application/graphql-response+json' }],
  ['who takes nothing of ours', body('{ __typename }'), { accept: 'image/png' }],
  ['another character set', body('{ __typename }'), { 'content-type': 'application/json; charset=utf-8' }],
  ['a browser of another origin', body('{ __typename }'), { origin: 'https://shop.example' }],
  ['a document that is not valid', body('{ nope }')],
  ['a document that cannot be read', body('{ categories {')],
  ['a mutation without a session', body('mutation { signOutEverywhere(input: {}) { __typename } }')],
  ['a subscription over plain HTTP', body('subscription { usageChanged { at } }')],
];

it.each(CASES)(
  '%s is answered the same once it is known',
  async (_name, text, headers = {}, nobody = false) => {
    const { secret } = await t.customer();
    const all: Readonly<Record<string, string>> = nobody ? headers : { 'x-api-key': secret, ...headers };
    const first = await send(text, all);
    expect(await send(text, all)).toEqual(first);
    expect(await send(text, all)).toEqual(first);
  },
);

it('what is known to one caller is refused to another, and counted for each', async () => {
  const one = await t.customer();
  const other = await t.customer();
  const query = body('query Counted { categories { slug } }');
  for (let i = 0; i < 10; i++) expect((await send(query, { 'x-api-key': one.secret })).status).toBe(200);
  expect((await send(query, { 'x-api-key': one.secret })).status).toBe(429);
  expect((await send(query, { 'x-api-key': other.secret })).status).toBe(200);
  expect((await send(query, {})).status).toBe(401);
});
