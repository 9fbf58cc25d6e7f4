import type { NumbersSeen } from '../../projections/invoices/queries.js';
import type { CommandContext } from '../eventsourcing/commandHandler.js';
import { storedEvents } from '../eventsourcing/commandHandler.js';
import type { NewEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import { ConcurrencyConflict, EventIdReused, MAX_APPEND_BYTES } from '../eventsourcing/eventStore.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { offsetAt } from '../text/timeZone.js';
import { Outage } from '../outage.js';
import type { InvoiceNumbered } from './events.js';
import { invoiceNumbersStream } from './events.js';
import { NewestNumbers } from './newestNumbers.js';

/** Numbers that are given in one append: far below what an append may hold. */
const BATCH = Math.min(500, Math.floor(MAX_APPEND_BYTES / 2_000));
const PAGE = 500;
const MAX_RACES = 20;
/** Digits of a number; more are written where there are more invoices. */
const DIGITS = 6;

/** By what invoices are numbered. */
export interface Numbering {
  /** Who issues them: begins each number. */
  readonly issuer: string;
  /** Whose calendar says in which year an invoice is issued. IANA, e.g. `Europe/Berlin`. */
  readonly timeZone: string;
}

/** An invoice that is to be numbered. */
export interface ToNumber {
  readonly invoiceId: string;
  readonly accountId: string;
  /** ISO 8601. */
  readonly issuedAt: string;
}

/** Looks numbers up by the name of their series and the ids of invoices. */
export type FindNumbers = (series: string, invoiceIds: readonly string[]) => Promise<NumbersSeen>;

/** What this process knows of one series. */
interface Series {
  readonly name: string;
  readonly newest: NewestNumbers;
  readonly waiting: {
    readonly invoice: ToNumber;
    readonly resolve: (number: number) => void;
    readonly reject: (error: unknown) => void;
  }[];
  working: boolean;
}

/**
 * Numbers of invoices, without gaps for each issuer and year (decision 30). A number is the place of an event on the
 * issuer's stream of that year. An append holds only at the very end of what was looked through, so that no two get one
 * number and no invoice gets two, however many processes number at once. All that wait share one append.
 *
 * Numbers that were given before are found in a read model, and those that it has not seen yet at the stream's end:
 * in memory is only what the read model is behind.
 */
export class InvoiceNumbers {
  readonly #series = new Map<string, Series>();

  constructor(
    private readonly store: EventStore,
    private readonly options: {
      /** Whether money moves: what is only tried has numbers of its own. */
      readonly live: boolean;
      readonly numbering: () => Numbering;
      readonly find: FindNumbers;
      readonly clock: () => number;
    },
  ) {}

  /**
   * The number of an invoice, the same each time, e.g. `ACME-2027-000001`.
   * @throws Outage while it is not known whether it was given: the next call finds it
   */
  async of(invoice: ToNumber): Promise<string> {
    const { live, numbering } = this.options;
    const { issuer, timeZone } = numbering();
    const at = Date.parse(invoice.issuedAt);
    const year = new Date(at + offsetAt(timeZone, at)).getUTCFullYear();
    const name = `${live ? '' : 'TEST-'}${issuer}-${year}`;
    const series = this.#series.get(name) ?? {
      name,
      newest: new NewestNumbers(),
      waiting: [],
      working: false,
    };
    this.#series.set(name, series);
    const number = await new Promise<number>((resolve, reject) => {
      series.waiting.push({ invoice, resolve, reject });
      void this.#work(series);
    });
    return `${name}-${String(number).padStart(DIGITS, '0')}`;
  }

  /** Numbers all that wait, one append at a time. */
  async #work(series: Series): Promise<void> {
    if (series.working) return;
    series.working = true;
    try {
      while (series.waiting.length > 0) {
        const batch = series.waiting.splice(0, BATCH);
        try {
          const numbers = await this.#number(
            series,
            batch.map(({ invoice }) => invoice),
          );
          for (const { invoice, resolve } of batch) resolve(numbers.get(invoice.invoiceId) as number);
        } catch (error) {
          for (const { reject } of batch) reject(error);
        }
      }
    } finally {
      series.working = false;
    }
  }

  async #number({ name, newest }: Series, batch: readonly ToNumber[]): Promise<ReadonlyMap<string, number>> {
    const stream = invoiceNumbersStream(name);
    const wanted = new Map(batch.map((one) => [one.invoiceId, one]));
    const { upTo, given } = await this.options.find(name, [...wanted.keys()]);
    newest.forgetUpTo(upTo);
    for (let race = 0; race < MAX_RACES; race++) {
      if (race > 0) await this.#readEnd(stream, newest);
      const numbers = new Map(given);
      for (const id of wanted.keys()) {
        const number = newest.of(id);
        if (number !== undefined) numbers.set(id, number);
      }
      const fresh = [...wanted.values()].filter(({ invoiceId }) => !numbers.has(invoiceId));
      if (fresh.length === 0) return numbers;
      const events = fresh.flatMap((one) => this.#eventOf(stream, one));
      try {
        await this.store.append(stream, newest.last - 1, events);
      } catch (error) {
        // Another process has numbered meanwhile, perhaps these.
        if (error instanceof ConcurrencyConflict || error instanceof EventIdReused) continue;
        throw error;
      }
      for (const { invoiceId } of fresh) numbers.set(invoiceId, newest.add(invoiceId));
      return numbers;
    }
    throw new Outage('invoices are numbered by others faster than here');
  }

  /** Reads what comes after the last number that is known. */
  async #readEnd(stream: string, newest: NewestNumbers): Promise<void> {
    for (;;) {
      const events = await this.store.readStream(stream, { from: newest.last, limit: PAGE });
      for (const stored of events) newest.add(as<InvoiceNumbered>(stored).data.invoiceId);
      if (events.length < PAGE) return;
    }
  }

  #eventOf(stream: string, { invoiceId, accountId, issuedAt }: ToNumber): NewEvent[] {
    const context: CommandContext = byPolicy('billing', `number:${invoiceId}`, {
      at: this.options.clock(),
      about: accountId,
      environment: this.options.live ? 'live' : 'test',
    });
    const event: InvoiceNumbered = { type: 'InvoiceNumbered', data: { invoiceId, accountId, issuedAt } };
    return storedEvents(stream, [event], context);
  }
}
