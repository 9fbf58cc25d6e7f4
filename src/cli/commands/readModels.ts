import type { ReadModelLine } from '../../admin/readModels.js';
import type { CliCommand } from '../command.js';
import { table } from '../table.js';

export const readModels: CliCommand = {
  name: 'read-models',
  summary: 'list the read models and how far behind they are',
  help: `tollgraph read-models

Lists the read models with version, generation, position, the positions between it and the newest
event, whether the process that was asked writes it, and what keeps it from getting on.`,
  run: async (_args, { ask, print }) => {
    const lines = await ask<ReadModelLine[]>('read-models', {});
    print(
      table(
        ['read model', 'version', 'generation', 'position', 'lag', 'written', 'problem'],
        lines.map(({ model, version, generation, checkpoint, lag, here, problem }) => [
          model,
          `v${version}`,
          `${generation}`,
          `${checkpoint}`,
          `${lag}`,
          here ? 'here' : 'elsewhere',
          problem ?? '',
        ]),
      ),
    );
  },
};
