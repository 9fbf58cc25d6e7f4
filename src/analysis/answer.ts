import { setImmediate } from 'node:timers/promises';
import type { AnalysisOptions, Findings, Sink } from './analysis.js';
import { Analysis } from './analysis.js';
import type { Branding } from './outputs.js';
import { contextsCsv, eventLine, eventsHead, report, sequenceLine, sequencesHead } from './outputs.js';
import type { RuleSet } from './rules.js';

/** Bytes that are analysed before others have a turn. */
const PIECE = 64 * 1024;
/** Bytes from one word of the progress to the next. */
const TOLD = 16 * PIECE;
/** UTF-16 code units of CSV that are kept for the answer; what is longer is made again as it is sent. */
const KEPT = 4 * 1024 * 1024;

export const CSVS = ['events_csv', 'sequences_csv', 'context_summary_csv'] as const;
export type CsvName = (typeof CSVS)[number];

/** All of an answer but the CSVs, as JSON has it. */
export type AnswerHead = Readonly<Record<string, unknown>>;

/** An answer: its head, then the CSVs in pieces, as fast as they are taken. */
export interface Answer {
  readonly head: AnswerHead;
  csvs(send: (name: CsvName, piece: string) => Promise<void>): Promise<void>;
}

/** How an answer names what it comes from. */
export interface Naming {
  readonly branding: Branding;
  /** The account's rule set; null for the service's own. */
  readonly ruleSet: string | null;
}

/**
 * Analyses a file. An answer may be many times as long as the file, and is never held whole: long CSVs are
 * made by another pass for each while they are sent.
 * @throws AnalysisRefused
 */
export async function answer(
  bytes: Uint8Array,
  options: AnalysisOptions,
  naming: Naming,
  onProgress: (part: number) => void = () => {},
): Promise<Answer> {
  const { rules } = options;
  const { branding } = naming;
  const kept = { events_csv: [eventsHead(branding)], sequences_csv: [sequencesHead(branding)] };
  const lengths = { events_csv: 0, sequences_csv: 0 };
  const keep = (name: keyof typeof kept, line: string): void => {
    lengths[name] += line.length;
    if (lengths[name] <= KEPT) kept[name].push(line);
    else kept[name].length = 1;
  };
  const sink: Sink = {
    event: (event) => keep('events_csv', eventLine(event)),
    sequence: (row) => keep('sequences_csv', sequenceLine(rules, row)),
  };
  const findings = await pass(bytes, options, sink, async (at) => {
    if (at > 0 && at % TOLD === 0) onProgress(at / bytes.length);
    await setImmediate();
  });
  const chosen: AnalysisOptions = { ...options, languages: findings.languages, format: findings.format };
  return {
    head: headOf(naming, rules, findings),
    csvs: async (send) => {
      for (const name of ['events_csv', 'sequences_csv'] as const) {
        const [head = '', ...lines] = kept[name];
        await send(name, head + (lengths[name] <= KEPT ? lines.join('') : ''));
        if (lengths[name] <= KEPT) continue;
        let pending: string[] = [];
        const line = (text: string): unknown => pending.push(text);
        const sink: Sink =
          name === 'events_csv'
            ? { event: (event) => line(eventLine(event)) }
            : { sequence: (row) => line(sequenceLine(rules, row)) };
        await pass(bytes, chosen, sink, async () => {
          const piece = pending.join('');
          pending = [];
          if (piece !== '') await send(name, piece);
        });
      }
      await send('context_summary_csv', contextsCsv(branding, rules, findings));
    },
  };
}

async function pass(
  bytes: Uint8Array,
  options: AnalysisOptions,
  sink: Sink,
  between: (at: number) => Promise<unknown>,
): Promise<Findings> {
  const analysis = new Analysis(options, sink);
  for (let at = 0; at < bytes.length; at += PIECE) {
    analysis.push(bytes.subarray(at, at + PIECE));
    await between(at);
  }
  const findings = analysis.end();
  await between(bytes.length);
  return findings;
}

function headOf({ branding, ruleSet }: Naming, rules: RuleSet, findings: Findings): AnswerHead {
  const { summary, timeline, dateOrder, encoding, format, languages, entries, repeated } = findings;
  const names = [...rules.categories.keys()];
  const counted = (counts: Int32Array): object =>
    Object.fromEntries(names.map((name, index) => [name, counts[index]]));
  return {
    total_events: summary.events,
    unique_patterns: Object.fromEntries(summary.patterns),
    sequence_counts: Object.fromEntries(summary.sequences),
    context_summary: summary.contexts.map(([key, counts]) => ({ context_key: key, ...counted(counts) })),
    summary_text: report(branding, rules, findings),
    timeline: timeline.map(([period, counts]) => ({ period, ...counted(counts) })),
    read_as: {
      format,
      encoding,
      languages,
      date_order: dateOrder ?? null,
      rule_set: ruleSet,
      rules_version: rules.version,
    },
    categories: Object.fromEntries(rules.categories),
    window_size: rules.window,
    total_entries: entries,
    repeated_entries: repeated,
    notices: noticesOf(findings),
  };
}

/** What somebody should know of how the file was read. */
function noticesOf({ unreadable, dateOrder, encoding, format, summary }: Findings): string[] {
  const notices: string[] = [];
  if (unreadable > 0) {
    notices.push(
      `${unreadable} places in the file could not be read and show as \ufffd. If these are many, save the file as UTF-8 and upload it again.`,
    );
  }
  if (encoding !== 'utf-8') notices.push(`The file was read as ${encoding}.`);
  if (dateOrder === 'ambiguous') {
    notices.push(
      'The dates of the file do not tell whether days or months come first: times are shown by year.',
    );
  }
  if (format === 'text' && summary.events === 1) {
    notices.push('The file has a single entry with findings: entries end at blank lines.');
  }
  return notices;
}
