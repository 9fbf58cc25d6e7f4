// Runs on what `tsc` has built, so that tests, child processes and workers are the same code.
const project = (name) => ({
  displayName: name,
  rootDir: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  testEnvironment: '<rootDir>/scripts/jest/environment.mjs',
  testRunner: '<rootDir>/scripts/jest/runner.mjs',
  testMatch: [`<rootDir>/dist/test/**/*.${name}.test.js`],
  transform: {},
  // type-graphql keeps what decorators say in the order in which they are read: the product's, whichever file
  // of tests a worker begins with.
  setupFilesAfterEnv: ['<rootDir>/dist/src/capabilities.js'],
  globalSetup: '<rootDir>/dist/test/support/globalSetup.js',
  globalTeardown: '<rootDir>/dist/test/support/globalTeardown.js',
});

export default {
  // unit: no database; int: a database; e2e: the whole product, as a process or over HTTP; http: what it
  // says over HTTP, whichever database it stands on.
  projects: [project('unit'), project('int'), project('e2e'), project('http')],
  // Machines are shared and busy; a test that hangs still ends. Tests set no bounds of their own.
  testTimeout: 600_000,
  maxWorkers: 2,
  testSequencer: '<rootDir>/scripts/jest/longestFirst.mjs',
  // A worker that has grown is replaced by another one, after the file that it is at.
  workerIdleMemoryLimit: '1GB',
  reporters: ['default', '<rootDir>/scripts/slowestTests.mjs'],
};
