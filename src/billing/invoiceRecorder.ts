import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { partsOf } from '../money/parts.js';
import type { OverageEvent, RatedLine } from '../overage/events.js';
import { overageStream, OWED } from '../overage/events.js';
import { subscriptionStream } from '../plans/events.js';
import { differencesOf } from './checkInvoice.js';
import { invoiceDecider, isIssued } from './decideInvoice.js';
import type { InvoiceLine } from './events.js';
import { invoiceStream, stripeEventStream } from './events.js';
import type { InvoiceNumbers } from './invoiceNumbers.js';
import { paidAt, paidTermsIn } from './paidTerms.js';
import type { Payments } from './payments.js';
import { retryStale } from '../eventsourcing/retryStale.js';

export interface InvoiceRecorderOptions {
  readonly commands: CommandHandler;
  readonly payments: Pick<Payments, 'invoice'>;
  /** Gives invoices their numbers. */
  readonly numbers: InvoiceNumbers;
  /** An invoice was issued that is not what it should be. */
  readonly onDifference: (invoice: { readonly invoiceId: string; readonly accountId: string }) => void;
  readonly clock: Clock;
}

/** A line of what was rated; of money that is owed there is no meter. */
type Rated = Pick<RatedLine, 'id' | 'amount'> & Partial<Pick<RatedLine, 'meter'>>;

/** Records invoices as Stripe has them: numbered, each line with its reasons, and compared with our own events. */
export class InvoiceRecorder {
  constructor(private readonly options: InvoiceRecorderOptions) {}

  /**
   * @param toldBy the id of Stripe's event that has told of it
   * @param refunds whether some of it was given back
   */
  async record(accountId: string, invoiceId: string, toldBy?: string, refunds?: boolean): Promise<void> {
    const { commands, payments, numbers, onDifference, clock } = this.options;
    await retryStale(async () => {
      const stream = invoiceStream(invoiceId);
      const history = await commands.load(stream);
      const snapshot = await payments.invoice(invoiceId, refunds);
      const { status, issuedAt } = snapshot;
      const first = status !== 'draft' && !isIssued(fold(invoiceDecider, history));
      const number = first ? await numbers.of({ invoiceId, accountId, issuedAt }) : null;
      const paidFor = await commands.load(subscriptionStream(accountId));
      const rated = first
        ? await this.#rated(accountId, snapshot.lines)
        : new Map<string, readonly Rated[]>();
      const lines = (await this.#cited(paidFor, snapshot.lines, toldBy)).map((line) => measured(line, rated));
      const whole = { ...snapshot, lines };
      const differences = first ? differencesOf(whole, { history: paidFor, closed: rated }) : [];
      const command = { accountId, snapshot: whole, number, differences, asOf: history.length };
      const context = byPolicy('billing', randomUUID(), { at: clock(), about: accountId });
      const result = await commands.handle(invoiceDecider, stream, command, context);
      const told = result.kind === 'accepted' && result.events.some(({ type }) => type === 'InvoiceDiffers');
      if (told) onDifference({ invoiceId, accountId });
      return result;
    });
  }

  /** What use came to when its periods closed, and by later corrections: by the events that say so. */
  async #rated(
    accountId: string,
    lines: readonly InvoiceLine[],
  ): Promise<ReadonlyMap<string, readonly Rated[]>> {
    const rated = new Map<string, readonly Rated[]>();
    if (!lines.some(({ kind }) => kind === 'usage')) return rated;
    const corrections = new Map<string, string>();
    for (const stored of await this.options.commands.load(overageStream(accountId))) {
      const { type, data } = as<OverageEvent>(stored);
      if (type === 'PeriodClosed' || type === 'OverageCorrected') {
        rated.set(
          stored.id,
          data.lines.flatMap((line) => partsOf(line)),
        );
      }
      if (type === 'OverageCorrected') corrections.set(data.correction, stored.id);
      if (type === 'CorrectionSettled') {
        const corrected = corrections.get(data.correction) ?? '';
        const owed = partsOf({ id: OWED, amount: -data.owed });
        rated.set(corrected, [...(rated.get(corrected) ?? []), ...owed]);
      }
    }
    return rated;
  }

  /**
   * Each line with the events that it comes from (law 7): overage names its own, a price of ours what was paid for at
   * that time. Of anything else Stripe alone knows: what has told of the invoice, or whose it is.
   */
  async #cited(
    history: readonly StoredEvent[],
    lines: readonly InvoiceLine[],
    toldBy: string | undefined,
  ): Promise<InvoiceLine[]> {
    const { commands } = this.options;
    const told = toldBy === undefined ? [] : await commands.load(stripeEventStream(toldBy));
    const other = told[0] ?? history.find(({ type }) => type === 'CustomerCreated');
    const paid = paidTermsIn(history);
    return lines.map((line) => {
      if (line.events.length > 0) return line;
      const event = paidAt(paid, line.price, line.periodStart)?.event ?? other?.id;
      return { ...line, events: event === undefined ? [] : [event] };
    });
  }
}

/** Of use, with the meter that its quantity is of. */
function measured(line: InvoiceLine, rated: ReadonlyMap<string, readonly Rated[]>): InvoiceLine {
  const [event = ''] = line.events;
  const meter = rated.get(event)?.find(({ id }) => id === line.ratedLine)?.meter;
  return meter === undefined ? line : { ...line, meter };
}
