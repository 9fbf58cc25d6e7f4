// `npm run bench:scanner`: a table for people, then one JSON line with the figures.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Analysis } from '../src/analysis/analysis.js';
import { loadRuleSet } from '../src/analysis/ruleFiles.js';
import { benchScannerLoad } from './scannerLoad.js';
import { median } from './statistics.js';

if (process.argv.includes('--help')) {
  process.stdout.write(
    'npm run bench:scanner [-- --quick]\n\n' +
      'Measures how fast the scanner analyses 10 MB of prose, and of the inputs that are worst for it, on one core:\n' +
      'the median of five passes, after one that is not counted; and how much memory ten such files take that are\n' +
      'uploaded at once, and how long /health/live takes meanwhile. --quick makes one pass of each.\n',
  );
  process.exit(0);
}
const SIZE = 10 * 1024 * 1024;
const PIECE = 64 * 1024;
const ROUNDS = process.argv.includes('--quick') ? 1 : 5;
const rules = await loadRuleSet('rules/conversation');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const repeated = (piece: string): Buffer => Buffer.alloc(SIZE, piece);
const numbered = (entry: (n: number) => string): Buffer => {
  const entries: string[] = [];
  for (let length = 0, n = 0; length < SIZE; n++) {
    entries.push(entry(n));
    length += entry(n).length + 2;
  }
  return Buffer.from(entries.join('\n\n')).subarray(0, SIZE);
};
/** No two entries are the same, and one in twenty has a hit. */
const prose = numbered(
  (n) =>
    `Kim: It was the ${n}th evening that they had with all of us at the lake, and the water was still warm; ${n % 20 === 0 ? 'I said no' : 'we went in'}.`,
);
const words = [...(rules.languages.get('en')?.categories.values() ?? [])]
  .flatMap(({ tokens, phrases }) => [...tokens, ...phrases].flat(3))
  .map((spelling) => spelling.join(' '));
const worst: Readonly<Record<string, Buffer>> = {
  'all words of the rules': repeated(`${words.join(' ')} `),
  'the beginning of a phrase': repeated('i was '),
  'the end of a gap': repeated('i was scared '),
  'one letter and spaces': Buffer.concat([Buffer.from('a'), Buffer.alloc(SIZE - 1, ' ')]),
  'one word': repeated('a'),
  'blank lines': repeated('\n'),
  'lines of one entry': repeated('no\n'),
  'U+2028': repeated('\u2028 x'),
  'marks to be sorted': repeated('a\u0301\u0316\u0301\u0316\u0301\u0316'),
  anchors: repeated('Oslo 2019\n\n'),
  'entries that are all events': numbered((n) => `no ${n}`),
};

function pass(bytes: Buffer): number {
  const begin = performance.now();
  const analysis = new Analysis({ rules, languages: ['en'] });
  for (let at = 0; at < SIZE; at += PIECE) analysis.push(bytes.subarray(at, at + PIECE));
  analysis.end();
  return performance.now() - begin;
}

function measure(bytes: Buffer): number {
  pass(bytes);
  return median(Array.from({ length: ROUNDS }, () => pass(bytes)));
}

say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}`);
say('\n10 MB of');
const row = (name: string, ms: number, target: string): void =>
  say(`  ${name.padEnd(40)} ${ms.toFixed(0).padStart(8)} ms   ${target}`);
const proseMs = measure(prose);
row('prose', proseMs, 'at most 500');
let worstMs = 0;
for (const [name, bytes] of Object.entries(worst)) {
  const ms = measure(bytes);
  worstMs = Math.max(worstMs, ms);
  row(name, ms, 'at most 2000');
}

say('\nten files of 10 MB of prose at once, over HTTP');
const folder = await mkdtemp(join(tmpdir(), 'tollgraph-bench-'));
const load = await benchScannerLoad(folder, prose).finally(() =>
  rm(folder, { recursive: true, force: true }),
);
const figure = (name: string, value: number, unit: string, target = ''): void =>
  say(`  ${name.padEnd(40)} ${value.toFixed(1).padStart(8)} ${unit.padEnd(4)} ${target}`);
figure('memory above idle, at most', load.memoryMb, 'MB', 'at most 200');
figure('/health/live meanwhile, p50', load.healthP50Ms, 'ms', 'below 10');
figure('  p99', load.healthP99Ms, 'ms');
figure('until the last answer', load.seconds, 's');
say(
  JSON.stringify({
    scan_mb_per_second: 10_000 / proseMs,
    scan_worst_ms: worstMs,
    scan_memory_mb: load.memoryMb,
    scan_health_p50_ms: load.healthP50Ms,
    scan_health_p99_ms: load.healthP99Ms,
  }),
);
