import { z } from 'zod';
import { unfit, unnamed } from './text/text.js';
import type { ProxyTrust } from './http/proxies.js';
import { MAX_PROXIES } from './http/proxies.js';
import { billingOf, BillingVariables } from './config/billing.js';
import type { BillingConfig } from './config/billing.js';
import { keysIn, onceEach } from './config/environmentKeys.js';
import type { EnvironmentKey } from './config/environmentKeys.js';
import { ConfigError } from './config/error.js';
import { oidcIssuers } from './config/oidc.js';
import type { OidcIssuer } from './config/oidc.js';
import { eventStoreUrl, flag, listed, port, secret, url } from './config/values.js';
import { Networks } from './ipAddress.js';

export { ConfigError };
export type { BillingConfig, OidcIssuer };

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
  DAILY_REPORT: z.enum(['on', 'off']).default('on'),
  REGISTRATION: z.enum(['open', 'invitation', 'closed']).default('open'),
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
  ...BillingVariables.shape,
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

/** The variables by their names; prices at Stripe have names of their own beside them. */
export const VARIABLES: readonly string[] = Object.keys(Environment.shape);

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
  /** Where people come from a page on which they have paid, or have not. */
  readonly paymentReturnUrl: string;
  /** Whose word on where a call comes from counts. */
  readonly trustProxy: ProxyTrust;
  /** Networks beside the public ones that webhooks may be sent to, also over plain HTTP; undefined for none. */
  readonly webhookNetworks: Networks | undefined;
  /** E-mails of those who are operators once they have verified them. */
  readonly operators: readonly string[];
  /** Whether operators get the figures of each day by mail, where the profile says when. */
  readonly dailyReport: boolean;
  /** Who may register with a password of ours. */
  readonly registration: 'open' | 'invitation' | 'closed';
  /** Keys that others have made, with the plan of each; no key stands there twice. */
  readonly environmentKeys: readonly EnvironmentKey[];
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
  const publicUrl = e.PUBLIC_URL ?? localUrl(e.HOST, e.PORT);
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
    publicUrl,
    paymentReturnUrl: e.PAYMENT_RETURN_URL ?? `${publicUrl}/checkout/result`,
    trustProxy: e.TRUST_PROXY === ANY_PROXY ? 1 : e.TRUST_PROXY,
    webhookNetworks: e.WEBHOOK_NETWORKS,
    operators: e.OPERATORS,
    dailyReport: e.DAILY_REPORT === 'on',
    registration: e.REGISTRATION,
    environmentKeys: onceEach([...e.LEGACY_API_KEYS, ...e.API_KEYS]),
    oidcIssuers: e.OIDC_ISSUERS,
    oidcSharedSecret: e.OIDC_SHARED_SECRET,
    corsOrigins: e.CORS_ORIGINS,
    billing: billingOf(e, set, production),
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

/** Of this machine: whoever listens everywhere is here too. */
function localUrl(host: string, port: number): string {
  const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

const NOT_ANY_PROXY =
  'true would believe the first address in X-Forwarded-For, which the caller writes. Set the number of proxies before this process (1), or their networks (docs/proxies.md).';
