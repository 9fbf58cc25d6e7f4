import { ConfigError, parseConfig } from '../src/config.js';

const SECRET = 'A'.repeat(43);

function problems(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

const COGNITO = {
  issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool',
  audience: ['client'],
  claims: {
    audience: ['aud', 'client_id'],
    email: 'email',
    emailVerified: 'email_verified',
    name: 'name',
  },
  require: { token_use: ['access', 'id'] },
};

it.each([
  ['no JSON', '{', 'OIDC_ISSUERS: must be JSON'],
  ['no list', '{}', 'OIDC_ISSUERS: '],
  ['plain http', '[{"issuer":"http://issuer.example","audience":"a"}]', 'OIDC_ISSUERS.0.issuer: must be an'],
  ['no audience', '[{"issuer":"https://issuer.example","audience":[]}]', 'OIDC_ISSUERS.0.audience: '],
  [
    'an issuer twice',
    '[{"issuer":"https://a.example","audience":"a"},{"issuer":"https://a.example","audience":"b"}]',
    'OIDC_ISSUERS: names an issuer twice',
  ],
  [
    'HS256 without the secret',
    '[{"issuer":"https://a.example","audience":"a","algorithm":"HS256"}]',
    'OIDC_SHARED_SECRET: must be set',
  ],
])('refuses issuers with %s by name', (_what, issuers, message) => {
  expect(() => parseConfig({ OIDC_ISSUERS: issuers })).toThrow(message);
});

it('needs nothing', () => {
  expect(parseConfig({})).toEqual({
    production: false,
    host: '127.0.0.1',
    port: 4000,
    dataDir: 'data',
    profile: 'specql',
    role: 'all',
    databaseUrl: undefined,
    nodeId: undefined,
    secrets: {},
    mailFrom: 'Tollgraph <no-reply@localhost>',
    publicUrl: 'http://127.0.0.1:4000',
    paymentReturnUrl: 'http://127.0.0.1:4000/checkout/result',
    trustProxy: 0,
    operators: [],
    dailyReport: true,
    registration: 'open',
    environmentKeys: [],
    oidcIssuers: [],
    billing: {
      mode: 'sandbox',
      secretKey: undefined,
      publishableKey: undefined,
      webhookSecrets: [],
      apiBase: undefined,
      priceIds: new Map(),
    },
    corsOrigins: [],
    paymentRequired: true,
    journalFlushMs: 1,
    embeddings: 'local',
    maxAnswerBytes: 10_000_000,
    shutdownDrainMs: 0,
    tracing: undefined,
    warnings: [],
  });
});

it('takes what is set', () => {
  const env = {
    NODE_ENV: 'production',
    HOST: '0.0.0.0',
    PORT: '0',
    DATA_DIR: '/var/lib/tollgraph',
    PROFILE: 'glyph',
    ROLE: 'projector',
    DATABASE_URL: 'postgres://db/tollgraph',
    EVENTSTOREDB_URL: 'esdb+discover://user:secret@events:2113?tls=true',
    NODE_ID: 'n1',
    KEY_PEPPER: SECRET,
    PUBLIC_URL: 'https://API.example.com/',
    TRUST_PROXY: '10.0.0.0/8, fd00::/8',
    LEGACY_API_KEYS: 'old-key-of-somebody:business, with:colons:within:free',
    API_KEYS: 'old-key-of-somebody:business',
    OPERATORS: 'a@example.com, B@example.com',
    OIDC_ISSUERS: JSON.stringify([
      {
        issuer: COGNITO.issuer,
        audience: 'client',
        claims: { audience: ['aud', 'client_id'] },
        require: { token_use: ['access', 'id'] },
      },
    ]),
    OIDC_SHARED_SECRET: 'x'.repeat(32),
    CORS_ORIGINS: 'https://a.example, https://b.example,',
    CORS_ALLOW_ORIGINS: 'https://c.example',
    PAYMENT_REQUIRED: 'false',
    PAYMENT_WAIVED_IN_PRODUCTION: 'yes',
    JOURNAL_FLUSH_MS: '2.5',
    EMBEDDINGS: 'off',
    SMTP_URL: 'smtps://user:secret@mail:465',
    MAIL_FROM: 'Shop <shop@example.com>',
    MAX_ANSWER_BYTES: '20000',
    SHUTDOWN_DRAIN_MS: '3000',
    DAILY_REPORT: 'off',
    REGISTRATION: 'invitation',
  };
  expect(parseConfig(env)).toEqual({
    production: true,
    dailyReport: false,
    registration: 'invitation',
    host: '0.0.0.0',
    port: 0,
    dataDir: '/var/lib/tollgraph',
    profile: 'glyph',
    role: 'projector',
    databaseUrl: 'postgres://db/tollgraph',
    eventStoreUrl: 'esdb+discover://user:secret@events:2113?tls=true',
    nodeId: 'n1',
    secrets: { KEY_PEPPER: SECRET },
    smtpUrl: 'smtps://user:secret@mail:465',
    mailFrom: 'Shop <shop@example.com>',
    publicUrl: 'https://api.example.com',
    paymentReturnUrl: 'https://api.example.com/checkout/result',
    trustProxy: ['10.0.0.0/8', 'fd00::/8'],
    operators: ['a@example.com', 'B@example.com'],
    environmentKeys: [
      { key: 'old-key-of-somebody', plan: 'business', entry: 'LEGACY_API_KEYS, entry 1' },
      { key: 'with:colons:within', plan: 'free', entry: 'LEGACY_API_KEYS, entry 2' },
    ],
    oidcIssuers: [COGNITO],
    oidcSharedSecret: 'x'.repeat(32),
    billing: {
      mode: 'off',
      secretKey: undefined,
      publishableKey: undefined,
      webhookSecrets: [],
      apiBase: undefined,
      priceIds: new Map(),
    },
    corsOrigins: ['https://a.example', 'https://b.example'],
    paymentRequired: false,
    journalFlushMs: 2.5,
    embeddings: 'off',
    maxAnswerBytes: 20_000,
    shutdownDrainMs: 3_000,
    tracing: undefined,
    warnings: [],
  });
});

it.each(['', ' ', '\t'])('counts an empty variable ("%s") as not set', (empty) => {
  const names = [
    'HOST',
    'PORT',
    'DATA_DIR',
    'PROFILE',
    'ROLE',
    'DATABASE_URL',
    'EVENTSTOREDB_URL',
    'EVENTSTORE_URL',
    'NODE_ID',
    'KEY_PEPPER',
  ];
  const others = ['TRUST_PROXY', 'CORS_ORIGINS', 'JOURNAL_FLUSH_MS', 'EMBEDDINGS'];
  const env = Object.fromEntries([...names, ...others].map((name) => [name, empty]));
  expect(parseConfig(env)).toEqual(parseConfig({}));
});

describe('EVENTSTORE_URL, the older name of EVENTSTOREDB_URL', () => {
  const url = 'esdb://events:2113';

  it('is taken, also beside the same under the newer name', () => {
    expect(parseConfig({ EVENTSTORE_URL: url }).eventStoreUrl).toBe(url);
    expect(parseConfig({ EVENTSTORE_URL: url, EVENTSTOREDB_URL: url }).eventStoreUrl).toBe(url);
  });

  it('is refused where the two differ, and neither is shown', () => {
    const [problem, ...others] = problems({ EVENTSTORE_URL: url, EVENTSTOREDB_URL: 'esdb://other:2113' });
    expect(others).toEqual([]);
    expect(problem).toMatch(/^EVENTSTORE_URL: .*EVENTSTOREDB_URL/);
    expect(problem).not.toContain('esdb://');
  });
});

describe('traces', () => {
  it('go to the collector, at the address that OTLP adds, by the sampler that is named', () => {
    expect(
      parseConfig({ OTEL_SERVICE_NAME: 'shop', OTEL_TRACES_SAMPLER: 'always_on' }).tracing,
    ).toBeUndefined();
    expect(parseConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }).tracing).toEqual({
      url: 'http://collector:4318/v1/traces',
      serviceName: undefined,
      sampler: 'parentbased_always_on',
      ratio: 1,
    });
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector/otlp/',
      OTEL_SERVICE_NAME: 'shop',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
    };
    expect(parseConfig(env).tracing).toEqual({
      url: 'https://collector/otlp/v1/traces',
      serviceName: 'shop',
      sampler: 'traceidratio',
      ratio: 0.01,
    });
  });

  it('go to the whole address that is named for them', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces/in',
    };
    expect(parseConfig(env).tracing?.url).toBe('http://traces/in');
  });
});

it('leaves alone what is not its own', () => {
  expect(parseConfig({ PATH: '/bin', EDITOR: 'ed' })).toEqual(parseConfig({}));
});

it.each(['api', 'projector'])('refuses the role %s without a database that processes can share', (ROLE) => {
  expect(() => parseConfig({ ROLE })).toThrow(/ROLE: .* need PostgreSQL/);
  expect(parseConfig({ ROLE, DATABASE_URL: 'postgres://db/tollgraph' }).role).toBe(ROLE);
});

const WRONG = {
  ROLE: 'both',
  PORT: '70000',
  PROFILE: '../secrets',
  DATABASE_URL: 'mysql://user:hunter2@db/x',
  EVENTSTOREDB_URL: 'https://admin:changeit@events:2113',
  EVENTSTORE_URL: 'http://ops:changeit@events:2113',
  NODE_ID: 'Node 1',
  KEY_PEPPER: 'pepper-too-short',
  EMAIL_HASH_KEY: `${SECRET}=`,
  MASTER_KEY: `master-key ${SECRET}`,
  SESSION_KEY: 'session+key/',
  TRUST_PROXY: 'yes please',
  JOURNAL_FLUSH_MS: '-17',
  EMBEDDINGS: 'remote!',
  SHUTDOWN_DRAIN_MS: '99999',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'grpc://user:hunter2@collector',
  OTEL_TRACES_SAMPLER: 'jaeger_remote',
  OTEL_TRACES_SAMPLER_ARG: '1.75',
};

it.each([
  ['half a surrogate pair', '\ud800', 'is not well-formed Unicode'],
  ['a control character', '\u0001', 'holds a control character'],
  ['what was not UTF-8', '\ufffd', 'is not UTF-8'],
])('refuses %s in every variable once, and does not show the value', (_what, text, why) => {
  const others = ['NODE_ENV', 'HOST', 'DATA_DIR', 'MAIL_FROM', 'OTEL_SERVICE_NAME', 'OIDC_SHARED_SECRET'];
  const names = [...Object.keys(WRONG), ...others, 'API_KEYS', 'CORS_ORIGINS', 'OPERATORS'].sort();
  const said = problems(Object.fromEntries(names.map((name) => [name, `a secret ${text}`])));
  expect(said.map((problem) => problem.split(': ')[0]).sort()).toEqual(names);
  expect(said.filter((problem) => !problem.includes(why) || problem.includes('secret'))).toEqual([]);
});

it('names every variable at fault at once, in a line each', () => {
  const named = problems(WRONG).map((problem) => problem.slice(0, problem.indexOf(':')));
  expect(named.sort()).toEqual(Object.keys(WRONG).sort());
  expect(new ConfigError(problems(WRONG)).message.split('\n').length).toBe(1 + Object.keys(WRONG).length);
});

it.each(Object.entries(WRONG))('refuses %s as "%s", and does not show the value', (name, value) => {
  const [problem, ...others] = problems({ [name]: value });
  expect(others).toEqual([]);
  expect(problem).toMatch(new RegExp(`^${name}: .{10,}`));
  expect(problem).not.toContain(value);
});

it.each<[string, number | string[]]>([
  ['0', 0],
  ['false', 0],
  ['1', 1],
  [' 2 ', 2],
  ['192.0.2.7', ['192.0.2.7']],
  ['10.0.0.0/8,::1', ['10.0.0.0/8', '::1']],
])('takes "%s" as the proxies to trust', (text, trustProxy) => {
  expect(parseConfig({ TRUST_PROXY: text, NODE_ENV: 'production' })).toMatchObject({
    trustProxy,
    warnings: [],
  });
});

it.each<[string, NodeJS.ProcessEnv]>([
  ['http://localhost:8080', { HOST: '0.0.0.0', PORT: '8080' }],
  ['http://[::1]:4000', { HOST: '::1' }],
  ['https://api.example.com', { PUBLIC_URL: 'https://api.example.com:443', TRUST_PROXY: '1' }],
  [
    'https://api.example.com',
    { PUBLIC_URL: 'https://api.example.com', ROLE: 'projector', DATABASE_URL: 'postgres://x' },
  ],
])('customers use %s', (publicUrl, env) => expect(parseConfig(env).publicUrl).toBe(publicUrl));

it.each([
  'api.example.com',
  'https://api.example.com/v1',
  'https://u:p@api.example.com',
  'ftp://x',
  'https://x?y',
])('takes no address that customers use from "%s"', (text) =>
  expect(problems({ PUBLIC_URL: text, TRUST_PROXY: '1' })[0]).toMatch(/^PUBLIC_URL: must be/),
);

it('wants to know whom to believe that a call came by https', () => {
  expect(problems({ PUBLIC_URL: 'https://api.example.com' })[0]).toMatch(/^PUBLIC_URL: .*TRUST_PROXY/);
});

it.each([
  '17',
  '-1',
  '1.5',
  '10.0.0.0/33',
  '10.0.0/8',
  '0.0.0.0/0',
  '::/0',
  '10.0.0.0/8, proxy.example',
  '/8',
])('takes no proxies to trust from "%s"', (text) =>
  expect(problems({ TRUST_PROXY: text })[0]).toMatch(/^TRUST_PROXY: must be the number/),
);

it('believes no first address in a header, as TRUST_PROXY=true once did', () => {
  expect(problems({ TRUST_PROXY: 'true', NODE_ENV: 'production' })[0]).toMatch(
    /^TRUST_PROXY: true would believe .*which the caller writes.*docs\/proxies\.md/,
  );
  const { trustProxy, warnings } = parseConfig({ TRUST_PROXY: 'true' });
  expect(trustProxy).toBe(1);
  expect(warnings).toEqual([expect.stringMatching(/^TRUST_PROXY: true would .* counts as 1\.$/)]);
});

it.each(['abc', '1.5', '-1', '65536', '80 90', 'Infinity'])('takes no port from "%s"', (text) => {
  expect(problems({ PORT: text })[0]).toMatch(/^PORT: /);
});

it('takes a page to come back to from payments, without a query of its own', () => {
  const PAYMENT_RETURN_URL = 'https://shop.example/account';
  expect(parseConfig({ PAYMENT_RETURN_URL }).paymentReturnUrl).toBe(PAYMENT_RETURN_URL);
  for (const wrong of [`${PAYMENT_RETURN_URL}?a=b`, `${PAYMENT_RETURN_URL}#a`, '/account', 'ftp://a']) {
    expect(() => parseConfig({ PAYMENT_RETURN_URL: wrong })).toThrow('PAYMENT_RETURN_URL: must be an');
  }
});

it.each(['shop.example', 'https://shop.example/', 'https://Shop.example', '*.shop.example', 'https://a b'])(
  'takes no origin from "%s", which no browser sends: it would match none',
  (text) => {
    expect(problems({ CORS_ORIGINS: `https://good.example,${text}` })[0]).toMatch(/^CORS_ORIGINS: /);
  },
);

it.each([
  '*',
  'http://localhost:3000',
  'https://shop.example:8443',
  'capacitor://localhost',
  'http://[::1]:80',
])('takes "%s" as an origin', (text) => {
  expect(parseConfig({ CORS_ORIGINS: text }).corsOrigins).toEqual([text]);
});

it('takes a key of the environment alone, for the plan that the profile names', () => {
  const { environmentKeys } = parseConfig({ LEGACY_API_KEYS: 'old-key-of-somebody,another-old-key-of:free' });
  expect(environmentKeys.map(({ key, plan }) => [key, plan])).toEqual([
    ['old-key-of-somebody', undefined],
    ['another-old-key-of', 'free'],
  ]);
});

it.each<[string, NodeJS.ProcessEnv, string]>([
  [
    'holds another character',
    { API_KEYS: 'good-key-of-somebody:free,SECRET-SECRET-SECR\u00c9T' },
    'API_KEYS: entry 2 must be',
  ],
  ['is too short', { LEGACY_API_KEYS: 'SECRET-SECRET:free' }, 'LEGACY_API_KEYS: entry 1 must be'],
  ['has a blank in it', { API_KEYS: 'SECRET SECRET SECRET:free' }, 'API_KEYS: entry 1 must be'],
  ['looks like a session', { API_KEYS: 'eyJSECRETSECRETSECRET:free' }, 'API_KEYS: entry 1 begins with eyJ'],
  [
    'stands there twice, with two plans',
    { LEGACY_API_KEYS: 'SECRET-SECRET-SECRET:free', API_KEYS: 'SECRET-SECRET-SECRET:pro' },
    'API_KEYS, entry 1: the key of LEGACY_API_KEYS, entry 1',
  ],
])('a key of the environment that %s is refused by its place, and not shown', (_what, env, expected) => {
  const [problem = '', ...others] = problems(env);
  expect(problem.slice(0, expected.length)).toBe(expected);
  expect([others, /SECRET/.test(problem)]).toEqual([[], false]);
});

describe('the configuration of billing', () => {
  const billing = (env: NodeJS.ProcessEnv) => parseConfig(env).billing;
  const keys = { STRIPE_SECRET_KEY: 'sk_test_abc', STRIPE_WEBHOOK_SECRET: `whsec_${'a'.repeat(32)}` };

  it('is the sandbox, in production nobody, and Stripe where there is its key', () => {
    expect(billing({}).mode).toBe('sandbox');
    expect(parseConfig({ NODE_ENV: 'production', TRUST_PROXY: '1' }).billing.mode).toBe('off');
    expect(billing(keys).mode).toBe('stripe');
    expect(billing({ ...keys, BILLING: 'off' }).mode).toBe('off');
  });

  it('takes several secrets of webhooks, and prices that exist already', () => {
    const second = `whsec_${'b'.repeat(32)}`;
    const secrets = `${keys.STRIPE_WEBHOOK_SECRET}, ${second}`;
    expect(billing({ ...keys, STRIPE_WEBHOOK_SECRET: secrets }).webhookSecrets).toEqual([
      keys.STRIPE_WEBHOOK_SECRET,
      second,
    ]);
    const { priceIds } = billing({
      STRIPE_PRO_PRICE_ID: 'price_3, price_1',
      STRIPE_PRO_YEARLY_PRICE_ID: 'price_2',
    });
    expect([...priceIds]).toEqual([
      ['pro-month', ['price_3', 'price_1']],
      ['pro-year', ['price_2']],
    ]);
  });

  it.each<[string, NodeJS.ProcessEnv, RegExp]>([
    [
      'a key without a secret for webhooks',
      { STRIPE_SECRET_KEY: 'sk_test_abc' },
      /STRIPE_WEBHOOK_SECRET: must/,
    ],
    ['Stripe without a key', { BILLING: 'stripe' }, /STRIPE_SECRET_KEY: must be set/],
    [
      'an empty secret among others',
      { STRIPE_WEBHOOK_SECRET: 'whsec_' },
      /STRIPE_WEBHOOK_SECRET: must be signing/,
    ],
    [
      'keys of two modes',
      { ...keys, STRIPE_PUBLISHABLE_KEY: 'pk_live_a' },
      /is a live key, and STRIPE_SECRET_KEY a test/,
    ],
    [
      'a price that is none',
      { STRIPE_PRO_PRICE_ID: 'price_1, pro' },
      /STRIPE_PRO_PRICE_ID: must be the id of a price/,
    ],
  ])('is refused with %s, and no value is told', (_what, env, said) => {
    expect(() => parseConfig(env)).toThrow(said);
    expect(() => parseConfig(env)).not.toThrow(/abc|pk_live_a/);
  });
});
