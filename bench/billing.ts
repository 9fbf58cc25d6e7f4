// `npm run bench:billing`: a table for people, then one JSON line with the figures.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPglite } from '../src/adapters/postgres/pglite.js';
import { benchInvoices } from './billing/invoices.js';
import { benchWebhooks } from './billing/webhooks.js';
import { onOwnDatabase } from './events/database.js';

if (process.argv.includes('--help')) {
  process.stdout.write(
    'npm run bench:billing [-- --quick]\n\n' +
      'Measures how many webhooks of Stripe a second are stored and answered, over HTTP with 32 in flight; how many\n' +
      'of those are lost that were answered while the process was killed, three times (SIGKILL); and how many\n' +
      'invoices of 50 lines a second are recorded, each citing its events, and shown: 10,000 accounts, with Stripe\n' +
      'answering at once. On the embedded database, and on PostgreSQL where DATABASE_URL is set. --quick takes 2,000\n' +
      'webhooks and 1,000 accounts.\n',
  );
  process.exit(0);
}
const quick = process.argv.includes('--quick');
const WEBHOOKS = quick ? 2_000 : 20_000;
const ACCOUNTS = quick ? 1_000 : 10_000;
const folder = await mkdtemp(join(tmpdir(), 'tollgraph-bench-'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const row = (name: string, value: number, unit: string, target = ''): void =>
  say(`  ${name.padEnd(48)} ${value.toFixed(1).padStart(10)} ${unit.padEnd(5)} ${target}`);
const figures: Record<string, number | string> = {};

async function measure(
  name: string,
  suffix: string,
  webhooks: () => ReturnType<typeof benchWebhooks>,
  invoices: () => Promise<number>,
): Promise<void> {
  say(`\n${name}`);
  const { perSecond, p50Ms, p99Ms, lost } = await webhooks();
  row('webhooks stored and answered', perSecond, '/s', 'at least 1000');
  row('  p50', p50Ms, 'ms');
  row('  p99', p99Ms, 'ms', 'at most 50');
  row('  lost over three SIGKILLs', lost, '', 'none');
  const invoicesPerSecond = await invoices();
  row(`invoices of 50 lines, ${ACCOUNTS} accounts`, invoicesPerSecond, '/s', 'at least 167');
  figures[`webhooks_per_second${suffix}`] = perSecond;
  figures[`webhooks_p99_ms${suffix}`] = p99Ms;
  figures[`webhooks_lost${suffix}`] = lost;
  figures[`invoices_per_second${suffix}`] = invoicesPerSecond;
}

say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}`);
await measure(
  'embedded (PGlite)',
  '',
  () => benchWebhooks(join(folder, 'embedded'), undefined, WEBHOOKS),
  async () => {
    const sql = await openPglite(join(folder, 'invoices'));
    try {
      return await benchInvoices(sql, ACCOUNTS, true);
    } finally {
      await sql.close();
    }
  },
);
const { DATABASE_URL: databaseUrl } = process.env;
if (databaseUrl) {
  await measure(
    'PostgreSQL',
    '_postgres',
    () => onOwnDatabase(databaseUrl, (_sql, url) => benchWebhooks(join(folder, 'postgres'), url, WEBHOOKS)),
    () => onOwnDatabase(databaseUrl, (sql) => benchInvoices(sql, ACCOUNTS, false)),
  );
} else {
  figures['postgres_missing'] = 'DATABASE_URL is not set';
  say('\nPostgreSQL: not measured, DATABASE_URL is not set');
}
await rm(folder, { recursive: true, force: true });
say(JSON.stringify(figures));
