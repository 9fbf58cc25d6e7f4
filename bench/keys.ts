// `npm run bench:keys`: a table for people, then one JSON line with the figures.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchKeyCache } from './keyCache.js';
import { benchRevocation } from './revocation.js';
import { benchSignIn } from './signIn.js';

if (process.argv.includes('--help')) {
  process.stdout.write(
    'npm run bench:keys [-- --quick]\n\n' +
      'Measures what a look at the cache of 100,000 keys takes, and whether the time of a refused sign-in\n' +
      'tells if an e-mail is registered: 1,000 attempts each, in turn, over HTTP, on the embedded database.\n' +
      'Where DATABASE_URL is set (and with REDIS_URL where that is), also how long a revoked key works on another\n' +
      'node: 1,000 revocations under load. --quick makes 200 attempts and 100 revocations.\n',
  );
  process.exit(0);
}
const quick = process.argv.includes('--quick');
const folder = await mkdtemp(join(tmpdir(), 'tollgraph-bench-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const row = (name: string, value: number, unit: string, target = ''): void =>
  say(`  ${name.padEnd(56)} ${value.toFixed(3).padStart(10)} ${unit.padEnd(9)} ${target}`);
const figures: Record<string, number | string | null> = {};

say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}`);
say('\nthe cache of keys');
const { knownUs, unknownUs, megabytes } = benchKeyCache(quick ? 20 : 100);
row('a known key', knownUs, 'µs CPU', 'at most 20');
row('an unknown key', unknownUs, 'µs CPU', 'at most 50');
row('100,000 keys', megabytes, 'MB', 'at most 64');
figures['key_known_us'] = knownUs;
figures['key_unknown_us'] = unknownUs;
figures['keys_100k_mb'] = megabytes;

say('\nembedded (PGlite)');
const { knownMs, unknownMs } = await benchSignIn(folder, quick ? 200 : 1_000);
row('a refused sign-in with an e-mail that is registered', knownMs, 'ms');
row('  with one that nobody has', unknownMs, 'ms');
row('  known over unknown', knownMs / unknownMs, '', '0.95 to 1.05');
figures['signin_known_ms'] = knownMs;
figures['signin_unknown_ms'] = unknownMs;
figures['signin_known_over_unknown'] = knownMs / unknownMs;

const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = process.env;
const revoked = databaseUrl
  ? await benchRevocation(folder, databaseUrl, redisUrl, quick ? 100 : 1_000)
  : undefined;
if (revoked) {
  say(`\ntwo API nodes on one PostgreSQL${redisUrl ? ' and one Redis' : ''}, 200 calls a second on each`);
  row('a revoked key still works on the other node, p50', revoked.p50Ms, 'ms');
  row('  p99', revoked.p99Ms, 'ms', 'at most 100');
  row('  max', revoked.maxMs, 'ms', 'at most 1000');
} else {
  figures['revocation_missing'] = 'DATABASE_URL is not set';
  say('\ntwo API nodes: not measured, DATABASE_URL is not set');
}
figures['revocation_p99_ms'] = revoked?.p99Ms ?? null;
figures['revocation_max_ms'] = revoked?.maxMs ?? null;
await rm(folder, { recursive: true, force: true });
say(`\n${JSON.stringify(figures)}`);
