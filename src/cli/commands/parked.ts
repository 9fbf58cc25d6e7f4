import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { AllParked, ParkedContent, Settled } from '../../admin/parked.js';
import { Refused } from '../client.js';
import type { CliCommand, CliContext } from '../command.js';
import { UsageError } from '../command.js';
import { table } from '../table.js';

export const parked: CliCommand = {
  name: 'parked',
  summary: 'list what is parked; replay, correct or skip it',
  help: `tollgraph parked [list]
tollgraph parked show <id>
tollgraph parked replay <id>
tollgraph parked correct <id> --file <file> --reason <text> [--account <id>]
tollgraph parked skip <id> --reason <text> [--all]

An event that a read model or a policy cannot handle is parked with the later events of its stream,
while everything else goes on. A use that cannot be counted is parked by itself.
  list     what is parked, with the reason
  show     the first parked event of a stream, or the use, as JSON
  replay   handles the parked events again, in order; after the cause has been mended
  correct  reads the event, or counts the use, as the file says from now on, and replays what waits for it.
           The file holds what "show" has printed, mended. --account names the account of a use where that
           cannot be told.
  skip     leaves the first parked event out for good and replays the others; with --all leaves out all.
           A use that is skipped counts nothing.
Who, when and why is recorded; a rebuild does the same again.`,
  options: {
    reason: { type: 'string' },
    file: { type: 'string' },
    account: { type: 'string' },
    all: { type: 'boolean' },
  },
  run: async ({ positionals: [action = 'list', id, ...more], values }, context) => {
    if (more.length > 0) throw new UsageError('parked takes one id at a time');
    if (action === 'list') return list(context);
    if (!['show', 'replay', 'correct', 'skip'].includes(action)) {
      throw new UsageError(`parked knows no "${action}"`);
    }
    if (id === undefined) throw new UsageError(`parked ${action} takes the id of what is parked`);
    if (action === 'show') {
      const { content } = await context.ask<ParkedContent>('parked show', { id });
      return context.print(printable(JSON.stringify(content, undefined, 2)));
    }
    if (action === 'replay') return report(await context.ask<Settled>('parked replay', { id }), context);
    const { reason, file, account, all } = values;
    if (typeof reason !== 'string' || reason.trim() === '') {
      throw new UsageError(`parked ${action} takes a --reason`);
    }
    const said = { id, reason, by: userInfo().username };
    if (action === 'skip') {
      return report(await context.ask<Settled>('parked skip', { ...said, all: all === true }), context);
    }
    if (typeof file !== 'string') throw new UsageError('parked correct takes a --file');
    const args = { ...said, content: await readJson(file), ...(account !== undefined && { account }) };
    return report(await context.ask<Settled>('parked correct', args), context);
  },
};

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (error) {
    throw new UsageError(`${file} cannot be read as JSON: ${(error as Error).message}`);
  }
}

/** JSON escapes control characters but for DEL and C1, which a terminal may obey. */
const printable = (json: string): string =>
  json.replace(/[\u007f-\u009f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

async function list({ ask, print }: CliContext): Promise<void> {
  const { streams, uses, allUses } = await ask<AllParked>('parked', {});
  if (streams.length === 0 && uses.length === 0) return print('Nothing is parked.');
  if (streams.length > 0) {
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
  if (uses.length === 0) return;
  print(
    table(
      ['use', 'account', 'since', 'reason'],
      uses.map(({ id, account, since, reason }) => [id, account ?? '?', since, reason]),
    ),
  );
  if (allUses > uses.length) print(`The oldest ${uses.length} of ${allUses} uses.`);
}

function report({ streams, use }: Settled, { print }: CliContext): void {
  if (use !== null) return print(`The use ${use} is settled.`);
  const lines = streams.map(({ subject, stream, replayed, skipped, remaining, reason }) => {
    const done = `${subject}, ${stream}: ${replayed} events replayed, ${skipped} skipped`;
    return remaining > 0
      ? `${done}; ${remaining} stay parked: ${reason ?? ''}`
      : `${done}. The stream flows again.`;
  });
  const text = lines.join('\n');
  if (streams.some(({ remaining }) => remaining > 0)) throw new Refused(text);
  print(text);
}
