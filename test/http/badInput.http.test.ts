import fc from 'fast-check';
import { IssueKeyDocument, PatternsDocument, SearchPatternsDocument } from '../generated/graphql.js';
import type { Answer, TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

// Law 11: bad input gets a typed refusal with a stable code, a sentence that helps, and no internals.

let t: TestApp;
let secret: string;
let token: string;
/** What the server logged as an error: none of these inputs is its fault. */
const errors: string[] = [];

beforeAll(async () => {
  t = await startApp({
    log: {
      info: () => {},
      warn: () => {},
      error: (message, error) => errors.push(`${message}: ${String(error)}`),
    },
  });
  ({ secret, token } = await t.customer('enterprise'));
});
afterAll(() => t.close());
afterEach(async () => {
  expect(errors.splice(0)).toEqual([]);
  // And the server still answers.
  const { data } = await t.query(PatternsDocument, { first: 1 }, secret);
  expect(data?.patterns?.totalCount).toBe(0);
});

const INTERNALS =
  /\bat .*\.[jt]s\b|node_modules|\/src\/|\/dist\/|stacktrace|\bSELECT\b|\bINSERT\b|read\.|store\.|vault\.|_v1_|PGlite|postgres|(Sql|Type|Range|Reference|Syntax)Error/i;

interface Refused {
  readonly status: number;
  readonly codes: unknown[];
  readonly body: string;
}

async function send(path: string, init: RequestInit = {}): Promise<Refused & { headers: Headers }> {
  const response = await fetch(`${t.app.url}${path}`, init);
  const body = await response.text();
  expect(body).not.toMatch(INTERNALS);
  const answer = body === '' ? {} : (JSON.parse(body) as Pick<Answer<unknown>, 'errors'>);
  for (const { message } of answer.errors ?? []) expect(message.length).toBeGreaterThan(10);
  return {
    status: response.status,
    headers: response.headers,
    body,
    codes: (answer.errors ?? []).map(({ extensions }) => extensions['code']),
  };
}

const post = (body: string, headers: Record<string, string> = {}): Promise<Refused> =>
  send('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}`, ...headers },
    body,
  });

const ask = (query: string, variables: object = {}, rest: object = {}): Promise<Refused> =>
  post(JSON.stringify({ query, variables, ...rest }));

const repeat = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

const SINCE = 'query ($from: DateTime) { account { usage(from: $from) { calls } } }';
const PAGE = 'query Page($first: Int!) { patterns(first: $first) { totalCount } }';

describe('a document that does not fit the schema', () => {
  it.each<[string, string, object, string]>([
    ['an unknown field', '{ nope }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['a wrong type', '{ patterns(first: "x") { totalCount } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['a number of 2^31', '{ patterns(first: 2147483648) { totalCount } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['a missing selection', '{ patterns }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['a syntax error', '{ patterns {', {}, 'GRAPHQL_PARSE_FAILED'],
    [
      'fragments in a circle',
      '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
      {},
      'GRAPHQL_VALIDATION_FAILED',
    ],
    ['a subscription', 'subscription { patterns { totalCount } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['a missing variable', PAGE, {}, 'BAD_USER_INPUT'],
    ['a variable of a wrong type', PAGE, { first: 'x' }, 'BAD_USER_INPUT'],
    ['a variable of 2^31', PAGE, { first: 2 ** 31 }, 'BAD_USER_INPUT'],
    ['a variable that is a list', PAGE, { first: [1] }, 'BAD_USER_INPUT'],
    // Years that PostgreSQL does not read as they are written: no read model could store them.
    ['a time in the year 0', SINCE, { from: '0000-12-31T23:59:59Z' }, 'BAD_USER_INPUT'],
    ['a time in the year 10000 of UTC', SINCE, { from: '9999-12-31T23:59:59-23:59' }, 'BAD_USER_INPUT'],
    [
      'the same in the document',
      '{ account { usage(from: "9999-12-31T23:59:59-23:59") { calls } } }',
      {},
      'GRAPHQL_VALIDATION_FAILED',
    ],
  ])('%s is refused', async (_name, query, variables, code) => {
    const { status, codes } = await ask(query, variables);
    expect(status).toBe(400);
    expect([...new Set(codes)]).toEqual([code]);
  });

  it.each<[string, object]>([
    [
      'an unknown operationName',
      { query: 'query A { __typename } query B { __typename }', operationName: 'C' },
    ],
    ['no operationName where there are two', { query: 'query A { __typename } query B { __typename }' }],
  ])('%s is refused', async (_name, body) => {
    expect(await post(JSON.stringify(body))).toMatchObject({
      status: 400,
      codes: ['OPERATION_RESOLUTION_FAILURE'],
    });
  });
});

it('an empty operationName counts as absent', async () => {
  expect(await post('{"query":"query A { __typename }","operationName":""}')).toMatchObject({ status: 200 });
  expect(await post('{"query":"{ __typename } query B { __typename }","operationName":""}')).toMatchObject({
    status: 400,
  });
  const query = encodeURIComponent('query A { __typename }');
  const headers = { 'x-api-key': secret };
  for (const path of [`/graphql?operationName=&query=${query}`, `/graphql?query=${query}&operationName=`]) {
    expect(await send(path, { headers })).toMatchObject({ status: 200, codes: [] });
  }
});

describe('a body that is no request', () => {
  it.each<[string, string, number, string]>([
    ['text that is not JSON', 'hello', 400, 'BODY_INVALID'],
    ['an empty body', '', 400, 'BODY_INVALID'],
    ['a body that ends too early', '{"query":"{ __typename', 400, 'BODY_INVALID'],
    ['a poisoned prototype', '{"query":"{__typename}","__proto__":{"a":1}}', 400, 'BODY_INVALID'],
    ['an empty object', '{}', 400, 'BAD_REQUEST'],
    ['null', 'null', 400, 'BAD_REQUEST'],
    ['a batch', '[{"query":"{__typename}"},{"query":"{__typename}"}]', 400, 'BAD_REQUEST'],
    ['a query that is a number', '{"query":5}', 400, 'BAD_REQUEST'],
    ['no query', '{"variables":{}}', 400, 'BAD_REQUEST'],
    ['an empty query', '{"query":""}', 400, 'BAD_REQUEST'],
    ['variables that are text', '{"query":"{__typename}","variables":"x"}', 400, 'BAD_REQUEST'],
    ['an operationName that is a number', '{"query":"{__typename}","operationName":5}', 400, 'BAD_REQUEST'],
    [
      'a hash in place of a query',
      '{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}',
      400,
      'PERSISTED_QUERY_NOT_SUPPORTED',
    ],
    ['2 MB', JSON.stringify({ query: `{ a(b: "${'x'.repeat(2 * 1024 * 1024)}") }` }), 413, 'BODY_TOO_LARGE'],
  ])('%s is refused', async (_name, body, status, code) => {
    expect(await post(body)).toMatchObject({ status, codes: [code] });
  });

  it.each<[string, number, string]>([
    ['application/xml', 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['application/x-www-form-urlencoded', 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['text/plain', 400, 'BAD_REQUEST'],
  ])('the content type %s is refused', async (type, status, code) => {
    expect(await post('{"query":"{__typename}"}', { 'content-type': type })).toMatchObject({
      status,
      codes: [code],
    });
  });

  it('a password of 10 MB is refused before it is hashed', async () => {
    const input = { email: 'large@example.com', password: 'x'.repeat(10 * 1024 * 1024) };
    const query = 'mutation($input: RegisterUserInput!) { registerUser(input: $input) { __typename } }';
    expect(await ask(query, { input })).toMatchObject({ status: 413, codes: ['BODY_TOO_LARGE'] });
  });

  it('a mutation by GET is refused and changes nothing', async () => {
    const query = 'mutation { revokeKey(input: { keyId: "x" }) { __typename } }';
    const headers = { 'apollo-require-preflight': 'true', authorization: `Bearer ${token}` };
    const answer = await send(`/graphql?query=${encodeURIComponent(query)}`, { headers });
    expect(answer).toMatchObject({ status: 405, codes: ['BAD_REQUEST'] });
    expect(answer.headers.get('allow')).toBe('POST');
  });

  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['a cookie', { cookie: 'session=eyJhbGciOiJFUzI1NiJ9.e30.x' }],
    ['a password that the browser keeps', { authorization: 'Basic dXNlcjpwYXNz' }],
    ['an empty key', { 'x-api-key': '' }],
    ['an account and no key', { 'tollgraph-account': 'x' }],
  ])('a GET that a foreign page could cause is refused: with %s', async (_name, headers) => {
    expect(await send('/graphql?query={__typename}', { headers })).toMatchObject({
      status: 400,
      codes: ['BAD_REQUEST'],
    });
  });

  it('a GET with a credential that no page can add unasked needs nothing else', async () => {
    for (const [name, value] of [
      ['x-api-key', secret],
      ['authorization', `Bearer ${secret}`],
      ['authorization', `Bearer ${token}`],
    ] as const) {
      const { status, body } = await send('/graphql?query={__typename}', { headers: { [name]: value } });
      expect([status, body]).toEqual([200, '{"data":{"__typename":"Query"}}\n']);
    }
  });
});

describe('a document beyond any use', () => {
  it.each<[string, string]>([
    ['20 root fields and one', `{ ${repeat(21, (i) => `a${i}: __typename`)} }`],
    ['50 aliases and one', `{ patterns { nodes { ${repeat(51, (i) => `a${i}: id`)} } } }`],
    [
      '50 levels',
      `{ patterns { nodes { ${'... on Pattern { '.repeat(2)} example { language } ${' }'.repeat(2)} } } ${deep(50)} }`,
    ],
    ['a name of 8,000 characters', `query ${'x'.repeat(8_000)} { __typename }`],
  ])('%s are refused', async (_name, query) => {
    const { status, codes } = await ask(query);
    expect(status).toBe(400);
    expect(codes).toContain('QUERY_TOO_LARGE');
  });

  it.each<[string, string, number, string]>([
    ['10,000 aliases', `{ ${repeat(10_000, (i) => `a${i}:__typename`)} }`, 413, 'BODY_TOO_LARGE'],
    [
      '10,000 aliases in few bytes',
      `{${repeat(10_000, (i) => `a${i.toString(36)}:x`)}}`,
      400,
      'GRAPHQL_PARSE_FAILED',
    ],
    ['10,000 levels', `${'{a'.repeat(10_000)}${'}'.repeat(10_000)}`, 400, 'GRAPHQL_PARSE_FAILED'],
    [
      '10,000 nested lists',
      `{ a(b: ${'['.repeat(10_000)}${']'.repeat(10_000)}) }`,
      400,
      'GRAPHQL_PARSE_FAILED',
    ],
    [
      'introspection in circles',
      `{ __schema { types ${'{ fields { type '.repeat(20)} { name } ${'} }'.repeat(20)} } }`,
      400,
      'GRAPHQL_VALIDATION_FAILED',
    ],
  ])('%s are refused', async (_name, query, status, code) => {
    expect(await ask(query)).toMatchObject({ status, codes: [code] });
  });

  const circle = (count: number, rest = ''): string =>
    repeat(count, (i) => `fragment f${i} on Query { ${rest} ...f${(i + 1) % count} }`);
  it.each<[string, string, string]>([
    ['a fragment in itself', `{ ...f0 } ${circle(1)}`, 'GRAPHQL_VALIDATION_FAILED'],
    ['100 fragments in a circle', `{ ...f0 ...f50 } ${circle(100)}`, 'GRAPHQL_VALIDATION_FAILED'],
    ['150 fragments in a circle', `{ ...f0 ...f75 } ${circle(150)}`, 'QUERY_TOO_LARGE'],
    ['circles that meet', `{ ...f0 } ${circle(90, '__typename ...f7 ...f8')}`, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'a circle through fields',
      '{ ...f } fragment f on Query { patterns { nodes { ...g } } } fragment g on Pattern { ... on Query { ...f } }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    ['the same field 1,900 times', `{ patterns { nodes { ${'id '.repeat(1_900)} } } }`, 'QUERY_TOO_LARGE'],
    ['the same object 400 times', `{patterns{nodes{${'example{text}'.repeat(400)}}}}`, 'QUERY_TOO_LARGE'],
  ])('%s: refused before graphql-js compares all with all', async (_name, query, code) => {
    expect(await ask(query)).toMatchObject({ status: 400, codes: [code] });
  });

  it('variables nested 40,000 deep are refused', async () => {
    const first = `${'['.repeat(40_000)}${']'.repeat(40_000)}`;
    const { status, codes } = await post(`{"query":${JSON.stringify(PAGE)},"variables":{"first":${first}}}`);
    expect([status, codes]).toEqual([400, ['BAD_USER_INPUT']]);
  });
});

function deep(levels: number): string {
  return `__type(name: "Query") { name } patterns { ${'edges { node { '.repeat(levels)} id ${'} }'.repeat(levels)} }`;
}

describe('an argument out of its range', () => {
  const LIST = 'query($first: Int, $after: String) { patterns(first: $first, after: $after) { totalCount } }';
  const SEARCH =
    'query($query: String!, $first: Int) { searchPatterns(query: $query, first: $first) { degraded } }';
  const USAGE =
    'query($from: DateTime, $to: DateTime, $minPosition: String) { account { usage(from: $from, to: $to, minPosition: $minPosition) { calls } } }';
  const long = `say "x" and 'y' \\ `.repeat(600).slice(0, 10_000);

  it.each<[string, string, object, string]>([
    ['a page of 0', LIST, { first: 0 }, 'first'],
    ['a page of −1', LIST, { first: -1 }, 'first'],
    ['a page of 101', LIST, { first: 101 }, 'first'],
    ['a page of 10,000', LIST, { first: 10_000 }, 'first'],
    ['a page of 2^31 − 1', LIST, { first: 2 ** 31 - 1 }, 'first'],
    ['an invented cursor', LIST, { after: 'abc' }, 'after'],
    ['an empty cursor', LIST, { after: '' }, 'after'],
    ['a long cursor', LIST, { after: 'A'.repeat(10_000) }, 'after'],
    ['an empty search', SEARCH, { query: '' }, 'query'],
    ['a search of blanks', SEARCH, { query: ' \t\n\u00a0' }, 'query'],
    ['a search of 501 characters', SEARCH, { query: 'x'.repeat(501) }, 'query'],
    ['a search of 10,000 characters with quotes', SEARCH, { query: long }, 'query'],
    ['0 hits', SEARCH, { query: 'x', first: 0 }, 'first'],
    ['101 hits', SEARCH, { query: 'x', first: 101 }, 'first'],
    [
      'usage that ends before it begins',
      USAGE,
      { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' },
      'to',
    ],
    ['usage of a thousand years', USAGE, { from: '1026-01-01T00:00:00Z' }, 'from'],
    ['an invented position', USAGE, { minPosition: 'abc' }, 'minPosition'],
  ])('%s is refused with the name of the argument', async (_name, query, variables, field) => {
    // Three times and more: documents that come again are compiled, which must not change the answer.
    for (let i = 0; i < 4; i++) {
      const { codes, body } = await ask(query, variables);
      expect(codes).toEqual(['INVALID_INPUT']);
      expect(JSON.parse(body)).toMatchObject({ errors: [{ extensions: { field } }] });
    }
  });

  it('a cursor that was tampered with is refused, or names the same place', async () => {
    const cursor = Buffer.from('0123456789abcdef').toString('base64url');
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: cursor.length - 1 }),
        fc.base64String({ maxLength: 60 }),
        async (at, text) => {
          const after = cursor.slice(0, at) + text + cursor.slice(at);
          const { data, errors: refused } = await t.query(PatternsDocument, { first: 1, after }, secret);
          expect(refused?.[0]?.extensions['code']).toBe('INVALID_INPUT');
          expect(data?.patterns).toBeNull();
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('a text with NUL, which the database cannot hold', () => {
  it.each<[string, string, object]>([
    ['in a variable', 'query($q: String!) { searchPatterns(query: $q) { degraded } }', { q: 'a\0b' }],
    ['in a category', 'query($c: String) { patterns(filter: { category: $c }) { totalCount } }', { c: '\0' }],
    ['in an id', 'query($id: ID!) { pattern(by: { id: $id }) { __typename } }', { id: 'a\0' }],
    ['in the document', '{ pattern(by: { slug: "a\\u0000" }) { __typename } }', {}],
    ['in a block string', '{ pattern(by: { slug: """a\0""" }) { __typename } }', {}],
  ])('is refused %s before anything is taken', async (_name, query, variables) => {
    const { status, codes } = await ask(query, variables);
    expect(status).toBe(400);
    expect(codes).toHaveLength(1);
    expect(['INVALID_INPUT', 'GRAPHQL_PARSE_FAILED']).toContain(codes[0]);
  });

  it('is refused in what commands would store', async () => {
    for (const query of [
      'mutation { issueKey(input: { name: "a\\u0000b" }) { __typename } }',
      'mutation { revokeKey(input: { keyId: "a\\u0000b" }) { __typename } }',
    ]) {
      const answer = await post(JSON.stringify({ query }), { authorization: `Bearer ${token}` });
      expect(answer).toMatchObject({ status: 400, codes: ['INVALID_INPUT'] });
    }
    const { errors: refused } = await t.query(IssueKeyDocument, { input: { name: 'a\0b' } }, token);
    expect(refused?.[0]?.extensions['code']).toBe('INVALID_INPUT');
  });
});

describe('a registration that cannot be', () => {
  const REGISTER = `mutation($input: RegisterUserInput!) {
    registerUser(input: $input) { __typename ... on Refusal { code message } ... on InvalidInput { issues { path code } } }
  }`;
  let address = 0;
  const register = async (input: object): Promise<unknown> => {
    const headers = { 'x-forwarded-for': `10.9.0.${++address}` };
    const { status, body } = await post(JSON.stringify({ query: REGISTER, variables: { input } }), headers);
    expect(status).toBe(200);
    return (JSON.parse(body) as { data: { registerUser: unknown } }).data.registerUser;
  };
  const invalid = (field: string) => ({
    __typename: 'InvalidInput',
    code: 'INVALID_INPUT',
    issues: [{ path: [field], code: 'INVALID_INPUT' }],
  });

  it.each([
    '',
    'a',
    'a@',
    '@b.co',
    'a@b',
    'a b@c.de',
    'a@b@c.de',
    'a@b..co',
    'a@.co',
    '<a@b.co>',
    '"a"@b.co',
    'a,b@c.de',
    `${'x'.repeat(65)}@a.bc`,
    `a@${'b'.repeat(252)}.co`,
    'a\u200bb@example.com',
  ])('refuses the e-mail %j', async (email) => {
    expect(await register({ email, password: 'correct horse' })).toMatchObject(invalid('email'));
  });

  it.each(['a\u0007@example.com', '\ud800@example.com'])(
    'refuses %j before it is executed',
    async (email) => {
      const variables = { input: { email, password: 'correct horse' } };
      expect(await ask(REGISTER, variables)).toMatchObject({ status: 400, codes: ['INVALID_INPUT'] });
    },
  );

  it.each(['', 'short', '1234567', 'x'.repeat(201), 'x'.repeat(90_000)])(
    'refuses a password of the wrong length',
    async (password) => {
      expect(await register({ email: 'pass@example.com', password })).toMatchObject(invalid('password'));
    },
  );

  it('refuses a long name and a commandId that is none', async () => {
    const valid = { email: 'name@example.com', password: 'correct horse' };
    expect(await register({ ...valid, name: 'x'.repeat(101) })).toMatchObject(invalid('name'));
    for (const commandId of ['', 'a\nb', 'x'.repeat(129), 'ü'.repeat(65)]) {
      expect(await register({ ...valid, commandId })).toMatchObject(invalid('commandId'));
    }
  });

  it('refuses an e-mail that is taken, alike however often it is asked', async () => {
    const input = { email: 'taken@example.com', password: 'correct horse' };
    expect(await register(input)).toMatchObject({ __typename: 'RegisterUserPayload' });
    const again = { __typename: 'Conflict', code: 'EMAIL_TAKEN', message: expect.any(String) as string };
    for (let i = 0; i < 4; i++) expect(await register(input)).toEqual(again);
  });
});

describe('a key that cannot be', () => {
  it.each<[string, object, string]>([
    ['no name', { name: '' }, 'name'],
    ['a blank name', { name: '  ' }, 'name'],
    ['a long name', { name: 'x'.repeat(101) }, 'name'],
    ['no scopes', { name: 'x', scopes: [] }, 'scopes'],
    ['an end that is past', { name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ['a commandId of two lines', { name: 'x', commandId: 'a\nb' }, 'commandId'],
  ])('is refused with %s', async (_name, input, field) => {
    const { data } = await t.query(IssueKeyDocument, { input: input as { name: string } }, token);
    expect(data?.issueKey).toMatchObject({
      __typename: 'InvalidInput',
      code: 'INVALID_INPUT',
      issues: [{ path: [field], code: 'INVALID_INPUT' }],
    });
  });
});

describe('an address that is none', () => {
  it.each([
    '/nope',
    '/graphql/x',
    '/health/x',
    '/%zz',
    '/playground/',
    '/playground/nope.js',
    '/playground/..%2f..%2fpackage.json',
    '/.env',
  ])('%s is not found', async (path) => {
    expect(await send(path)).toMatchObject({ status: 404, codes: ['NOT_FOUND'] });
  });

  it.each(['PUT', 'DELETE', 'PATCH'])('%s is not for /graphql, which says what is', async (method) => {
    const { status, codes, headers } = await send('/graphql', { method });
    expect([status, codes, headers.get('allow')]).toEqual([
      405,
      ['METHOD_NOT_ALLOWED'],
      'GET, HEAD, POST, OPTIONS',
    ]);
    expect(await send('/health', { method })).toMatchObject({ status: 405 });
  });
});

describe('a search', () => {
  const search = (query: string, category?: string) =>
    t.query(SearchPatternsDocument, { query, filter: { category: category ?? null } }, secret);

  it.each([
    `it's "quoted" \\ and \\' more`,
    'a & b | !c <-> d:* (e)',
    '& | ! <-> :* ( )',
    ':*',
    '!!',
    "'",
    "''",
    '\\',
    '%',
    '%_%',
    '$1',
    '😀 👩‍👩‍👧',
    '‮abc',
    'İıſ',
    'x'.repeat(500),
    '漢'.repeat(500),
    'a '.repeat(250),
    '-- ; DROP TABLE x',
  ])('for %j is answered', async (query) => {
    const { status, data, errors: refused } = await search(query);
    expect([status, refused]).toEqual([200, undefined]);
    expect(data?.searchPatterns?.edges).toEqual([]);
  });

  it.each(['\ud800', 'x\udfff', '\u0001\u001f', '\0'])('for %j is refused', async (query) => {
    const { status, errors: refused } = await search(query);
    expect([status, refused?.[0]?.extensions]).toEqual([400, { code: 'INVALID_INPUT', field: 'query' }]);
  });

  it('is never an internal error, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 120 }),
          fc.string({ unit: 'binary-ascii' }),
          fc.string({ unit: 'grapheme' }),
        ),
        fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
        async (query, category) => {
          const { data, errors: refused } = await search(query, category);
          if (refused) expect(refused[0]?.extensions['code']).toBe('INVALID_INPUT');
          else expect(data?.searchPatterns?.edges).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

it('leaves every read model in order', async () => {
  await t.caughtUp();
  expect(t.app.parts.projector.failures()).toEqual([]);
  expect(await send('/health/ready')).toMatchObject({ status: 200 });
});
