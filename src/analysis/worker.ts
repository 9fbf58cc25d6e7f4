import { parentPort, workerData } from 'node:worker_threads';
import type { AnalysisOptions } from './analysis.js';
import type { AnswerHead, CsvName } from './answer.js';
import { answer } from './answer.js';
import type { Branding } from './outputs.js';
import { AnalysisRefused } from './refused.js';
import { loadRuleSet } from './ruleFiles.js';
import { TooLarge, isZip, unzip } from './unzip.js';

export interface WorkerData {
  /** The rule set's folder. */
  readonly rules: string;
  readonly branding: Branding;
  readonly maxBytes: number;
}

/** A file to analyse; or one more piece may be sent. */
export type ToWorker =
  | { readonly kind: 'run'; readonly bytes: Uint8Array; readonly options: Omit<AnalysisOptions, 'rules'> }
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

if (parentPort === null) throw new Error('this is a worker');
const port = parentPort;
const { rules: folder, branding, maxBytes } = workerData as WorkerData;
const rules = await loadRuleSet(folder);

let underWay = 0;
let resume: (() => void) | undefined;

async function run(bytes: Uint8Array, options: Omit<AnalysisOptions, 'rules'>): Promise<void> {
  const text = isZip(bytes) ? await unzip(bytes, maxBytes) : bytes;
  const found = await answer(text, { ...options, rules }, branding, (part) =>
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
