import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

interface Order {
  readonly listed: readonly string[];
  readonly first: readonly string[];
}

/** What is listed, and the order of so many files of given sizes that have not run here yet. */
function orderOf(sizes: Readonly<Record<string, number>>): Order {
  const script =
    "import LongestFirst, { SECONDS } from './scripts/jest/longestFirst.mjs'; " +
    'const sizes = JSON.parse(process.argv[1]); ' +
    'const context = { config: { cache: false }, hasteFS: { getSize: (path) => sizes[path] } }; ' +
    'const tests = Object.keys(sizes).map((path) => ({ path, context })); ' +
    'const first = new LongestFirst().sort(tests).map(({ path }) => path); ' +
    'process.stdout.write(JSON.stringify({ listed: Object.keys(SECONDS), first }));';
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script, JSON.stringify(sizes)],
    { encoding: 'utf8' },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Order;
}

const compiled = (file: string): string => join(process.cwd(), 'dist', file.replace(/\.ts$/, '.js'));

it('on a fresh clone the files that take long begin, then the larger ones', () => {
  const [hostile, roles, small, large] = [
    'test/text/hostile.http.test.ts',
    'test/process/roles.e2e.test.ts',
    'test/text/text.unit.test.ts',
    'test/graphql/node.http.test.ts',
  ].map(compiled) as [string, string, string, string];
  const { first } = orderOf({ [small]: 6_000, [hostile]: 100, [large]: 20_000, [roles]: 10 });
  expect(first.slice(0, 2).sort()).toEqual([hostile, roles].sort());
  expect(first.slice(2)).toEqual([large, small]);
});

it('every file that is listed is there', () => {
  const { listed } = orderOf({});
  expect(listed.length).toBeGreaterThan(20);
  expect(listed.filter((file) => !existsSync(file))).toEqual([]);
});
