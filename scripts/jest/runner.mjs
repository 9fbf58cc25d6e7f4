// A runner for jest in which Node itself loads a test file and what it imports. jest would load all of it anew
// for every file, into a context of its own: seconds of each, and what V8 has compiled for one would not serve
// the next. Here the files of a worker process share the product's modules, as they share its process. A module
// that keeps state would be seen by the next file; the product has none.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const { default: circus } = require('jest-circus/runner');

/** Where jest-circus keeps what listens to its events. */
const LISTENERS = Symbol.for('EVENT_HANDLERS');

export default async function runFile(globalConfig, config, environment, runtime, path, report) {
  runtime.requireInternalModule = fresh;
  runtime.unstable_shouldLoadAsEsm = () => true;
  runtime.unstable_importModule = (file) => import(pathToFileURL(file).href);
  globalThis.jest = runtime.requireModuleOrMock(path, '@jest/globals').jest;
  const before = process.cpuUsage();
  const result = await circus(globalConfig, config, environment, runtime, path, report);
  const { user, system } = process.cpuUsage(before);
  return { ...result, cpuSeconds: (user + system) / 1e6 };
}

/** Tests, hooks and time-outs of the file before are none of this one. */
function fresh(file) {
  delete globalThis[LISTENERS];
  delete require.cache[file];
  return require(file);
}
