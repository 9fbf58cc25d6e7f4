import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { ImportedRow, ImportRow } from '../../admin/importUsers.js';
import { IMPORT_BATCH, IMPORT_COLUMNS } from '../../admin/importFormat.js';
import { readCsv } from '../../csv.js';
import { Refused } from '../client.js';
import type { CliCommand } from '../command.js';
import { UsageError } from '../command.js';
import { progressBar } from '../progress.js';

const SHOWN_PROBLEMS = 100;

export const importUsers: CliCommand = {
  name: 'import',
  summary: 'bring users with their plans and keys in from a CSV file',
  help: `tollgraph import <users.csv> [--dry-run]

Brings users of another system in. The file is CSV in UTF-8; its first line names the columns:
  email       required. Lines with the same one are about the same user: one key each
  name        of the user
  plan        a plan that the user keeps, granted without payment; by default the default plan
  plan_until  when that plan ends by itself, e.g. 2026-12-31T00:00:00Z
  key         a key that goes on working, 16 to 96 visible ASCII characters. It is stored as a keyed hash
  key_name    by default "Imported key"
  key_scopes  read, write, admin, with spaces between; by default read
Each new user gets a mail that explains: keys go on working, and a password is set by mail. Lines that
cannot be imported are printed with the reason, and the others go on. The same file again adds nothing.
With --dry-run nothing is changed, and nobody gets a mail.`,
  options: { 'dry-run': { type: 'boolean' } },
  run: async ({ positionals: [file, ...more], values }, { ask, print }) => {
    if (file === undefined || more.length > 0) throw new UsageError('import takes one file');
    const dryRun = values['dry-run'] === true;
    const rows = rowsOf(await textOf(file));
    const bar = progressBar(process.stderr);
    const results: ImportedRow[] = [];
    try {
      for (let at = 0; at < rows.length; at += IMPORT_BATCH) {
        bar.show(dryRun ? 'Checking users' : 'Importing users', at, rows.length);
        const batch = { rows: rows.slice(at, at + IMPORT_BATCH), dryRun, by: userInfo().username };
        results.push(...(await ask<ImportedRow[]>('import users', batch)));
      }
      bar.show(dryRun ? 'Checking users' : 'Importing users', rows.length, rows.length);
    } finally {
      bar.end();
    }
    const wrong = results.filter(({ problem }) => problem !== null);
    const emails = new Map(rows.map(({ line, email = '' }) => [line, email.toLowerCase()]));
    const added = (what: ImportedRow['added'][number]) => results.filter((row) => row.added.includes(what));
    // Until it is done, each line of a new user would make them.
    const users = new Set(added('user').map(({ line }) => emails.get(line))).size;
    const known = results.filter((row) => row.problem === null && row.added.length === 0).length;
    const what = `${users} users, ${added('plan').length} plans and ${added('key').length} keys`;
    print(
      `${what} ${dryRun ? 'would be imported' : 'were imported'}; ${known} lines were imported before; ${wrong.length} cannot be.`,
    );
    if (wrong.length === 0) return;
    const lines = wrong.slice(0, SHOWN_PROBLEMS).map(({ line, problem }) => `line ${line}: ${problem}`);
    if (wrong.length > SHOWN_PROBLEMS) lines.push(`and ${wrong.length - SHOWN_PROBLEMS} more lines`);
    throw new Refused(lines.join('\n'));
  },
};

/** @throws UsageError */
async function textOf(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    throw new UsageError(`${file} cannot be read as UTF-8: ${(error as Error).message}`);
  }
}

/** @throws UsageError */
function rowsOf(text: string): ImportRow[] {
  let lines: ReturnType<typeof readCsv>;
  try {
    lines = readCsv(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const [head, ...rest] = lines;
  const names = (head?.cells ?? []).map((name) => name.trim().toLowerCase());
  const unknown = names.find((name) => !(IMPORT_COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`There is no column "${unknown}"; there are ${IMPORT_COLUMNS.join(', ')}.`);
  }
  if (!names.includes('email'))
    throw new UsageError('The first line must name the columns, email among them.');
  if (new Set(names).size < names.length) throw new UsageError('A column stands there twice.');
  const long = rest.find(({ cells }) => cells.length > names.length);
  if (long) throw new UsageError(`line ${long.line} has more cells than the first line has columns`);
  return rest.map(({ line, cells }) => ({
    line,
    ...Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ''])),
  }));
}
