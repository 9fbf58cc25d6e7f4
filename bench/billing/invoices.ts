import { invoices } from '../../projections/invoices/model.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import type { InvoiceSnapshot } from '../../src/billing/decideInvoice.js';
import { invoiceDecider } from '../../src/billing/decideInvoice.js';
import { invoiceStream } from '../../src/billing/events.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { derivedId } from '../../src/eventsourcing/ids.js';
import { Leases } from '../../src/following/leases.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import type { Sql } from '../../src/sql/sql.js';

const IN_FLIGHT = 16;
const LINES = 50;
const AT = '2027-02-28T12:00:00.000Z';
const FROM = '2027-01-31T12:00:00.000Z';
/** Longer than any run. */
const LONG_MS = 3_600_000;

/**
 * Invoices of 50 lines, one for each account, from what Stripe says until the read model shows them.
 * @returns how many a second
 */
export async function benchInvoices(sql: Sql, accounts: number, alone: boolean): Promise<number> {
  const store = await PostgresEventStore.open(sql);
  const commands = new CommandHandler(store);
  const reader = new EventReader(store);
  const leases = await Leases.open(sql, { holder: 'bench', alone });
  const projector = await Projector.open(
    sql,
    reader,
    [invoices],
    (_model, error) => void process.stderr.write(`${String(error)}\n`),
    { leases },
  );
  projector.start();
  const began = performance.now();
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < accounts) await issue(commands, next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, writer));
  const head = await store.head();
  if (!(await projector.reached('invoices', head, LONG_MS))) throw new Error('the invoices are not shown');
  const seconds = (performance.now() - began) / 1000;
  reader.close();
  await projector.stop();
  return accounts / seconds;
}

async function issue(commands: CommandHandler, n: number): Promise<void> {
  const accountId = derivedId('bench account', n);
  const id = `in_bench${n}`;
  const issued = await commands.handle(
    invoiceDecider,
    invoiceStream(id),
    { accountId, snapshot: snapshotOf(id, n), asOf: 0 },
    {
      commandId: id,
      caller: 'bench',
      requestHash: id,
      at: new Date(AT),
      environment: 'live',
      correlationId: id,
    },
  );
  if (issued.kind !== 'accepted') throw new Error(issued.refusal.message);
}

function snapshotOf(id: string, n: number): InvoiceSnapshot {
  const lines = Array.from({ length: LINES }, (_, line) => ({
    id: `il_${n}_${line}`,
    kind: 'usage' as const,
    description: `Requests of endpoint ${line}`,
    quantity: line + 1,
    amount: 10 * (line + 1),
    periodStart: FROM,
    periodEnd: AT,
    price: 'team-month-usd',
    events: [derivedId('bench event', n, line)],
  }));
  const total = lines.reduce((sum, { amount }) => sum + amount, 0);
  return {
    id,
    customer: `cus_bench${n}`,
    status: 'paid',
    number: `BENCH-${n}`,
    reason: 'subscription_cycle',
    currency: 'usd',
    issuedAt: AT,
    periodStart: FROM,
    periodEnd: AT,
    subtotal: total,
    discount: 0,
    tax: 0,
    total,
    due: total,
    lines,
    paid: total,
    attempts: 1,
    nextAttemptAt: null,
    credited: 0,
  };
}
