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

/** What is known of the numbers of one issuer and year: those behind are read when they are needed. */
interface Series {
  /** How many events of the stream are known, which is the last number as well. */
  known: number;
  readonly byInvoice: Map<string, number>;
  readonly waiting: {
    readonly invoice: ToNumber;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }[];
  working: boolean;
}

/**
 * Numbers of invoices, without gaps for each issuer and year (decision 30). A number is the place of an event on the
 * issuer's stream of that year. An append holds only at the very end of what was read, so that no two get one number
 * and no invoice gets two, however many processes number at once. All that wait share one append.
 */
export class InvoiceNumbers {
  readonly #series = new Map<string, Series>();

  constructor(
    private readonly store: EventStore,
    private readonly options: {
      /** Whether money moves: what is only tried has numbers of its own. */
      readonly live: boolean;
      readonly numbering: () => Numbering;
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
    const number = await this.#numberOf(invoiceNumbersStream(name), invoice);
    return `${name}-${String(number).padStart(DIGITS, '0')}`;
  }

  async #numberOf(stream: string, invoice: ToNumber): Promise<number> {
    const series = this.#series.get(stream) ?? {
      known: 0,
      byInvoice: new Map<string, number>(),
      waiting: [],
      working: false,
    };
    this.#series.set(stream, series);
    if (!series.byInvoice.has(invoice.invoiceId)) {
      await new Promise<void>((resolve, reject) => {
        series.waiting.push({ invoice, resolve, reject });
        void this.#work(stream, series);
      });
    }
    return series.byInvoice.get(invoice.invoiceId) as number;
  }

  /** Numbers all that wait, one append at a time. */
  async #work(stream: string, series: Series): Promise<void> {
    if (series.working) return;
    series.working = true;
    try {
      while (series.waiting.length > 0) {
        const batch = series.waiting.splice(0, BATCH);
        try {
          await this.#number(
            stream,
            series,
            batch.map(({ invoice }) => invoice),
          );
          for (const { resolve } of batch) resolve();
        } catch (error) {
          for (const { reject } of batch) reject(error);
        }
      }
    } finally {
      series.working = false;
    }
  }

  async #number(stream: string, series: Series, batch: readonly ToNumber[]): Promise<void> {
    for (let race = 0; race < MAX_RACES; race++) {
      if (race > 0 || series.known === 0) await this.#read(stream, series);
      const { known, byInvoice } = series;
      const fresh = [...new Map(batch.map((one) => [one.invoiceId, one])).values()].filter(
        ({ invoiceId }) => !byInvoice.has(invoiceId),
      );
      if (fresh.length === 0) return;
      try {
        await this.store.append(
          stream,
          known - 1,
          fresh.flatMap((one) => this.#eventOf(stream, one)),
        );
      } catch (error) {
        // Another process has numbered meanwhile, perhaps these.
        if (error instanceof ConcurrencyConflict || error instanceof EventIdReused) continue;
        throw error;
      }
      for (const [place, { invoiceId }] of fresh.entries()) byInvoice.set(invoiceId, known + place + 1);
      series.known = known + fresh.length;
      return;
    }
    throw new Outage('invoices are numbered by others faster than here');
  }

  /** Reads what is behind. */
  async #read(stream: string, series: Series): Promise<void> {
    for (;;) {
      const events = await this.store.readStream(stream, { from: series.known, limit: PAGE });
      for (const stored of events) {
        series.known = stored.revision + 1;
        series.byInvoice.set(as<InvoiceNumbered>(stored).data.invoiceId, series.known);
      }
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
