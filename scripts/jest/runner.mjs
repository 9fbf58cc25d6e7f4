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
  for (const file of config.setupFilesAfterEnv) await import(pathToFileURL(file).href);
  const forget = declared();
  const before = process.cpuUsage();
  try {
    const result = await circus(globalConfig, config, environment, runtime, path, report);
    const { user, system } = process.cpuUsage(before);
    return { ...result, cpuSeconds: (user + system) / 1e6 };
  } finally {
    forget();
  }
}

/**
 * What decorators have said so far, which type-graphql keeps for the whole process.
 * @returns how to forget what is said from now on: types that a test file declares are no part of the product
 */
function declared() {
  const kept = [];
  const keep = (value) => {
    if (Array.isArray(value)) {
      const { length } = value;
      kept.push(() => void (value.length = length));
    } else if (value instanceof Map) {
      const entries = [...value];
      for (const [, held] of entries) keep(held);
      kept.push(() => {
        value.clear();
        for (const [key, held] of entries) value.set(key, held);
      });
    }
  };
  for (const list of Object.values(globalThis.TypeGraphQLMetadataStorage ?? {})) {
    keep(list);
    if (!Array.isArray(list)) continue;
    for (const one of list) {
      // What a schema has made of it is made anew, for the next one.
      const said = { ...one };
      for (const value of Object.values(said)) keep(value);
      kept.push(() => {
        for (const name of Object.keys(one)) if (!(name in said)) delete one[name];
        Object.assign(one, said);
      });
    }
  }
  return () => {
    for (const restore of kept) restore();
  };
}

/** Tests, hooks and time-outs of the file before are none of this one. */
function fresh(file) {
  delete globalThis[LISTENERS];
  delete require.cache[file];
  return require(file);
}
