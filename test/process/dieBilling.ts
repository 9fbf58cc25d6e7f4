import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { stripePayments } from '../../src/adapters/stripe/payments.js';
import { AccountBilling } from '../../src/billing/accountBilling.js';
import type { BillingCommand, Offer } from '../../src/billing/decide.js';
import { billingDecider } from '../../src/billing/decide.js';
import { InvoiceNumbers } from '../../src/billing/invoiceNumbers.js';
import { InvoiceRecorder } from '../../src/billing/invoiceRecorder.js';
import type { EventStore } from '../../src/eventsourcing/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { subscriptionStream } from '../../src/plans/events.js';
import { InterceptedStore } from '../eventsourcing/fixtures.js';
import type { Place } from '../support/database.js';
import { openSql } from '../support/database.js';

/** What the process is to do, and when it dies. */
export interface DieBilling {
  readonly place: Pick<Place, 'dataDir' | 'databaseUrl'>;
  readonly stripe: { readonly apiKey: string; readonly host: string; readonly port: number };
  readonly offers: readonly Offer[];
  readonly accountId: string;
  readonly command: BillingCommand;
  readonly when: 'before' | 'after';
  /** The type of the event at whose append it is killed. */
  readonly type: BillingEventType;
}
type BillingEventType = Parameters<typeof billingDecider.evolve>[1]['type'];

/** Billing on a store, without the rest of the product. */
export function billingOn(store: EventStore, { stripe, offers }: Pick<DieBilling, 'stripe' | 'offers'>) {
  const { apiKey: secretKey, host, port } = stripe;
  const commands = new CommandHandler(store);
  const payments = stripePayments({
    secretKey,
    live: false,
    installation: 'here',
    profile: 'specql',
    priceIds: new Map(),
    offers: () => offers,
    address: { host, port, protocol: 'http' },
  });
  const numbers = new InvoiceNumbers(store, {
    live: false,
    numbering: () => ({ issuer: 'SPECQL', timeZone: 'UTC' }),
    // There are no read models here: all is found on the stream.
    find: () => Promise.resolve({ upTo: 0, given: new Map() }),
    clock: Date.now,
  });
  const onDifference = (): void => undefined;
  const billing = new AccountBilling({
    commands,
    payments,
    invoices: new InvoiceRecorder({ commands, payments, numbers, onDifference, clock: Date.now }),
    priceList: () => ({ offers, plans: offers.map(({ plan }) => plan) }),
    coupons: () => [],
    graceDays: () => 14,
    returnUrl: 'http://localhost/',
    emailOf: () => Promise.resolve(null),
    clock: Date.now,
    billingClock: Date.now,
  });
  return { commands, billing };
}

/** Asks for something, and does it. */
export async function ask(
  { commands, billing }: ReturnType<typeof billingOn>,
  { accountId, command }: Pick<DieBilling, 'accountId' | 'command'>,
): Promise<void> {
  const id = `${accountId}:${command.type}`;
  await commands.handle(billingDecider, subscriptionStream(accountId), command, {
    commandId: id,
    caller: 'test',
    requestHash: id,
    at: new Date(),
    environment: 'live',
    correlationId: id,
  });
  await billing.settle(accountId);
}

// Run as a process of its own it is killed at one append.
const [, entry, given] = process.argv;
if (entry === import.meta.filename && given !== undefined) {
  const asked = JSON.parse(given) as DieBilling;
  const die = (): Promise<never> => {
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined);
  };
  const sql = await openSql({ ...asked.place, remove: async () => undefined });
  const store = new InterceptedStore(await PostgresEventStore.open(sql));
  store.onAppend = async (append, events) => {
    const here = events.some(({ type }) => type === asked.type);
    if (here && asked.when === 'before') return die();
    const result = await append();
    return here ? die() : result;
  };
  await ask(billingOn(store, asked), asked);
  throw new Error(`nothing has appended ${asked.type}`);
}
