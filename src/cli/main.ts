import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCli } from './run.js';

// Without npm: what a container runs. dist/src/cli/main.js lies three folders below the root.
const here = dirname(fileURLToPath(import.meta.url));
const code = await runCli(process.argv.slice(2), process.env, dirname(dirname(dirname(here))));
// The server sets its own code when it cannot start, and goes on when it can.
if (code !== 0) process.exitCode = code;
