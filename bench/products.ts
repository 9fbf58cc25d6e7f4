// `npm run bench:products`: each promise of the products' documents beside its measurement, then one JSON line.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRoutes } from '../src/rest/declared/file.js';
import type { Load, LoadResult } from './load.js';
import type { Callers } from './productServer.js';
import { unreachableLimits } from './profile.js';
import { median, quantile } from './statistics.js';

if (process.argv.includes('--help')) {
  process.stdout.write(
    'npm run bench:products [-- --quick]\n\n' +
      'Measures what a declared route costs beside its document over POST /graphql, and each promise of the\n' +
      "products' documents, by itself and with 1,000 connections. --quick takes about a minute.\n",
  );
  process.exit(0);
}
const quick = process.argv.includes('--quick');
for (const name of ['DATABASE_URL', 'REDIS_URL', 'EVENTSTORE_URL', 'EVENTSTOREDB_URL'])
  delete process.env[name];

const STARTS = quick ? 1 : 4;
const ROUNDS = quick ? 6 : 10;
const ROUND_SECONDS = 0.5;
const CONNECTIONS = 64;
/** As many connections as somebody asked for, and calls a second that they share. */
const MANY = { connections: 1_000, rate: 500, seconds: quick ? 3 : 10 };
/** One after the other; guarded calls are at most sixty a minute for an account. */
const CALLS = 50;
const SLUG = 'circuit-breaker';

const folder = await mkdtemp(join(tmpdir(), 'tollgraph-bench-products-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const row = (name: string, value: number | undefined, promise: string): void => {
  const shown = value === undefined ? '–' : value.toFixed(2);
  say(`  ${name.padEnd(52)} ${shown.padStart(10)}   ${promise}`);
};

interface Server extends Callers {
  readonly process: ChildProcess;
}

async function serve(profile: string, root: string, name: string): Promise<Server> {
  const child = fork(new URL('./productServer.js', import.meta.url), [root, join(folder, name)], {
    env: { ...process.env, PROFILE: profile },
  });
  const exited = once(child, 'exit').then(() => {
    throw new Error(`the server of ${profile} has ended`);
  });
  const [callers] = (await Promise.race([once(child, 'message'), exited])) as [Callers];
  exited.catch(() => undefined);
  return { ...callers, process: child };
}

async function stop({ process: child }: Server): Promise<void> {
  child.send('stop');
  await once(child, 'exit');
}

async function load(generator: ChildProcess, asked: Load): Promise<LoadResult> {
  generator.send(asked);
  const [result] = (await once(generator, 'message')) as [LoadResult];
  if (result.failed > 0) throw new Error(`${result.failed} calls of ${asked.url} failed`);
  return result;
}

/** CPU seconds of a process so far, from its own report in /proc (Linux); NaN elsewhere. */
async function cpuSeconds({ process: { pid } }: Server): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

type Call = Pick<Load, 'url' | 'method' | 'body' | 'headers'>;

const json = (credential: string, more: Readonly<Record<string, string>> = {}) => ({
  authorization: `Bearer ${credential}`,
  'content-type': 'application/json',
  ...more,
});

/** The 95th percentile of calls that come one after the other, in milliseconds. */
async function oneByOne({ url, method = 'POST', headers, body }: Call, calls = CALLS): Promise<number> {
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const began = performance.now();
    const response = await fetch(url, { method, headers, ...(method !== 'GET' && { body }) });
    const text = await response.text();
    times.push(performance.now() - began);
    if (!response.ok || text.includes('"errors"'))
      throw new Error(`${url} answered ${response.status}: ${text}`);
  }
  // The first ones are compiled under way.
  return quantile(times.slice(Math.floor(calls / 5)), 0.95);
}

/** What a route costs the server, over what its document costs over `POST /graphql`: medians of rounds. */
async function routeOverGraphql(root: string): Promise<number> {
  const declared = await readRoutes(join(root, 'profiles', 'specql.routes.yaml'));
  const found = declared?.routes.routes.find(({ route }) => route === 'GET /api/v1/patterns/{pattern_id}');
  if (found?.document === undefined) throw new Error('the route of a pattern is declared no more');
  const query = found.document;
  const ratios: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const server = await serve('specql', root, `route-${start}`);
    const generator = fork(new URL('./load.js', import.meta.url));
    const route: Call = {
      url: `${server.url}/api/v1/patterns/${SLUG}`,
      method: 'GET',
      body: '',
      headers: json(server.key),
    };
    const document: Call = {
      url: `${server.url}/graphql`,
      method: 'POST',
      body: JSON.stringify({ query, variables: { by: { slug: SLUG } } }),
      headers: json(server.key),
    };
    const cpuOf = async (call: Call): Promise<number> => {
      const before = await cpuSeconds(server);
      const { answers } = await load(generator, {
        ...call,
        connections: CONNECTIONS,
        seconds: ROUND_SECONDS,
      });
      return ((await cpuSeconds(server)) - before) / answers;
    };
    try {
      for (const call of [route, document])
        await load(generator, { ...call, connections: CONNECTIONS, seconds: quick ? 2 : 5 });
      for (let round = 0; round < ROUNDS; round++) {
        const order = round % 2 === 0 ? [route, document] : [document, route];
        const cpu = new Map<Call, number>();
        for (const call of order) cpu.set(call, await cpuOf(call));
        ratios.push((cpu.get(route) ?? NaN) / (cpu.get(document) ?? NaN));
      }
    } finally {
      generator.kill();
      await stop(server);
    }
  }
  return median(ratios);
}

/** A call by itself, and among those of 1,000 connections. */
async function both(generator: ChildProcess, call: Call): Promise<{ alone: number; many: LoadResult }> {
  return { alone: await oneByOne(call), many: await load(generator, { ...call, ...MANY }) };
}

const figures: Record<string, number> = {};
say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}`);
try {
  const root = await unreachableLimits(join(folder, 'root'));
  say('\nA declared route');
  figures['route_cpu_over_graphql'] = await routeOverGraphql(root);
  row('its CPU over that of its document', figures['route_cpu_over_graphql'], 'at most 1.3');

  const generator = fork(new URL('./load.js', import.meta.url));
  try {
    say(`\nspecql (p95 in ms; also with ${MANY.connections} connections, ${MANY.rate} calls a second)`);
    const specql = await serve('specql', root, 'specql');
    const pattern = await both(generator, {
      url: `${specql.url}/api/v1/patterns/${SLUG}`,
      method: 'GET',
      body: '',
      headers: json(specql.key),
    });
    await stop(specql);
    row('a pattern', pattern.alone, 'p95 < 100');
    row('  with 1,000 connections', pattern.many.p95Ms, 'p95 < 100');
    figures['specql_pattern_p95_ms'] = pattern.alone;
    figures['specql_pattern_1000_p95_ms'] = pattern.many.p95Ms;

    say('\nharmonic (p95 in ms)');
    const harmonic = await serve('harmonic', root, 'harmonic');
    const api = `${harmonic.url}/api/v1`;
    // Each is two operations, of which an account has sixty a minute.
    const issued = await oneByOne(
      {
        url: `${api}/keys`,
        headers: json(harmonic.session),
        body: JSON.stringify({ userId: harmonic.accountId, name: 'bench' }),
      },
      CALLS / 2,
    );
    row('issuing a key', issued, '< 100');
    const verify = (spend: string): Call => ({
      url: `${harmonic.url}/graphql`,
      headers: json(harmonic.backEnd),
      body: JSON.stringify({
        query: `mutation Verify($secret: String!) { verifyKey(input: { secret: $secret${spend} }) {
          ... on VerifyKeyPayload { code } } }`,
        variables: { secret: harmonic.key },
      }),
    });
    const checked = await both(generator, verify(''));
    row('checking a key', checked.alone, '< 50');
    row('  with 1,000 connections', checked.many.p95Ms, '< 50');
    const quota = await oneByOne({
      url: `${api}/usage?action=current`,
      method: 'GET',
      headers: json(harmonic.otherKey),
      body: '',
    });
    row('where the quota stands', quota, '< 5');
    const spent = await both(
      generator,
      verify(', spend: { quantities: [], endpoint: "/api/v1/data", method: "POST", source: "wiki" }'),
    );
    row('the whole overhead of a call: checked, counted, stored', spent.alone, '< 15');
    row('  with 1,000 connections', spent.many.p95Ms, '< 15');
    row('  with 1,000 connections, p99', spent.many.p99Ms, 'p99 < 50');
    const tracked = await oneByOne({
      url: `${api}/usage/track`,
      headers: json(harmonic.backEnd),
      body: JSON.stringify({
        userId: harmonic.accountId,
        endpoint: '/api/v1/data',
        method: 'POST',
        source: 'wiki',
        responseTime: 12.5,
        status: 200,
      }),
    });
    row('tracking a call', tracked, '< 10');
    await stop(harmonic);
    Object.assign(figures, {
      harmonic_issue_p95_ms: issued,
      harmonic_check_p95_ms: checked.alone,
      harmonic_check_1000_p95_ms: checked.many.p95Ms,
      harmonic_quota_p95_ms: quota,
      harmonic_overhead_p95_ms: spent.alone,
      harmonic_overhead_1000_p95_ms: spent.many.p95Ms,
      harmonic_overhead_1000_p99_ms: spent.many.p99Ms,
      harmonic_track_p95_ms: tracked,
    });

    say('\nglyph (p95 in ms)');
    const glyph = await serve('glyph', root, 'glyph');
    const me = await oneByOne({
      url: `${glyph.url}/billing/status`,
      method: 'GET',
      headers: json(glyph.key),
      body: '',
    });
    await stop(glyph);
    row('the plan and what it has used', me, 'on average < 500');
    figures['glyph_status_p95_ms'] = me;
  } finally {
    generator.kill();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
say(`\n${JSON.stringify(figures)}`);
