import type { ParseArgsConfig } from 'node:util';

/** How a command reaches the world. */
export interface CliContext {
  readonly env: NodeJS.ProcessEnv;
  /** The folder that holds `profiles/` and `patterns/`. */
  readonly root: string;
  /** Runs a command of src/admin/ in the running process. @throws Refused */
  readonly ask: <R>(command: string, args: object, onProgress?: (value: never) => void) => Promise<R>;
  readonly print: (text: string) => void;
}

export interface CliArgs {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

/** A command of the command line; src/cli/main.ts lists them. */
export interface CliCommand {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` prints: the forms of the command, a line each, and what they do. */
  readonly help: string;
  readonly options?: NonNullable<ParseArgsConfig['options']>;
  /** @throws UsageError, Refused */
  run(args: CliArgs, context: CliContext): Promise<void>;
}

/** The command was not given as its help says. */
export class UsageError extends Error {}
