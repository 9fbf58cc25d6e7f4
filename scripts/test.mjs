// `npm test`: from a bare clone to a verdict. Arguments go to jest, e.g. `npm test -- limiter`.
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, run, step } from './lib.mjs';

const bin = (...path) => join('node_modules', ...path);
const args = process.argv.slice(2);

await ensureInstalled({ development: true });
await ensureBuilt({ tests: true });
if (args.length === 0) {
  await step('Checking format', process.execPath, [bin('prettier', 'bin', 'prettier.cjs'), '--check', '.']);
  await step('Linting', process.execPath, [bin('eslint', 'bin', 'eslint.js'), '.']);
  await step('Checking dependencies between folders', process.execPath, [
    bin('dependency-cruiser', 'bin', 'dependency-cruise.mjs'),
    '--config',
    '.dependency-cruiser.cjs',
    'src',
    'projections',
  ]);
  await step('Checking the generated operations', process.execPath, [
    bin('@graphql-codegen', 'cli', 'cjs', 'bin.js'),
    '--config',
    'codegen.yml',
    '--check',
  ]);
}

const jest = async (label, env, files = args) => {
  process.stderr.write(`\nTests on ${label}\n`);
  const code = await run(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      bin('jest', 'bin', 'jest.js'),
      ...files,
    ],
    { env },
  );
  if (code !== 0) process.exit(code);
};

const { DATABASE_URL, EVENTSTORE_URL, ...rest } = process.env;
delete process.env.DATABASE_URL;
delete process.env.EVENTSTORE_URL;
await jest('the embedded database (PGlite)', rest);
// What has no database, the project `unit`, would find nothing new on another one.
const OTHER_DATABASE = ['--selectProjects', 'int', 'e2e', '--passWithNoTests', ...args];
if (DATABASE_URL) await jest('PostgreSQL (DATABASE_URL)', { DATABASE_URL }, OTHER_DATABASE);
else process.stderr.write('\nDATABASE_URL is not set: the suite ran on the embedded database alone.\n');
// All else stands on the port, whose contract the server then keeps.
if (EVENTSTORE_URL && args.length === 0) {
  await jest('EventStoreDB (EVENTSTORE_URL)', { EVENTSTORE_URL }, ['eventStoreDb']);
}
