import { READ_MODELS } from '../../src/capabilities.js';
import { buildClientSchema, getIntrospectionQuery } from 'graphql';
import type { IntrospectionQuery } from 'graphql';
import { createSchema, sdlOf } from '../../src/graphql/execution/schema.js';
import { PatternsDocument } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp({ env: { CORS_ORIGINS: 'https://shop.example' } });
});
afterAll(() => t.close());

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${t.app.url}${path}`, { headers });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    headers: response.headers,
    text: await response.text(),
  };
}

describe('health', () => {
  it('is live as long as the process answers', async () => {
    const { status, text } = await get('/health/live');
    expect([status, JSON.parse(text)]).toEqual([200, { status: 'live' }]);
  });

  it('is ready once the read models have caught up, and says what is wrong where not', async () => {
    const { status, text } = await get('/health/ready');
    expect([status, JSON.parse(text)]).toEqual([200, { status: 'ready', problems: [], warnings: [] }]);
  });

  it('tells people how far behind read models and policies are', async () => {
    await t.caughtUp();
    const { status, text } = await get('/v1/health');
    const none = { events: 0, seconds: 0 };
    expect([status, JSON.parse(text)]).toEqual([
      200,
      {
        status: 'ready',
        problems: [],
        warnings: [],
        lag: {
          readModels: Object.fromEntries(READ_MODELS.map(({ name }) => [name, none])),
          policies: expect.objectContaining({ 'open-account': none }) as unknown,
        },
      },
    ]);
  });
});

it('shows metrics in the text format of Prometheus, calls counted', async () => {
  const { secret } = await t.customer();
  for (let i = 0; i < 11; i++) await t.query(PatternsDocument, { first: 1 }, secret);
  await t.query(PatternsDocument, { first: 1 });
  const { status, type, text } = await get('/metrics');
  expect([status, type]).toEqual([200, expect.stringMatching(/^text\/plain; version=/)]);
  const value = (name: string): number => {
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1));
  };
  expect(value('tollgraph_governed_calls_total')).toBe(10);
  expect(value('tollgraph_refused_calls_total{code="RATE_LIMITED"}')).toBe(1);
  expect(value('tollgraph_refused_calls_total{code="KEY_MISSING"}')).toBe(1);
  expect(value('tollgraph_keys')).toBe(1);
  for (const model of [
    'keys',
    'accounts',
    'sessions',
    'identities',
    'teams',
    'catalogue',
    'usage',
    'popularity',
    'audit',
  ]) {
    expect(value(`tollgraph_read_model_position{model="${model}"}`)).toBeGreaterThan(0);
  }
  expect(text).not.toContain(secret);
});

describe('the schema', () => {
  it('stands at /schema.graphql', async () => {
    const { status, type, text } = await get('/schema.graphql');
    expect([status, type]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(text.trimEnd()).toBe(sdlOf(createSchema()));
  });

  it('can be introspected without a key', async () => {
    const { status, data } = await t.raw(getIntrospectionQuery());
    expect(status).toBe(200);
    const introspected = buildClientSchema(data as unknown as IntrospectionQuery);
    expect(Object.keys(introspected.getQueryType()?.getFields() ?? {})).toContain('searchPatterns');
    expect(await t.raw('{ __typename }')).toMatchObject({ status: 200, data: { __typename: 'Query' } });
  });

  it('cannot be introspected with a bad key: it would hide the mistake', async () => {
    const { status, errors } = await t.raw('{ __typename }', {}, 'sk_live_x');
    expect([status, errors?.[0]?.extensions['code']]).toEqual([401, 'KEY_MALFORMED']);
  });
});

describe('the playground', () => {
  /** Addresses that a browser loads by itself. */
  const loaded = (html: string): string[] =>
    [
      ...html.matchAll(/<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)\s*=\s*["']?([^"'\s>]+)/gi),
    ].map(([, address]) => address as string);

  it('is served from the install, with no reference to another host', async () => {
    const page = await get('/', { accept: 'text/html' });
    expect([page.status, page.type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.text.match(/\b(?:https?:)?\/\/[\w-]+\.[\w.-]+/g) ?? []).toEqual([]);
    expect(/<base href="([^"]+)"/.exec(page.text)?.[1]).toBe('/playground/');

    const files = loaded(page.text);
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const { origin, pathname } = new URL(file, `${t.app.url}/playground/`);
      expect(origin).toBe(t.app.url);
      if (pathname === '/playground/') continue;
      const { status, text, type } = await get(pathname);
      expect([pathname, status]).toEqual([pathname, 200]);
      // Neither do the style sheets ask elsewhere.
      if (type?.startsWith('text/css'))
        expect(text.match(/(?:@import|url\()\s*["']?(?:https?:)?\/\/[^)"']*/g)).toBeNull();
    }
  });

  it('subscribes over server-sent events at the address that takes its headers', async () => {
    const { text } = await get('/', { accept: 'text/html' });
    expect(text).toMatch(/initialSubscriptionRequestHandlerId: .graphql-sse./);
  });

  it('ignores ranges rather than failing at a wrong one', async () => {
    const { text } = await get('/', { accept: 'text/html' });
    const script = loaded(text).find((file) => file.endsWith('.js')) as string;
    const { status } = await get(new URL(script, `${t.app.url}/playground/`).pathname, {
      range: 'bytes=999999999-',
    });
    expect(status).toBe(200);
  });
});

describe('every answer', () => {
  it.each(['/', '/health', '/metrics', '/schema.graphql', '/nope', '/graphql?query={__typename}'])(
    'of %s keeps browsers from guessing, framing and telling',
    async (path) => {
      const { headers } = await get(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-powered-by')).toBeNull();
    },
  );

  it('is kept by no cache, but for what is the same for all', async () => {
    const { secret } = await t.customer();
    const asking = { 'x-api-key': secret, 'apollo-require-preflight': 'yes' };
    const answer = await get('/graphql?query={me{account{id}}}', asking);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    for (const path of ['/health', '/metrics', '/nope', '/graphql', '/v1/audit.csv']) {
      expect([path, (await get(path)).headers.get('cache-control')]).toEqual([path, 'no-store']);
    }
    const { headers } = await t.query(PatternsDocument, { first: 1 }, secret);
    expect(headers.get('cache-control')).toBe('no-store');
    expect((await get('/.well-known/jwks.json')).headers.get('cache-control')).toMatch(/^public/);
  });

  it('says how to sign in where it is 401', async () => {
    const { status, headers } = await t.query(PatternsDocument, { first: 1 });
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect((await get('/v1/audit.csv')).headers.get('www-authenticate')).toBe('Bearer');
    expect((await get('/health')).headers.get('www-authenticate')).toBeNull();
  });

  it('to OPTIONS is the one of a preflight, also without its headers', async () => {
    const response = await fetch(`${t.app.url}/graphql`, { method: 'OPTIONS' });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(response.headers.get('access-control-allow-methods')).toContain('POST');
    expect(response.headers.get('access-control-max-age')).toBe('7200');
  });

  it('shows its limits to pages of the allowed origins only', async () => {
    const allowed = await get('/health', { origin: 'https://shop.example' });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(allowed.headers.get('access-control-expose-headers')).toContain('X-RateLimit-Remaining');
    const foreign = await get('/health', { origin: 'https://evil.example' });
    expect(foreign.headers.get('access-control-allow-origin')).not.toBe('https://evil.example');
  });
});
