// Runs on what `tsc` has built, so that tests, child processes and workers are the same code.
const project = (name) => ({
  displayName: name,
  rootDir: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  testEnvironment: 'node',
  testMatch: [`<rootDir>/dist/test/**/*.${name}.test.js`],
  transform: {},
  globalSetup: '<rootDir>/dist/test/support/globalSetup.js',
  globalTeardown: '<rootDir>/dist/test/support/globalTeardown.js',
});

export default {
  // unit: no database; int: a database; e2e: the whole product, as a process or over HTTP; http: what it
  // says over HTTP, whichever database it stands on.
  projects: [project('unit'), project('int'), project('e2e'), project('http')],
  // Machines are shared and busy; a test that hangs still ends.
  testTimeout: 120_000,
  maxWorkers: 2,
  reporters: ['default', '<rootDir>/scripts/slowestTests.mjs'],
};
