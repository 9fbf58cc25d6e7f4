import { userInfo } from 'node:os';
import type { ParkedLine } from '../../admin/readModels.js';
import type { Unparking } from '../../following/parking.js';
import { Refused } from '../client.js';
import type { CliCommand, CliContext } from '../command.js';
import { UsageError } from '../command.js';
import { table } from '../table.js';

export const parked: CliCommand = {
  name: 'parked',
  summary: 'list parked streams, replay or skip their events',
  help: `tollgraph parked [list]
tollgraph parked replay <id>
tollgraph parked skip <id> --reason <text> [--all]

An event that a read model or a policy cannot handle is parked with the later events of its stream,
while everything else goes on.
  list    the parked streams with the reason
  replay  handles the parked events again, in order; after the cause has been mended
  skip    leaves the first parked event out for good and replays the others; with --all leaves out all.
          Who, when and why is recorded; a rebuild leaves the same events out.`,
  options: { reason: { type: 'string' }, all: { type: 'boolean' } },
  run: async ({ positionals: [action = 'list', id, ...more], values }, context) => {
    if (more.length > 0) throw new UsageError('parked takes one id at a time');
    const { reason, all } = values;
    switch (action) {
      case 'list':
        return list(context);
      case 'replay':
        if (id === undefined) throw new UsageError('parked replay takes the id of a parked stream');
        return report(await context.ask<Unparking>('parked replay', { id }), context);
      case 'skip': {
        if (id === undefined) throw new UsageError('parked skip takes the id of a parked stream');
        if (typeof reason !== 'string' || reason.trim() === '')
          throw new UsageError('parked skip takes a --reason');
        const args = { id, reason, all: all === true, by: userInfo().username };
        return report(await context.ask<Unparking>('parked skip', args), context);
      }
      default:
        throw new UsageError(`parked knows no "${action}"`);
    }
  },
};

async function list({ ask, print }: CliContext): Promise<void> {
  const streams = await ask<ParkedLine[]>('parked', {});
  if (streams.length === 0) return print('Nothing is parked.');
  print(
    table(
      ['id', 'by', 'stream', 'events', 'first', 'since', 'reason'],
      streams.map(({ id, subject, stream, events, first, since, reason }) => [
        id,
        subject,
        stream,
        `${events}`,
        `${first}`,
        since,
        reason,
      ]),
    ),
  );
}

function report(
  { subject, stream, replayed, skipped, remaining, reason }: Unparking,
  { print }: CliContext,
): void {
  const done = `${subject}, ${stream}: ${replayed} events replayed, ${skipped} skipped`;
  if (remaining > 0) throw new Refused(`${done}; ${remaining} stay parked: ${reason ?? ''}`);
  print(`${done}. The stream flows again.`);
}
