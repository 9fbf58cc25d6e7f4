import type { Logger } from './logger.js';

/** Something did not close as it should; what it was stands in the log. */
export class ShutdownFailed extends Error {
  constructor(steps: readonly string[]) {
    super(`Not everything closed as it should: ${steps.join(', ')}. The log says why.`);
    this.name = 'ShutdownFailed';
  }
}

interface Step {
  readonly name: string;
  run(): Promise<unknown> | void;
}

/** What has been opened and has to be closed again, the last first. */
export class Shutdown {
  readonly #steps: Step[] = [];
  #running: Promise<void> | undefined;

  constructor(private readonly log: Logger) {}

  /** A step that runs may add another: a model that was still loading has to be closed too. */
  add(name: string, run: Step['run']): void {
    this.#steps.push({ name, run });
  }

  /** Closes everything, once. @throws ShutdownFailed when a step failed; the others ran all the same */
  run(): Promise<void> {
    return (this.#running ??= this.#run());
  }

  async #run(): Promise<void> {
    const failed: string[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.run();
      } catch (error) {
        this.log.error(`the ${step.name} did not close`, error);
        failed.push(step.name);
      }
    }
    if (failed.length > 0) throw new ShutdownFailed(failed);
  }
}
