// `npm run bench:usage`: a table for people, then one JSON line with the figures.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Load, LoadResult } from './load.js';
import { median } from './statistics.js';

if (process.argv.includes('--help')) {
  process.stdout.write(
    'npm run bench:usage [-- --quick]\n\n' +
      'Measures uses through POST /v1/usage in batches of 1,000 and one by one, how the ledger follows, and\n' +
      'POST /v1/keys/verify with spending, beside bare Fastify, on the embedded database. Where DATABASE_URL and\n' +
      'REDIS_URL are set, the same on PostgreSQL and Redis, beside what most teams build instead: a route with\n' +
      'rate-limiter-flexible and one INSERT a call. --quick takes a minute and leaves those out.\n',
  );
  process.exit(0);
}
const quick = process.argv.includes('--quick');
const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = process.env;
const SECONDS = {
  batches: quick ? 5 : 60,
  single: quick ? 3 : 10,
  rounds: quick ? 3 : 8,
  round: quick ? 1 : 3,
};
const CONNECTIONS = 64;
const FIXED_RATE = 3_000;
const BATCH = 1_000;
/** Digits of a number of its own. */
const PLACEHOLDER = '@'.repeat(16);

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const row = (name: string, value: number, unit: string, target = ''): void =>
  say(`  ${name.padEnd(58)} ${value.toFixed(2).padStart(12)} ${unit.padEnd(8)} ${target}`);
const folder = await mkdtemp(join(tmpdir(), 'tollgraph-bench-'));
const root = join(folder, 'root');
await mkdir(join(root, 'profiles'), { recursive: true });
const yaml = await readFile('profiles/videomind.yaml', 'utf8');
// Limits that are looked at in every call and never reached.
await writeFile(
  join(root, 'profiles', 'videomind.yaml'),
  yaml.replace(/amount: \d+ }/g, 'amount: 25000000 }'),
);
await cp('schema', join(root, 'schema'), { recursive: true });

interface Ready {
  readonly url: string;
  readonly backEnd: string;
  readonly secret: string;
  readonly keyId: string;
}

class Server {
  private constructor(
    readonly process: ChildProcess,
    readonly ready: Ready,
  ) {}

  static async start(file: string, name: string, env: NodeJS.ProcessEnv = {}): Promise<Server> {
    const {
      DATABASE_URL: _1,
      REDIS_URL: _2,
      EVENTSTOREDB_URL: _3,
      EVENTSTORE_URL: _4,
      ...inherited
    } = process.env;
    const child = fork(new URL(file, import.meta.url), [root, join(folder, name)], {
      env: { ...inherited, PROFILE: 'videomind', ...env },
    });
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${file} has ended`);
    });
    const [ready] = (await Promise.race([once(child, 'message'), ended])) as [Ready];
    ended.catch(() => undefined);
    return new Server(child, ready);
  }

  async ask<R>(what: 'ledger' | 'sizes'): Promise<R> {
    this.process.send(what);
    const [answer] = (await once(this.process, 'message')) as [R];
    return answer;
  }

  async stop(): Promise<void> {
    this.process.send('stop');
    await once(this.process, 'exit');
  }
}

const generator = fork(new URL('./load.js', import.meta.url));

async function load(server: Server, path: string, body: object, rest: Partial<Load>): Promise<LoadResult> {
  generator.send({
    url: `${server.ready.url}${path}`,
    headers: { authorization: `Bearer ${server.ready.backEnd}` },
    body: JSON.stringify(body),
    connections: CONNECTIONS,
    seconds: 1,
    ...rest,
  });
  const [result] = (await once(generator, 'message')) as [LoadResult];
  if (result.failed > 0) throw new Error(`${result.failed} calls of ${path} failed`);
  return result;
}

const use = (keyId: string, i: number): object => ({
  useId: `${PLACEHOLDER}-${i}`,
  keyId,
  meter: 'videos',
  quantity: 1,
});
const verification = ({ ready: { secret } }: Server): object => ({
  secret,
  spend: { endpoint: '/analyse', quantities: [{ meter: 'videos', quantity: 1 }] },
});
const verify = (server: Server, rest: Partial<Load>): Promise<LoadResult> =>
  load(server, '/v1/keys/verify', verification(server), rest);

/** Medians of short rounds in turn: what lies close together is measured at the same speed of the machine. */
async function inTurn(
  servers: readonly Server[],
  measure: (server: Server) => Promise<number>,
): Promise<number[]> {
  const all = servers.map((): number[] => []);
  for (let round = 0; round < SECONDS.rounds; round++) {
    const order = servers.map((_, i) => (i + round) % servers.length);
    for (const i of order) all[i]?.push(await measure(servers[i] as Server));
  }
  return all.map(median);
}

interface Figures {
  readonly reported: number;
  readonly following: number;
  readonly backlogSeconds: number;
  readonly single: number;
  readonly journalBytes: number;
  readonly idBytes: number;
}

async function reporting(server: Server): Promise<Figures> {
  const { keyId } = server.ready;
  const batch = { uses: Array.from({ length: BATCH }, (_, i) => use(keyId, i)) };
  const began = performance.now();
  const { perSecond, answers } = await load(server, '/v1/usage', batch, {
    connections: 8,
    seconds: SECONDS.batches,
    placeholder: PLACEHOLDER,
  });
  const { seconds: backlogSeconds } = await server.ask<{ seconds: number }>('ledger');
  const whole = (performance.now() - began) / 1_000;
  const one = await load(
    server,
    '/v1/usage',
    { uses: [use(keyId, 0)] },
    { seconds: SECONDS.single, placeholder: PLACEHOLDER },
  );
  await server.ask('ledger');
  const { journal, ids } =
    await server.ask<Record<'journal' | 'ids', { uses: number; bytes: number }>>('sizes');
  return {
    reported: perSecond * BATCH,
    following: (answers * BATCH) / whole,
    backlogSeconds,
    single: one.perSecond,
    journalBytes: journal.bytes / journal.uses,
    idBytes: ids.bytes / ids.uses,
  };
}

function showReporting(f: Figures, following: string): void {
  row('uses in batches of 1,000', f.reported, '/s', 'at least 50000');
  row('  the ledger, while they come and afterwards', f.following, '/s', following);
  row('  until its backlog is gone', f.backlogSeconds, 's', 'at most 120');
  row('one use a call', f.single, '/s', 'at least 9000');
  row('a use in the journal', f.journalBytes, 'bytes', 'at most 250');
  row('an id that cannot count once more', f.idBytes, 'bytes', 'at most 130');
}

async function database(): Promise<string> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  made.push(name);
  const url = new URL(databaseUrl as string);
  url.pathname = `/${name}`;
  return url.toString();
}
const made: string[] = [];

say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}`);
const figures: Record<string, number | string | null> = {};

say('\nembedded (PGlite), limits in process');
{
  const ours = await Server.start('./usageServer.js', 'embedded');
  const bare = await Server.start('./bareFastify.js', 'bare');
  for (const server of [ours, bare]) await verify(server, { seconds: quick ? 2 : 5 });
  const [perSecond = 0, barePerSecond = 0] = await inTurn(
    [ours, bare],
    async (server) => (await verify(server, { seconds: SECONDS.round })).perSecond,
  );
  const [p99 = 0, bareP99 = 0] = await inTurn(
    [ours, bare],
    async (server) => (await verify(server, { seconds: SECONDS.round, rate: FIXED_RATE })).p99Ms,
  );
  row('verifyKey with spending', perSecond, '/s', 'at least 8000');
  row('  bare Fastify', barePerSecond, '/s');
  row(`p99 at ${FIXED_RATE} a second, more than bare Fastify`, p99 - bareP99, 'ms', 'at most 5');
  const reported = await reporting(ours);
  showReporting(reported, 'at least 20000');
  Object.assign(figures, {
    verify_per_second: perSecond,
    verify_p99_extra_ms: p99 - bareP99,
    reported_uses_per_second: reported.reported,
    ledger_uses_per_second: reported.following,
    ledger_backlog_s: reported.backlogSeconds,
    usage_calls_per_second: reported.single,
    journal_bytes_per_use: reported.journalBytes,
    dedup_bytes_per_use: reported.idBytes,
  });
  await ours.stop();
  await bare.stop();
}

const missing = quick
  ? 'left out by --quick'
  : databaseUrl === undefined || redisUrl === undefined
    ? 'DATABASE_URL or REDIS_URL is not set'
    : undefined;
if (missing === undefined && redisUrl !== undefined) {
  say('\nPostgreSQL, beside what most teams build instead');
  const inProcess = await Server.start('./usageServer.js', 'postgres', { DATABASE_URL: await database() });
  const shared = await Server.start('./usageServer.js', 'redis', {
    DATABASE_URL: await database(),
    REDIS_URL: redisUrl,
  });
  const diy = await Server.start('./diyServer.js', 'diy', {
    DATABASE_URL: await database(),
    REDIS_URL: redisUrl,
  });
  const all = [inProcess, shared, diy];
  for (const server of all) await verify(server, { seconds: 5 });
  const [ours = 0, redis = 0, theirs = 0] = await inTurn(
    all,
    async (server) => (await verify(server, { seconds: SECONDS.round })).perSecond,
  );
  row('verifyKey with spending, limits in process', ours, '/s', 'at least 8000');
  row('  limits in Redis', redis, '/s', 'at least 6500');
  row('  rate-limiter-flexible on Redis and one INSERT', theirs, '/s');
  row('in process over that', ours / theirs, '', 'at least 1.4');
  row('in Redis over that', redis / theirs, '', 'at least 1.1');
  const reported = await reporting(shared);
  showReporting(reported, 'at least 40000');
  Object.assign(figures, {
    verify_per_second_postgres: ours,
    verify_per_second_redis: redis,
    diy_per_second: theirs,
    verify_over_diy: ours / theirs,
    verify_redis_over_diy: redis / theirs,
    reported_uses_per_second_postgres: reported.reported,
    ledger_uses_per_second_postgres: reported.following,
    ledger_backlog_s_postgres: reported.backlogSeconds,
    usage_calls_per_second_postgres: reported.single,
  });
  for (const server of all) await server.stop();
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  for (const name of made) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.end();
} else {
  say(`\nPostgreSQL and Redis: not measured, ${missing}`);
  figures['postgres_missing'] = missing ?? null;
  for (const name of ['verify_over_diy', 'verify_redis_over_diy']) figures[name] = null;
}
generator.kill();
await rm(folder, { recursive: true, force: true });
say(`\n${JSON.stringify(figures)}`);
