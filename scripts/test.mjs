// `npm test`: from a bare clone to a verdict. Arguments go to jest, e.g. `npm test -- limiter`.
// `npm test -- --changed [ref]` runs the tests that import what differs from the ref (HEAD), by the import
// graph: what a test reaches only through a child process or a worker is not seen.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, run, step } from './lib.mjs';
import { testRuns } from './testRuns.mjs';

const bin = (...path) => join('node_modules', ...path);
let args = process.argv.slice(2);

await ensureInstalled({ development: true });
await ensureBuilt({ tests: true });
if (args[0] === '--changed') {
  const files = changedSince(args[1] ?? 'HEAD');
  if (files.length === 0) {
    process.stderr.write(`Nothing that is compiled differs from ${args[1] ?? 'HEAD'}.\n`);
    process.exit(0);
  }
  args = ['--passWithNoTests', '--findRelatedTests', ...files];
}
if (args.length === 0) {
  // Linting takes as long as all others together.
  const lint = step('Linting', process.execPath, [bin('eslint', 'bin', 'eslint.js'), '.']);
  for (const [label, ...words] of [
    ['Checking format', bin('prettier', 'bin', 'prettier.cjs'), '--check', '.'],
    [
      'Checking dependencies between folders',
      bin('dependency-cruiser', 'bin', 'dependency-cruise.mjs'),
      ...['--config', '.dependency-cruiser.cjs', 'src', 'projections'],
    ],
    ['Checking advisories', join('scripts', 'advisories.mjs')],
    [
      'Checking the generated operations',
      bin('@graphql-codegen', 'cli', 'cjs', 'bin.js'),
      ...['--config', 'codegen.yml', '--check'],
    ],
  ]) {
    await step(label, process.execPath, words);
  }
  await lint;
}

/** The compiled files of the sources that differ from the commit, new ones included. */
function changedSince(ref) {
  const git = (...words) => execFileSync('git', words, { encoding: 'utf8' }).split('\n');
  return [...git('diff', '--name-only', ref), ...git('ls-files', '--others', '--exclude-standard')]
    .filter((file) => /^(src|projections|test)\/.*\.ts$/.test(file))
    .map((file) => join('dist', file.replace(/\.ts$/, '.js')))
    .filter((file) => existsSync(file));
}

const { DATABASE_URL: _1, EVENTSTORE_URL: _2, EVENTSTOREDB_URL: _3, ...rest } = process.env;
const { problem, runs, left } = testRuns(process.env, args);
if (problem) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}
for (const { on, env, args: jestArgs } of runs) {
  process.stderr.write(`\nTests on ${on}\n`);
  const code = await run(process.execPath, [bin('jest', 'bin', 'jest.js'), ...jestArgs], {
    inherit: rest,
    env,
  });
  if (code !== 0) process.exit(code);
}
for (const line of left) process.stderr.write(`\n${line}\n`);
