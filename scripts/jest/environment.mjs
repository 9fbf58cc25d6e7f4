// The environment of jest in which test files share the globals of their worker process: see runner.mjs.
import { ModernFakeTimers } from '@jest/fake-timers';
import { ModuleMocker } from 'jest-mock';

/** Where `jest.setTimeout` leaves what holds for its file. */
const TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');
const { console: ownConsole } = globalThis;
const { exit, getBuiltinModule } = process;

export default class SharedEnvironment {
  global = globalThis;
  moduleMocker = new ModuleMocker(globalThis);
  fakeTimers = null;

  constructor({ projectConfig }) {
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
  }

  async setup() {
    // jest's own would look for a module in the registry that is not used.
    process.getBuiltinModule = getBuiltinModule;
  }

  async teardown() {
    this.fakeTimersModern.dispose();
    globalThis.console = ownConsole;
    process.exit = exit;
    delete globalThis[TIMEOUT];
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  getVmContext() {
    return null;
  }
}
