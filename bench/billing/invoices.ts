import { invoices } from '../../projections/invoices/model.js';
import { InvoiceQueries } from '../../projections/invoices/queries.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { InvoiceNumbers } from '../../src/billing/invoiceNumbers.js';
import { InvoiceRecorder } from '../../src/billing/invoiceRecorder.js';
import type { InvoiceSnapshot } from '../../src/billing/decideInvoice.js';
import { billingDecider } from '../../src/billing/decide.js';
import type { Snapshot } from '../../src/billing/recordSubscription.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { derivedId } from '../../src/eventsourcing/ids.js';
import { Leases } from '../../src/following/leases.js';
import { Projector } from '../../src/following/projector.js';
import { EventReader } from '../../src/following/reader.js';
import { subscriptionStream } from '../../src/plans/events.js';
import type { Sql } from '../../src/sql/sql.js';

const IN_FLIGHT = 16;
const LINES = 50;
const AT = '2027-02-28T12:00:00.000Z';
const FROM = '2027-01-31T12:00:00.000Z';
/** Longer than any run. */
const LONG_MS = 3_600_000;

/**
 * Invoices of 50 lines, one for each account that has subscribed before, from what Stripe says until the read model
 * shows them: each is looked up, each line is given the events that it comes from, and it is stored.
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
  const queries = new InvoiceQueries(sql, projector.access('invoices'));
  const recorder = new InvoiceRecorder({
    commands,
    payments: { invoice: (id) => Promise.resolve(snapshotOf(Number(id.slice(ID.length)))) },
    numbers: new InvoiceNumbers(store, {
      live: true,
      numbering: () => ({ issuer: 'BENCH', timeZone: 'UTC' }),
      find: (series, invoiceIds) => queries.numbers(series, invoiceIds),
      clock: Date.now,
    }),
    onDifference: () => undefined,
    clock: () => Date.parse(AT),
  });
  await each(accounts, (n) => subscribe(commands, n));
  const began = performance.now();
  await each(accounts, (n) => recorder.record(accountOf(n), `${ID}${n}`));
  const head = await store.head();
  if (!(await projector.reached('invoices', head, LONG_MS))) throw new Error('the invoices are not shown');
  const seconds = (performance.now() - began) / 1000;
  reader.close();
  await projector.stop();
  return accounts / seconds;
}

async function each(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

const ID = 'in_bench';
const PRICE = 'team-month-usd';
const accountOf = (n: number): string => derivedId('bench account', n);

/** What the account pays for: the line of its plan cites it. */
async function subscribe(commands: CommandHandler, n: number): Promise<void> {
  const snapshot: Snapshot = {
    subscription: `sub_bench${n}`,
    plan: 'team',
    price: PRICE,
    interval: 'month',
    amount: 19_900,
    currency: 'usd',
    periodStart: FROM,
    periodEnd: AT,
    status: 'active',
    createdAt: FROM,
    trialEndsAt: undefined,
    cancelsAt: undefined,
    endedAt: undefined,
    endReason: undefined,
    scheduled: undefined,
  };
  const recorded = await commands.handle(
    billingDecider,
    subscriptionStream(accountOf(n)),
    {
      type: 'RecordSubscriptions',
      snapshots: [snapshot],
      asOf: 0,
      graceDays: 14,
      at: new Date(FROM).toISOString(),
    },
    {
      commandId: `subscribe${n}`,
      caller: 'bench',
      requestHash: '',
      at: new Date(FROM),
      environment: 'live',
      correlationId: `subscribe${n}`,
    },
  );
  if (recorded.kind !== 'accepted') throw new Error(recorded.refusal.message);
}

/** One line for the plan, all others for use. */
function snapshotOf(n: number): InvoiceSnapshot {
  const lines = Array.from({ length: LINES }, (_, line) => ({
    id: `il_${n}_${line}`,
    kind: line === 0 ? ('plan' as const) : ('usage' as const),
    description: `Requests of endpoint ${line}`,
    quantity: line + 1,
    amount: 10 * (line + 1),
    periodStart: FROM,
    periodEnd: AT,
    price: line === 0 ? PRICE : null,
    events: line === 0 ? [] : [derivedId('bench event', n, line)],
  }));
  const total = lines.reduce((sum, { amount }) => sum + amount, 0);
  return {
    id: `${ID}${n}`,
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
    taxIncluded: 0,
    total,
    due: total,
    lines,
    paid: total,
    attempts: 1,
    nextAttemptAt: null,
    credited: 0,
  };
}
