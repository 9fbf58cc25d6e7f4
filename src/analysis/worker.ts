import { parentPort, workerData } from 'node:worker_threads';
import { BoundedMap } from '../boundedMap.js';
import type { AnalysisOptions } from './analysis.js';
import type { AnswerHead, CsvName } from './answer.js';
import { answer } from './answer.js';
import type { Branding } from './outputs.js';
import type { OwnRules } from './ownRules.js';
import { readOwnRules } from './ownRules.js';
import { AnalysisRefused } from './refused.js';
import { loadRuleSet } from './ruleFiles.js';
import type { RuleSet } from './rules.js';
import { TooLarge, isZip, unzip } from './unzip.js';

export interface WorkerData {
  /** The rule set's folder. */
  readonly rules: string;
  readonly branding: Branding;
  readonly maxBytes: number;
}

/** As what a file is read, and by which rules. */
export interface RunOptions extends Omit<AnalysisOptions, 'rules'> {
  /** An account's; left out, the service's own. */
  readonly own?: OwnRules | undefined;
}

/** A file to analyse; or one more piece may be sent. */
export type ToWorker =
  | { readonly kind: 'run'; readonly bytes: Uint8Array; readonly options: RunOptions }
  | { readonly kind: 'taken' };

export type FromWorker =
  | { readonly kind: 'ready' }
  /** The part of the file that has been analysed, 0 to 1. */
  | { readonly kind: 'progress'; readonly part: number }
  | { readonly kind: 'head'; readonly head: AnswerHead }
  /** A piece of a CSV, as it stands within a string of JSON, in UTF-8. */
  | { readonly kind: 'piece'; readonly csv: CsvName; readonly json: Uint8Array }
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'too-large' }
  /** The name of the error: its message may hold something of the file. */
  | { readonly kind: 'failed'; readonly error: string };

/** Pieces that may be under way to whoever reads them. */
const AHEAD = 4;
/** Rules of accounts that are kept: reading some takes longer than a short file. */
const KEPT_RULES = 8;

if (parentPort === null) throw new Error('this is a worker');
const port = parentPort;
const { rules: folder, branding, maxBytes } = workerData as WorkerData;
const service = await loadRuleSet(folder);
const kept = new BoundedMap<RuleSet>(KEPT_RULES);

let underWay = 0;
let resume: (() => void) | undefined;

function rulesOf(own: OwnRules): RuleSet {
  const { id, version, content } = own;
  const name = JSON.stringify([id, version]);
  let rules = kept.get(name);
  if (!rules) kept.set(name, (rules = readOwnRules(content, version)));
  return rules;
}

async function run(bytes: Uint8Array, { own, ...options }: RunOptions): Promise<void> {
  const text = isZip(bytes) ? await unzip(bytes, maxBytes) : bytes;
  const rules = own ? rulesOf(own) : service;
  const found = await answer(text, { ...options, rules }, { branding, ruleSet: own?.id ?? null }, (part) =>
    post({ kind: 'progress', part }),
  );
  post({ kind: 'head', head: found.head });
  await found.csvs(async (csv, piece) => {
    const json = Uint8Array.from(Buffer.from(JSON.stringify(piece).slice(1, -1)));
    post({ kind: 'piece', csv, json }, [json.buffer]);
    underWay += 1;
    if (underWay >= AHEAD) await new Promise<void>((resolve) => (resume = resolve));
  });
  post({ kind: 'done' });
}

function post(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

port.on('message', (message: ToWorker) => {
  if (message.kind === 'taken') {
    underWay -= 1;
    resume?.();
    resume = undefined;
    return;
  }
  underWay = 0;
  run(message.bytes, message.options).catch((error: unknown) => {
    if (error instanceof AnalysisRefused) post({ kind: 'refused', message: error.message });
    else if (error instanceof TooLarge) post({ kind: 'too-large' });
    else post({ kind: 'failed', error: error instanceof Error ? error.name : 'unknown' });
  });
});
post({ kind: 'ready' });
