import type { CliCommand } from '../command.js';
import { serve as run } from '../serve.js';

export const serve: CliCommand = {
  name: 'serve',
  summary: 'run the server (the default)',
  help: `tollgraph [serve]

Runs the server until it is told to stop. The environment configures it; .env.example lists all variables.`,
  run: (_args, { env, root }) => run(env, root),
};
