import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const secret = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]{43}$/,
    'must be 32 random bytes in base64url, e.g. from `openssl rand -base64 32 | tr +/ -_ | tr -d =`',
  );
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

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
  EVENTSTORE_URL: z
    .string()
    .regex(/^esdb(\+discover)?:\/\//, 'must begin with esdb:// or esdb+discover://')
    .optional(),
  NODE_ID: z
    .string()
    .regex(/^[a-z0-9]{1,32}$/, 'must be 1 to 32 lower-case letters and digits')
    .optional(),
  KEY_PEPPER: secret.optional(),
  EMAIL_HASH_KEY: secret.optional(),
  MASTER_KEY: secret.optional(),
  SESSION_KEY: secret.optional(),
  TRUST_PROXY: flag.default(false),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    ),
  JOURNAL_FLUSH_MS: z.coerce.number().min(0).max(1_000).default(1),
  EMBEDDINGS: z.enum(['local', 'off']).default('local'),
});

export type Role = 'all' | 'api' | 'projector';

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
  readonly nodeId: string | undefined;
  readonly secrets: Readonly<Partial<Record<SecretName, string>>>;
  readonly trustProxy: boolean;
  readonly corsOrigins: readonly string[];
  /** Shortest time between two flushes of the usage journal under load, in milliseconds. */
  readonly journalFlushMs: number;
  readonly embeddings: 'local' | 'off';
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

/**
 * Parses the environment once; empty variables, blanks alone too, count as not set.
 * @throws ConfigError that names every variable at fault, never its value
 */
export function parseConfig(env: NodeJS.ProcessEnv): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const parsed = Environment.safeParse(set);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`));
  }
  const e = parsed.data;
  if (e.ROLE !== 'all' && e.DATABASE_URL === undefined) {
    throw new ConfigError([
      `ROLE: ${e.ROLE} is one of several processes, which need PostgreSQL: set DATABASE_URL, or leave ROLE out`,
    ]);
  }
  return {
    production: e.NODE_ENV === 'production',
    host: e.HOST,
    port: e.PORT,
    dataDir: e.DATA_DIR,
    profile: e.PROFILE,
    role: e.ROLE,
    databaseUrl: e.DATABASE_URL,
    eventStoreUrl: e.EVENTSTORE_URL,
    nodeId: e.NODE_ID,
    secrets: {
      KEY_PEPPER: e.KEY_PEPPER,
      EMAIL_HASH_KEY: e.EMAIL_HASH_KEY,
      MASTER_KEY: e.MASTER_KEY,
      SESSION_KEY: e.SESSION_KEY,
    },
    trustProxy: e.TRUST_PROXY,
    corsOrigins: e.CORS_ORIGINS,
    journalFlushMs: e.JOURNAL_FLUSH_MS,
    embeddings: e.EMBEDDINGS,
  };
}
