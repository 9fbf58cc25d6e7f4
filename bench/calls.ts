import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Load, LoadResult } from './load.js';
import { unreachableLimits } from './profile.js';
import { median } from './statistics.js';

const QUERY =
  'query Read { pattern(by: { slug: "circuit-breaker" }) { ... on Pattern { id slug name category description } ... on Refusal { code } } }';
const CONNECTIONS = 64;

/**
 * Many short rounds: a machine that is shared changes its speed by half from one second to the next, and
 * what lies close together is measured at the same one.
 */
const THROUGHPUT = { seconds: 0.5, rounds: 8 };
const LATENCY = { seconds: 1.5, rounds: 3, quick: 2 };
/**
 * Processes too differ from start to start, by a fifth and more, by how they were compiled and where their
 * memory lies: many starts tell more than many rounds.
 */
const STARTS = 8;

export interface CallFigures {
  readonly governed_over_bare: number;
  readonly p99_extra_ms: number;
  readonly cpu_over_bare: number;
  readonly governed_per_second: number;
  readonly bare_per_second: number;
  readonly governed_p99_ms: number;
  readonly bare_p99_ms: number;
}

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
  readonly headers: Record<string, string>;
}

async function startServer(
  file: string,
  root: string,
  dataDir: string,
  env: NodeJS.ProcessEnv,
): Promise<Server> {
  const child = fork(new URL(file, import.meta.url), [root, dataDir], { env: { ...process.env, ...env } });
  const exited = once(child, 'exit').then(() => {
    throw new Error(`${file} has ended`);
  });
  const [ready] = (await Promise.race([once(child, 'message'), exited])) as [{ url: string; key?: string }];
  exited.catch(() => undefined);
  return { process: child, url: ready.url, headers: ready.key ? { 'x-api-key': ready.key } : {} };
}

/** One generator for all rounds: a new one would be compiling itself while it measures. */
async function load(
  generator: ChildProcess,
  server: Server,
  rest: Pick<Load, 'seconds' | 'rate'>,
): Promise<LoadResult> {
  const body = JSON.stringify({ query: QUERY });
  generator.send({ url: server.url, headers: server.headers, body, connections: CONNECTIONS, ...rest });
  const [result] = (await once(generator, 'message')) as [LoadResult];
  if (result.failed > 0) throw new Error(`${result.failed} calls of ${server.url} failed`);
  return result;
}

/** CPU seconds of a process so far, from its own report in /proc (Linux); NaN elsewhere. */
async function cpuSeconds({ process: { pid } }: Server): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** One after the other; whoever goes first changes from round to round. */
async function alternating<R>(
  round: number,
  one: () => Promise<R>,
  other: () => Promise<R>,
): Promise<readonly [one: R, other: R]> {
  if (round % 2 === 0) return [await one(), await other()];
  const second = await other();
  return [await one(), second];
}

interface Rounds {
  readonly ratio: number[];
  readonly cpuRatio: number[];
  readonly governedPerSecond: number[];
  readonly barePerSecond: number[];
  readonly extraMs: number[];
  readonly governedP99Ms: number[];
  readonly bareP99Ms: number[];
}

/** Throughput in alternating rounds, then the latency at half of bare Apollo's throughput, open loop. */
async function measure(
  all: Rounds,
  generator: ChildProcess,
  governed: Server,
  bare: Server,
  quick: boolean,
): Promise<void> {
  for (const server of [governed, bare]) await load(generator, server, { seconds: quick ? 2 : 5 });
  const throughput = async (server: Server): Promise<{ perSecond: number; cpu: number }> => {
    const before = await cpuSeconds(server);
    const { perSecond, answers } = await load(generator, server, { seconds: THROUGHPUT.seconds });
    return { perSecond, cpu: ((await cpuSeconds(server)) - before) / answers };
  };
  const bareHere: number[] = [];
  for (let round = 0; round < THROUGHPUT.rounds; round++) {
    const [g, b] = await alternating(
      round,
      () => throughput(governed),
      () => throughput(bare),
    );
    all.ratio.push(g.perSecond / b.perSecond);
    all.cpuRatio.push(g.cpu / b.cpu);
    all.governedPerSecond.push(g.perSecond);
    bareHere.push(b.perSecond);
  }
  all.barePerSecond.push(...bareHere);
  const rate = median(bareHere) / 2;
  const p99 = async (server: Server): Promise<number> =>
    (await load(generator, server, { seconds: LATENCY.seconds, rate })).p99Ms;
  for (let round = 0; round < (quick ? LATENCY.quick : LATENCY.rounds); round++) {
    const [g, b] = await alternating(
      round,
      () => p99(governed),
      () => p99(bare),
    );
    all.extraMs.push(g - b);
    all.governedP99Ms.push(g);
    all.bareP99Ms.push(b);
  }
}

/** A governed call beside bare Apollo on Fastify: the medians of all rounds. */
export async function benchCalls(
  folder: string,
  quick: boolean,
  env: (dataDir: string) => Promise<NodeJS.ProcessEnv>,
): Promise<CallFigures> {
  const root = await unreachableLimits(join(folder, 'root'));
  const startIn = async (file: string, dataDir: string): Promise<Server> =>
    startServer(file, root, dataDir, await env(dataDir));
  const all: Rounds = {
    ratio: [],
    cpuRatio: [],
    governedPerSecond: [],
    barePerSecond: [],
    extraMs: [],
    governedP99Ms: [],
    bareP99Ms: [],
  };
  for (let start = 0; start < (quick ? 1 : STARTS); start++) {
    const [governed, bare] = await Promise.all([
      startIn('./governedServer.js', join(folder, `governed-${start}`)),
      startIn('./bareServer.js', join(folder, `bare-${start}`)),
    ]);
    const generator = fork(new URL('./load.js', import.meta.url));
    try {
      await measure(all, generator, governed, bare, quick);
    } finally {
      generator.kill();
      for (const server of [governed, bare]) {
        server.process.send('stop');
        await once(server.process, 'exit');
      }
    }
  }
  return {
    governed_over_bare: median(all.ratio),
    p99_extra_ms: median(all.extraMs),
    cpu_over_bare: median(all.cpuRatio),
    governed_per_second: median(all.governedPerSecond),
    bare_per_second: median(all.barePerSecond),
    governed_p99_ms: median(all.governedP99Ms),
    bare_p99_ms: median(all.bareP99Ms),
  };
}
