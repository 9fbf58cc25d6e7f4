import { z } from 'zod';
import { unfit, unnamed } from './text/text.js';
import type { ProxyTrust } from './http/proxies.js';
import { MAX_PROXIES } from './http/proxies.js';
import { Networks } from './ipAddress.js';

const port = z.coerce.number().int().min(0).max(65_535);
const secret = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]{43}$/,
    'must be 32 random bytes in base64url, e.g. from `openssl rand -base64 32 | tr +/ -_ | tr -d =`',
  );
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const eventStoreUrl = z
  .string()
  .regex(/^esdb(\+discover)?:\/\//, 'must begin with esdb:// or esdb+discover://');

/** Plain http only where nobody else can listen. */
const issuerUrl = z.string().refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash } = new URL(text);
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  return (protocol === 'https:' || (protocol === 'http:' && loopback)) && search === '' && hash === '';
}, 'must be an https URL without query and fragment (http on loopback alone)');
const claim = z.string().min(1);

const OidcIssuer = z.strictObject({
  /** As `iss` says it, letter for letter. */
  issuer: issuerUrl,
  /** One of these must be in the token. */
  audience: z.union([claim.transform((one) => [one]), z.array(claim).min(1)]),
  /** HS256 for tokens that are signed with OIDC_SHARED_SECRET; otherwise the issuer's published keys hold. */
  algorithm: z.literal('HS256').optional(),
  /** What the issuer calls things. */
  claims: z
    .strictObject({
      /** The first of these that a token has says for whom it is. */
      audience: z.array(claim).min(1).default(['aud']),
      email: claim.default('email'),
      emailVerified: claim.default('email_verified'),
      name: claim.default('name'),
    })
    .prefault({}),
  /** Claims that a token must have, each with one of the values. */
  require: z.record(claim, z.array(claim).min(1)).default({}),
});
/** An OpenID Connect issuer whose tokens are sessions. */
export type OidcIssuer = z.infer<typeof OidcIssuer>;

const oidcIssuers = z
  .string()
  .default('[]')
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON: a list of issuers' });
      return z.NEVER;
    }
  })
  .pipe(z.array(OidcIssuer))
  .refine(
    (issuers) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length,
    'names an issuer twice',
  );

const listed = (value: string): string[] =>
  value
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);

/** A key that somebody else has made, and its plan where it is named. The last colon stands before the plan. */
const KEY_AND_PLAN = /^(?<key>[!-~]{16,200}):(?<plan>[^:]*)$|^(?<bare>[!-9;-~]{16,200})$/;

/** What is wrong with an entry is said without its content: it is a secret. */
const keysIn = (name: string) =>
  z
    .string()
    .default('')
    .transform((value, context) =>
      listed(value).map((text, index) => {
        const entry = `${name}, entry ${index + 1}`;
        const { bare, key = bare, plan } = KEY_AND_PLAN.exec(text)?.groups ?? {};
        if (key === undefined) {
          const message = `entry ${index + 1} must be key:plan, or the key alone where the profile names the plan; the key 16 to 200 visible ASCII characters`;
          context.addIssue({ code: 'custom', message });
          return z.NEVER;
        }
        if (key.startsWith('eyJ')) {
          const message = `entry ${index + 1} begins with eyJ, as session tokens do: it could not be told from one`;
          context.addIssue({ code: 'custom', message });
          return z.NEVER;
        }
        return { entry, key, plan };
      }),
    );

/** What TRUST_PROXY has meant: to believe whoever calls, whatever the proxy has added. */
const ANY_PROXY = 'true';

/** Networks in CIDR notation, separated by commas; undefined where there are none. */
const networks = z
  .string()
  .default('')
  .transform((text, context) => {
    const named = listed(text);
    try {
      return named.length > 0 ? new Networks(named) : undefined;
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });

const trustProxy = z.string().transform((text, context): ProxyTrust | typeof ANY_PROXY => {
  const value = text.trim();
  if (value === ANY_PROXY) return value;
  if (value === 'false') return 0;
  if (/^\d+$/.test(value) && Number(value) <= MAX_PROXIES) return Number(value);
  const networks = listed(value);
  try {
    new Networks(networks);
    return networks;
  } catch {
    const message = `must be the number of proxies before this process, at most ${MAX_PROXIES}, or their networks, like 10.0.0.0/8, fd00::/8, but not everybody's`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
});

/** An origin exactly as browsers send it, or `*`; origins are compared as strings. */
const ORIGIN = /^(\*|[a-z][a-z\d+.-]*:\/\/[^/?#@\sA-Z]+)$/;

/** As OpenTelemetry's specification names them. */
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type SamplerName = (typeof SAMPLERS)[number];

/** Every variable that Tollgraph reads; `.env.example` explains them for people. */
const Environment = z.object({
  NODE_ENV: z.string().default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: port.default(4000),
  DATA_DIR: z.string().min(1).default('data'),
  ROLE: z.enum(['all', 'api', 'projector']).default('all'),
  PROFILE: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'must be the name of a file under profiles/, without .yaml')
    .default('specql'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgresql://')
    .optional(),
  EVENTSTOREDB_URL: eventStoreUrl.optional(),
  EVENTSTORE_URL: eventStoreUrl.optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must begin with redis:// or rediss://')
    .optional(),
  LIMITS_ON_OUTAGE: z.enum(['deny', 'allow']).optional(),
  NODE_ID: z
    .string()
    .regex(/^[a-z0-9]{1,32}$/, 'must be 1 to 32 lower-case letters and digits')
    .optional(),
  KEY_PEPPER: secret.optional(),
  EMAIL_HASH_KEY: secret.optional(),
  MASTER_KEY: secret.optional(),
  SESSION_KEY: secret.optional(),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, 'must begin with smtp:// or smtps://')
    .optional(),
  MAIL_FROM: z
    .string()
    .regex(/^[^\r\n]*@[^\r\n]+$/, 'must be an e-mail address, or a name with one: Shop <shop@example.com>')
    .default('Tollgraph <no-reply@localhost>'),
  PUBLIC_URL: url
    .refine(
      (text) => /^https?:\/\/[^/?#@]+\/?$/.test(text),
      'must be an origin like https://api.example.com, without a path',
    )
    .transform((text) => new URL(text).origin)
    .optional(),
  TRUST_PROXY: trustProxy.default(0),
  WEBHOOK_NETWORKS: networks,
  OPERATORS: z
    .string()
    .default('')
    .transform(listed)
    .pipe(z.array(z.string().regex(/^[^\s@]+@[^\s@]+$/, 'must be e-mails, separated by commas'))),
  LEGACY_API_KEYS: keysIn('LEGACY_API_KEYS'),
  API_KEYS: keysIn('API_KEYS'),
  OIDC_ISSUERS: oidcIssuers,
  OIDC_SHARED_SECRET: z
    .string()
    .refine((text) => Buffer.byteLength(text) >= 32, 'must have at least 32 bytes (RFC 7518, section 3.2)')
    .optional(),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform(listed)
    .refine(
      (origins) => origins.every((origin) => ORIGIN.test(origin)),
      'must be origins like https://shop.example, in lower case and without a path, or *',
    ),
  BILLING: z.enum(['stripe', 'sandbox', 'off']).optional(),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^(sk|rk)_(live|test)_\w+$/, 'must be a secret or restricted key of Stripe: sk_live_…, rk_test_…')
    .optional(),
  STRIPE_PUBLISHABLE_KEY: z
    .string()
    .regex(/^pk_(live|test)_\w+$/, 'must be a publishable key of Stripe: pk_live_…')
    .optional(),
  STRIPE_WEBHOOK_SECRET: z
    .string()
    .default('')
    .transform(listed)
    .refine(
      (secrets) => secrets.every((text) => /^whsec_[A-Za-z0-9+/=_-]{16,}$/.test(text)),
      'must be signing secrets of webhook endpoints, whsec_…, separated by commas',
    ),
  STRIPE_API_BASE: url.optional(),
  PAYMENT_REQUIRED: flag.default(true),
  PAYMENT_WAIVED_IN_PRODUCTION: z.literal('yes', 'must be yes, or left out').optional(),
  JOURNAL_FLUSH_MS: z.coerce.number().min(0).max(1_000).default(1),
  EMBEDDINGS: z.enum(['local', 'off']).default('local'),
  MAX_ANSWER_BYTES: z.coerce.number().int().min(10_000).max(1_000_000_000).default(10_000_000),
  SHUTDOWN_DRAIN_MS: z.coerce.number().int().min(0).max(60_000).default(0),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url.optional(),
  OTEL_SERVICE_NAME: z.string().optional(),
  OTEL_TRACES_SAMPLER: z.enum(SAMPLERS).default('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
});

export type Role = 'all' | 'api' | 'projector';

/** Where traces go, and how many. */
export interface TracingConfig {
  /** Of the collector's endpoint for traces. */
  readonly url: string;
  readonly serviceName: string | undefined;
  readonly sampler: SamplerName;
  /** Of the traces that a ratio sampler takes, 0 to 1. */
  readonly ratio: number;
}

/** Who takes payments: Stripe, the built-in sandbox that stands in for it, or nobody. */
export interface BillingConfig {
  readonly mode: 'stripe' | 'sandbox' | 'off';
  readonly secretKey: string | undefined;
  readonly publishableKey: string | undefined;
  /** Of the webhook endpoint; several while one is replaced. */
  readonly webhookSecrets: readonly string[];
  /** Where Stripe's API is; undefined for Stripe's own address. */
  readonly apiBase: string | undefined;
  /** Prices that exist at Stripe already, by `<plan>-<interval>`: STRIPE_PRO_PRICE_ID is that of a month of pro. */
  readonly priceIds: ReadonlyMap<string, string>;
}

export interface Config {
  readonly production: boolean;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly dataDir: string;
  readonly profile: string;
  /** What this process does: everything, answer calls, or keep the read models. */
  readonly role: Role;
  readonly databaseUrl: string | undefined;
  /** EventStoreDB; undefined for the event store on the database. */
  readonly eventStoreUrl: string | undefined;
  /** Redis, which several nodes share for their limits; undefined for limits of this process alone. */
  readonly redisUrl: string | undefined;
  /** What Redis' absence means for calls; undefined: deny those that may change something. */
  readonly limitsOnOutage: 'deny' | 'allow' | undefined;
  readonly nodeId: string | undefined;
  readonly secrets: Readonly<Partial<Record<SecretName, string>>>;
  /** Where mails go; undefined for files under the data directory. */
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  /** The address that customers use, an origin. Where it is https, nothing is served over plain HTTP. */
  readonly publicUrl: string;
  /** Whose word on where a call comes from counts. */
  readonly trustProxy: ProxyTrust;
  /** Networks beside the public ones that webhooks may be sent to, also over plain HTTP; undefined for none. */
  readonly webhookNetworks: Networks | undefined;
  /** E-mails of those who are operators once they have verified them. */
  readonly operators: readonly string[];
  /** Keys that others have made, with the plan of each; no key stands there twice. */
  readonly environmentKeys: readonly {
    readonly key: string;
    /** Undefined where the profile has to name it. */
    readonly plan: string | undefined;
    /** Names where it stands. */
    readonly entry: string;
  }[];
  /** Whose tokens are sessions, beside our own. */
  readonly oidcIssuers: readonly OidcIssuer[];
  /** What tokens of issuers with HS256 are signed with. */
  readonly oidcSharedSecret: string | undefined;
  readonly corsOrigins: readonly string[];
  readonly billing: BillingConfig;
  /** Whether what the profile sells by the piece has to be paid for. */
  readonly paymentRequired: boolean;
  /** Shortest time between two flushes of the usage journal under load, in milliseconds. */
  readonly journalFlushMs: number;
  readonly embeddings: 'local' | 'off';
  /** Of an answer's data as JSON. */
  readonly maxAnswerBytes: number;
  /** How long a server that stops goes on serving, unready, in milliseconds. */
  readonly shutdownDrainMs: number;
  /** Undefined where nothing is traced. */
  readonly tracing: TracingConfig | undefined;
  /** What should be set differently although it works, each in a sentence that begins with the variable. */
  readonly warnings: readonly string[];
}

export const SECRET_NAMES = ['KEY_PEPPER', 'EMAIL_HASH_KEY', 'MASTER_KEY', 'SESSION_KEY'] as const;
export type SecretName = (typeof SECRET_NAMES)[number];

/** The configuration is wrong in the ways that the message lists, a line each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((p) => `  ${p}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** Lists are written over several lines, so that line breaks pass here. */
function unfitValue(name: string, value: string): string | undefined {
  // What is not UTF-8 comes as this, so that two secrets of such bytes would be the same.
  if (value.includes('\ufffd')) return 'is not UTF-8, or holds the character U+FFFD that stands for it';
  const problem = unfit(name, value);
  return problem && unnamed(problem);
}

/**
 * Parses the environment once; empty variables, blanks alone too, count as not set.
 * @throws ConfigError that names every variable at fault, never its value
 */
export function parseConfig(env: NodeJS.ProcessEnv): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  set['CORS_ORIGINS'] ??= set['CORS_ALLOW_ORIGINS'];
  const unfits = new Map(
    Object.keys(Environment.shape).flatMap((name) => {
      const problem = unfitValue(name, set[name] ?? '');
      return problem === undefined ? [] : [[name, problem]];
    }),
  );
  const parsed = Environment.safeParse(set);
  const issues = (parsed.error?.issues ?? []).filter(({ path }) => !unfits.has(String(path[0])));
  if (!parsed.success || unfits.size > 0) {
    throw new ConfigError([
      ...[...unfits].map(([name, problem]) => `${name}: ${problem}`),
      ...issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    ]);
  }
  const e = parsed.data;
  const { EVENTSTOREDB_URL: eventStore = e.EVENTSTORE_URL, EVENTSTORE_URL: alias = eventStore } = e;
  if (alias !== eventStore) {
    throw new ConfigError([
      'EVENTSTORE_URL: is another name for EVENTSTOREDB_URL, and says something else: set one of them',
    ]);
  }
  if (e.ROLE !== 'all' && e.DATABASE_URL === undefined) {
    throw new ConfigError([
      `ROLE: ${e.ROLE} is one of several processes, which need PostgreSQL: set DATABASE_URL, or leave ROLE out`,
    ]);
  }
  if (e.OIDC_ISSUERS.some(({ algorithm }) => algorithm === 'HS256') && e.OIDC_SHARED_SECRET === undefined) {
    throw new ConfigError(['OIDC_SHARED_SECRET: must be set, since an issuer in OIDC_ISSUERS has HS256']);
  }
  const production = e.NODE_ENV === 'production';
  if (production && e.TRUST_PROXY === ANY_PROXY) throw new ConfigError([`TRUST_PROXY: ${NOT_ANY_PROXY}`]);
  if (e.ROLE !== 'projector' && e.PUBLIC_URL?.startsWith('https:') && e.TRUST_PROXY === 0) {
    throw new ConfigError([
      'PUBLIC_URL: is https, which a proxy before this process has to speak: say in TRUST_PROXY whom to believe that (docs/proxies.md)',
    ]);
  }
  if (production && !e.PAYMENT_REQUIRED && e.PAYMENT_WAIVED_IN_PRODUCTION !== 'yes') {
    throw new ConfigError([
      'PAYMENT_REQUIRED: is false in production, so that everything is free: set PAYMENT_WAIVED_IN_PRODUCTION=yes if that is meant',
    ]);
  }
  const base = e.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/$/, '');
  const traces = e.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base}/v1/traces`);
  return {
    production,
    host: e.HOST,
    port: e.PORT,
    dataDir: e.DATA_DIR,
    profile: e.PROFILE,
    role: e.ROLE,
    databaseUrl: e.DATABASE_URL,
    eventStoreUrl: eventStore,
    redisUrl: e.REDIS_URL,
    limitsOnOutage: e.LIMITS_ON_OUTAGE,
    nodeId: e.NODE_ID,
    secrets: {
      KEY_PEPPER: e.KEY_PEPPER,
      EMAIL_HASH_KEY: e.EMAIL_HASH_KEY,
      MASTER_KEY: e.MASTER_KEY,
      SESSION_KEY: e.SESSION_KEY,
    },
    smtpUrl: e.SMTP_URL,
    mailFrom: e.MAIL_FROM,
    publicUrl: e.PUBLIC_URL ?? localUrl(e.HOST, e.PORT),
    trustProxy: e.TRUST_PROXY === ANY_PROXY ? 1 : e.TRUST_PROXY,
    webhookNetworks: e.WEBHOOK_NETWORKS,
    operators: e.OPERATORS,
    environmentKeys: onceEach([...e.LEGACY_API_KEYS, ...e.API_KEYS]),
    oidcIssuers: e.OIDC_ISSUERS,
    oidcSharedSecret: e.OIDC_SHARED_SECRET,
    corsOrigins: e.CORS_ORIGINS,
    billing: billingOf(e, set),
    paymentRequired: e.PAYMENT_REQUIRED,
    journalFlushMs: e.JOURNAL_FLUSH_MS,
    embeddings: e.EMBEDDINGS,
    maxAnswerBytes: e.MAX_ANSWER_BYTES,
    shutdownDrainMs: e.SHUTDOWN_DRAIN_MS,
    tracing:
      traces === undefined
        ? undefined
        : {
            url: traces,
            serviceName: e.OTEL_SERVICE_NAME,
            sampler: e.OTEL_TRACES_SAMPLER,
            ratio: e.OTEL_TRACES_SAMPLER_ARG,
          },
    warnings: e.TRUST_PROXY === ANY_PROXY ? [`TRUST_PROXY: ${NOT_ANY_PROXY} It counts as 1.`] : [],
  };
}

const PRICE_ID = /^STRIPE_(?<plan>[A-Z0-9_]+?)(?<yearly>_YEARLY)?_PRICE_ID$/;

/** @throws ConfigError */
function billingOf(e: z.infer<typeof Environment>, set: NodeJS.ProcessEnv): BillingConfig {
  const production = e.NODE_ENV === 'production';
  const mode = e.BILLING ?? (e.STRIPE_SECRET_KEY ? 'stripe' : production ? 'off' : 'sandbox');
  const problems: string[] = [];
  if (mode === 'stripe' && e.STRIPE_SECRET_KEY === undefined) {
    problems.push('STRIPE_SECRET_KEY: must be set for BILLING=stripe');
  }
  if (mode === 'stripe' && e.STRIPE_WEBHOOK_SECRET.length === 0) {
    problems.push('STRIPE_WEBHOOK_SECRET: must be set, since nothing is known of payments without webhooks');
  }
  const [secret, publishable] = [e.STRIPE_SECRET_KEY, e.STRIPE_PUBLISHABLE_KEY].map(
    (key) => key?.split('_')[1],
  );
  if (secret && publishable && secret !== publishable) {
    problems.push(`STRIPE_PUBLISHABLE_KEY: is a ${publishable} key, and STRIPE_SECRET_KEY a ${secret} key`);
  }
  const priceIds = new Map<string, string>();
  for (const [name, value = ''] of Object.entries(set)) {
    const { plan, yearly } = PRICE_ID.exec(name)?.groups ?? {};
    if (plan === undefined) continue;
    if (!/^price_\w+$/.test(value)) problems.push(`${name}: must be the id of a price, price_…`);
    priceIds.set(`${plan.toLowerCase().replaceAll('_', '-')}-${yearly ? 'year' : 'month'}`, value);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    mode,
    secretKey: e.STRIPE_SECRET_KEY,
    publishableKey: e.STRIPE_PUBLISHABLE_KEY,
    webhookSecrets: e.STRIPE_WEBHOOK_SECRET,
    apiBase: e.STRIPE_API_BASE,
    priceIds,
  };
}

/** Of this machine: whoever listens everywhere is here too. */
function localUrl(host: string, port: number): string {
  const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

const NOT_ANY_PROXY =
  'true would believe the first address in X-Forwarded-For, which the caller writes. Set the number of proxies before this process (1), or their networks (docs/proxies.md).';

/** @throws ConfigError where a key stands twice with different plans */
function onceEach(entries: Config['environmentKeys']): Config['environmentKeys'] {
  const byKey = new Map<string, Config['environmentKeys'][number]>();
  for (const entry of entries) {
    const known = byKey.get(entry.key);
    if (!known) byKey.set(entry.key, entry);
    else if (known.plan !== entry.plan) {
      throw new ConfigError([`${entry.entry}: the key of ${known.entry} with another plan`]);
    }
  }
  return [...byKey.values()];
}
