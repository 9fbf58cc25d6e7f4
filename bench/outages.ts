// `npm run bench:outages`: a table for people, then one JSON line with the figures.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SECRET_NAMES } from '../src/config.js';
import { onOwnDatabase } from './events/database.js';
import type { Node } from './nodes.js';
import { issueKeys, startNode, stopNode } from './nodes.js';
import { EventStoreServer } from './outages/server.js';
import { SteadyLoad } from './outages/steadyLoad.js';
import { unreachableLimits } from './profile.js';
import { quantile } from './statistics.js';

if (process.argv.includes('--help')) {
  process.stdout.write(
    'npm run bench:outages [-- --quick]\n\n' +
      'An API process and a projector on the EventStoreDB of EVENTSTOREDB_URL and the PostgreSQL of DATABASE_URL\n' +
      'take 330 calls and 7 commands a second for ten minutes: how many are not answered, and how late answers\n' +
      'are. Where EVENTSTOREDB_COMMAND is set, it is run by a shell and starts that server, which is then also\n' +
      'frozen for 8 seconds and killed and started again, three times each under the same load: how long after\n' +
      'its return the first call and the first command are answered. --quick takes 20 seconds of load and one\n' +
      'fault of each kind.\n',
  );
  process.exit(0);
}
const quick = process.argv.includes('--quick');
const { DATABASE_URL: databaseUrl, EVENTSTOREDB_URL: eventStoreUrl } = process.env;
if (databaseUrl === undefined || eventStoreUrl === undefined) {
  process.stderr.write('bench:outages needs DATABASE_URL and EVENTSTOREDB_URL. --help says more.\n');
  process.exit(2);
}
const LOAD = { callsPerSecond: 330, commandsPerSecond: 7 };
/** Each may send 60 commands a minute. */
const ACCOUNTS = 14;
const STEADY_SECONDS = quick ? 20 : 600;
const FAULTS = quick ? 1 : 3;
const FREEZE_MS = 8_000;
/** Between faults, so that each finds a product that has caught up. */
const CALM_MS = 10_000;
const GIVE_UP_MS = 30_000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const row = (name: string, value: number, unit: string, target = ''): void =>
  say(`  ${name.padEnd(56)} ${value.toFixed(value < 100 ? 2 : 0).padStart(10)} ${unit.padEnd(9)} ${target}`);
const figures: Record<string, number | string | null> = {};

/** Counts what is answered while nothing is wrong. */
async function steady(load: SteadyLoad): Promise<void> {
  load.begin();
  await delay(STEADY_SECONDS * 1000);
  const { calls, commands, refused } = await load.end();
  say(
    `\n${STEADY_SECONDS} s at ${LOAD.callsPerSecond} calls and ${LOAD.commandsPerSecond} commands a second`,
  );
  for (const [name, { sent, answered, ms }] of Object.entries({ calls, commands })) {
    row(name, sent, 'sent');
    row('  not answered', sent - answered, '', 'none');
    row('  p50', quantile(ms, 0.5), 'ms');
    row('  p99', quantile(ms, 0.99), 'ms');
    row('  max', quantile(ms, 1), 'ms');
    figures[`${name}_sent`] = sent;
    figures[`${name}_not_answered`] = sent - answered;
    figures[`${name}_p99_ms`] = quantile(ms, 0.99);
  }
  for (const [what, count] of refused) say(`  ${count} × ${what}`);
}

/** @returns seconds from the server's return to the first answers */
async function fault(
  load: SteadyLoad,
  breakAndMend: () => Promise<void>,
): Promise<{ readonly call: number; readonly command: number }> {
  load.begin();
  await delay(CALM_MS);
  await breakAndMend();
  const returned = performance.now();
  const giveUp = delay(GIVE_UP_MS, undefined, { ref: false }).then(() => Number.POSITIVE_INFINITY);
  const [call, command] = await Promise.all([
    Promise.race([load.nextAnswer('calls'), giveUp]),
    Promise.race([load.nextAnswer('commands'), giveUp]),
  ]);
  await load.end();
  return { call: (call - returned) / 1000, command: (command - returned) / 1000 };
}

async function faults(load: SteadyLoad, server: EventStoreServer): Promise<void> {
  const kinds = {
    freeze: () => server.freeze(FREEZE_MS),
    kill: () => server.killAndStart(),
  };
  for (const [name, breakAndMend] of Object.entries(kinds)) {
    const all: Awaited<ReturnType<typeof fault>>[] = [];
    for (let i = 0; i < FAULTS; i++) all.push(await fault(load, breakAndMend));
    say(`\nafter a ${name} (${FAULTS} times, the slowest)`);
    const slowest = (kind: 'call' | 'command'): number => Math.max(...all.map((one) => one[kind]));
    row('the first call was answered after', slowest('call'), 's', 'at most 1');
    row('the first command', slowest('command'), 's', 'at most 1');
    figures[`${name}_first_call_s`] = slowest('call');
    figures[`${name}_first_command_s`] = slowest('command');
  }
}

const folder = await mkdtemp(join(tmpdir(), 'tollgraph-bench-'));
const root = await unreachableLimits(join(folder, 'root'));
const command = process.env['EVENTSTOREDB_COMMAND'];
const server = command === undefined ? undefined : new EventStoreServer(command, eventStoreUrl);
say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}`);
try {
  await server?.start();
  await onOwnDatabase(databaseUrl, async (_sql, url) => {
    const secrets = SECRET_NAMES.map((name) => [name, randomBytes(32).toString('base64url')] as const);
    const start = (role: string): Promise<Node> =>
      startNode(root, {
        ...Object.fromEntries(secrets),
        DATA_DIR: join(folder, role),
        DATABASE_URL: url,
        EVENTSTOREDB_URL: eventStoreUrl,
        ROLE: role,
        NODE_ID: role,
        PORT: '0',
        EMBEDDINGS: 'off',
        TRUST_PROXY: '1',
      });
    const nodes = await Promise.all([start('api'), start('projector')]);
    try {
      const keys = [];
      for (let i = 0; i < ACCOUNTS; i++) keys.push(...(await issueKeys(nodes[0].url, i, 1)));
      const load = new SteadyLoad(nodes[0].url, keys, LOAD);
      await steady(load);
      if (server) await faults(load, server);
    } finally {
      await Promise.all(nodes.map(stopNode));
    }
  });
} finally {
  server?.kill();
  await rm(folder, { recursive: true, force: true });
}
if (!server) {
  figures['faults_missing'] = 'EVENTSTOREDB_COMMAND is not set';
  say('\nfaults: not measured, EVENTSTOREDB_COMMAND is not set');
}
say(`\n${JSON.stringify(figures)}`);
