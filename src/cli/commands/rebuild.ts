import type { DifferingRow, TableDifference } from '../../following/compare.js';
import type { RebuildStep, Rebuilt } from '../../admin/readModels.js';
import type { CliCommand } from '../command.js';
import { UsageError } from '../command.js';
import { progressBar } from '../progress.js';

const VALUE_MAX = 60;

export const rebuild: CliCommand = {
  name: 'rebuild',
  summary: 'build a read model anew from all events, compare, and switch',
  help: `tollgraph rebuild <read model> [--dry-run]

Builds the next generation of a read model from the first event on while the present one goes on
answering, compares the rows of both at the same position, prints what differs, and switches.
With --dry-run nothing is switched. Ctrl-C ends it and changes nothing. \`read-models\` lists the names.`,
  options: { 'dry-run': { type: 'boolean' } },
  run: async ({ positionals: [model, ...more], values }, { ask, print }) => {
    if (model === undefined || more.length > 0)
      throw new UsageError('rebuild takes the name of one read model');
    const bar = progressBar(process.stderr);
    const started = performance.now();
    const rebuilt = await ask<Rebuilt>(
      'rebuild',
      { model, dryRun: values['dry-run'] === true },
      ({ events, position, target }: RebuildStep) => {
        const seconds = (performance.now() - started) / 1000;
        const left = Math.max(0, Math.ceil((seconds * (target - position)) / Math.max(1, position)));
        const rate = Math.round(events / seconds).toLocaleString('en');
        bar.show(`Rebuilding ${model}`, position, target, `, ${rate} events/s, ${left} s left`);
      },
    ).finally(() => bar.end());
    print(describe(rebuilt));
  },
};

function describe({
  model,
  version,
  events,
  milliseconds,
  differing,
  switched,
  generation,
}: Rebuilt): string {
  const seconds = milliseconds / 1000;
  const rate = Math.round(events / Math.max(seconds, 0.001)).toLocaleString('en');
  return [
    `${model} v${version}: ${events.toLocaleString('en')} events in ${seconds.toFixed(1)} s (${rate} events/s).`,
    ...(differing.length === 0 ? ['All rows are the same as before.'] : differing.map(describeTable)),
    switched
      ? `Generation ${generation} answers now.`
      : `Nothing was switched: generation ${generation} goes on.`,
  ].join('\n');
}

function describeTable({ table, missing, added, changed, examples }: TableDifference): string {
  const counts = `${table}: ${missing} rows are no longer there, ${added} are new, ${changed} have changed`;
  return [counts, ...examples.map((row) => `  ${describeRow(row)}`)].join('\n');
}

function describeRow({ key, before, after }: DifferingRow): string {
  const name = Object.entries(key)
    .map(([column, value]) => `${column}=${short(value)}`)
    .join(' ');
  if (!before) return `new      ${name}`;
  if (!after) return `gone     ${name}`;
  const columns = Object.keys(after).filter((c) => JSON.stringify(before[c]) !== JSON.stringify(after[c]));
  return `changed  ${name}: ${columns.map((c) => `${c} ${short(before[c])} → ${short(after[c])}`).join(', ')}`;
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
}
