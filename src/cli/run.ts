import { parseArgs } from 'node:util';
import { ConfigError, parseConfig } from '../config.js';
import { askProcess, Refused } from './client.js';
import type { CliCommand, CliContext } from './command.js';
import { UsageError } from './command.js';
import { importUsers } from './commands/importUsers.js';
import { parked } from './commands/parked.js';
import { readModels } from './commands/readModels.js';
import { rebuild } from './commands/rebuild.js';
import { reconcile } from './commands/reconcile.js';
import { sandbox } from './commands/sandbox.js';
import { serve } from './commands/serve.js';
import { stripeSync } from './commands/stripeSync.js';

/** All commands; the first one is the default. */
const COMMANDS: readonly CliCommand[] = [
  serve,
  rebuild,
  readModels,
  parked,
  importUsers,
  reconcile,
  stripeSync,
  sandbox,
];

const FAILED = 1;
const MISUSED = 2;

/**
 * Runs one command.
 * @param argv what was given behind the program's name
 * @returns the exit code
 */
export async function runCli(argv: readonly string[], env: NodeJS.ProcessEnv, root: string): Promise<number> {
  const [first, ...rest] = argv;
  if (first === 'help' || first === '--help' || first === '-h') return print(overview());
  // Options without a command are the default command's.
  const named = first !== undefined && !first.startsWith('-');
  const command = COMMANDS.find(({ name }) => !named || name === first);
  if (!command) return complain(`There is no command "${first}".\n\n${overview()}`, MISUSED);
  try {
    const { values, positionals } = parseArgs({
      args: named ? rest : [...argv],
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    if (values['help'] === true) return print(command.help);
    const context: CliContext = {
      env,
      root,
      ask: async <R>(name: string, args: object, onProgress: (value: never) => void = () => undefined) => {
        const { dataDir } = parseConfig(env);
        return (await askProcess(dataDir, { command: name, args }, (value) =>
          onProgress(value as never),
        )) as R;
      },
      print,
    };
    await command.run({ values: values, positionals }, context);
    return 0;
  } catch (error) {
    if (error instanceof UsageError || isParseError(error)) {
      return complain(`${(error as Error).message}\n\n${command.help}`, MISUSED);
    }
    if (error instanceof Refused || error instanceof ConfigError) return complain(error.message, FAILED);
    return complain((error as Error).stack ?? String(error), FAILED);
  }
}

/** What every command says of itself, the overview first. */
export const helpOfAll = (): readonly { readonly name: string; readonly help: string }[] => [
  { name: 'tollgraph', help: overview() },
  ...COMMANDS,
];

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  return [
    'tollgraph <command>, from the sources: npm run tollgraph -- <command>',
    '',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Every command explains itself with --help. Commands go to the process that uses DATA_DIR.',
  ].join('\n');
}

function print(text: string): 0 {
  process.stdout.write(`${text}\n`);
  return 0;
}

function complain(text: string, code: number): number {
  process.stderr.write(`${text}\n`);
  return code;
}

/** `parseArgs` tells of unknown options and missing values by these codes. */
function isParseError(error: unknown): boolean {
  return String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
}
