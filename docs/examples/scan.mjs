// Analyses a chat log and saves what was found.
//   node docs/examples/scan.mjs docs/examples/chat.txt
// SCANNER_URL is the server (http://127.0.0.1:4000), PAYMENT_INTENT_ID what was paid, OUTPUT the folder to save to.
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const { SCANNER_URL = 'http://127.0.0.1:4000', PAYMENT_INTENT_ID, OUTPUT = '.' } = process.env;
const [file] = process.argv.slice(2);
if (!file) throw new Error('Name a file to analyse.');

/** The JSON of an answer. Throws with the server's sentence where it refuses. */
async function ask(path, init) {
  const response = await fetch(new URL(path, SCANNER_URL), init);
  const answer = await response.json();
  if (response.ok) return answer;
  const { detail } = answer;
  throw new Error(typeof detail === 'string' ? detail : detail.map(({ msg }) => msg).join(' '));
}

const { payment_enabled: paid } = await ask('/health');
const { total_categories: categories, window_size: window } = await ask('/patterns');
console.log(
  `${categories} categories, sequences within ${window} events, ${paid ? 'to be paid for' : 'free'}`,
);

const form = new FormData();
form.append('file', new Blob([await readFile(file)]), basename(file));
if (PAYMENT_INTENT_ID) form.append('payment_intent_id', PAYMENT_INTENT_ID);
const found = await ask('/analyze', { method: 'POST', body: form });

console.log(`${found.total_events} entries with findings`);
for (const [name, count] of Object.entries(found.unique_patterns)) console.log(`  ${name}: ${count}`);
for (const [name, count] of Object.entries(found.sequence_counts)) console.log(`  ${name}: ${count}`);
for (const notice of found.notices) console.log(notice);

await writeFile(join(OUTPUT, 'events.csv'), found.events_csv);
await writeFile(join(OUTPUT, 'sequences.csv'), found.sequences_csv);
await writeFile(join(OUTPUT, 'contexts.csv'), found.context_summary_csv);
await writeFile(join(OUTPUT, 'summary.txt'), found.summary_text);
