import { join } from 'node:path';
import type { Event, Findings } from '../../src/analysis/analysis.js';
import { Analysis } from '../../src/analysis/analysis.js';
import type { AnalysisOptions } from '../../src/analysis/analysis.js';
import { loadRuleSet } from '../../src/analysis/ruleFiles.js';
import type { SequenceRow } from '../../src/analysis/sequences.js';

export const ROOT = join(import.meta.dirname, '..', '..', '..');
/** The rules that ship. */
export const rules = await loadRuleSet(join(ROOT, 'rules', 'conversation'));

export const BRANDING = { title: 'Log Scanner', generator: 'Shop v1', link: 'https://shop.example' };

export interface Scanned extends Findings {
  readonly events: readonly Event[];
  readonly rows: readonly SequenceRow[];
  readonly steps: number;
}

/** Analyses a text or bytes, cut where `cuts` says. */
export function scan(
  input: string | Uint8Array,
  options: Partial<AnalysisOptions> = {},
  cuts: readonly number[] = [],
): Scanned {
  const events: Event[] = [];
  const rows: SequenceRow[] = [];
  const analysis = new Analysis(
    { rules, ...options },
    { event: (event) => events.push(event), sequence: (row) => rows.push(row) },
  );
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  let start = 0;
  for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
    analysis.push(bytes.subarray(start, Math.min(cut, bytes.length)));
    start = Math.max(start, Math.min(cut, bytes.length));
  }
  const findings = analysis.end();
  return { ...findings, events, rows, steps: analysis.steps };
}

/** The categories that one entry hits, each as `NAME:STRENGTH`. */
export function hitsOf(text: string, options: Partial<AnalysisOptions> = {}): string[] {
  return scan(text, options).events.flatMap(({ hits }) => hits.map((h) => `${h.category}:${h.strength}`));
}
