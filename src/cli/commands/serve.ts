import type { CliCommand } from '../command.js';

export const serve: CliCommand = {
  name: 'serve',
  summary: 'run the server (the default)',
  help: `tollgraph [serve]

Runs the server until it is told to stop. The environment configures it; .env.example lists all variables.`,
  run: async (_args, { env, root }) => {
    // Only here: other commands need nothing of the server, which takes a second to load.
    const server = await import('../serve.js');
    await server.serve(env, root);
  },
};
