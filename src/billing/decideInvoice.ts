import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import { STALE } from '../eventsourcing/retryStale.js';
import type { InvoiceDifference, InvoiceEvent, IssuedInvoice } from './events.js';

/** An invoice as Stripe says it is now, under Stripe's number. */
export interface InvoiceSnapshot extends Omit<IssuedInvoice, 'accountId' | 'reference'> {
  readonly id: string;
  readonly customer: string;
  /** What of `tax` is in the lines already. */
  readonly taxIncluded: number;
  readonly status: 'draft' | 'open' | 'paid' | 'void' | 'uncollectible';
  readonly paid: number;
  /** Attempts to charge it, so far. */
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  /** By credit notes since it was issued: less to pay, or given back. */
  readonly credited: number;
  /** Given back without one; absent where nobody has looked. */
  readonly refunded?: number;
}

export interface RecordInvoice {
  readonly accountId: string;
  readonly snapshot: InvoiceSnapshot;
  /** Ours, once it is issued; null where it is only compared. */
  readonly number: string | null;
  /** Where it is not what it should be, once it is issued. */
  readonly differences: readonly InvoiceDifference[];
  /** How many events the stream had before Stripe was asked. */
  readonly asOf: number;
}

interface State {
  readonly events: number;
  readonly issued: boolean;
  readonly differs: boolean;
  readonly end: 'paid' | 'void' | 'uncollectible' | undefined;
  readonly attempts: number;
  /** By credit notes, and without. */
  readonly noted: number;
  readonly refunded: number;
}

/** Whether an invoice is recorded as issued. */
export const isIssued = (state: State): boolean => state.issued;

export const invoiceDecider: Decider<State, RecordInvoice, InvoiceEvent> = {
  initial: { events: 0, issued: false, differs: false, end: undefined, attempts: 0, noted: 0, refunded: 0 },

  evolve: (before, { type, data }) => {
    const state = { ...before, events: before.events + 1 };
    switch (type) {
      case 'InvoiceFinalised':
        return { ...state, issued: true };
      case 'InvoiceDiffers':
        return { ...state, differs: true };
      case 'InvoicePaid':
        return { ...state, end: 'paid' };
      case 'PaymentFailed':
        return { ...state, attempts: data.attempt };
      case 'InvoiceVoided':
        return { ...state, end: 'void' };
      case 'InvoiceWrittenOff':
        return { ...state, end: 'uncollectible' };
      case 'InvoiceCredited': {
        const { credited, refunded = 0 } = data;
        return { ...state, noted: credited - refunded, refunded };
      }
    }
  },

  decide: (state, { accountId, snapshot, number, differences, asOf }) => {
    if (state.events !== asOf) return refuse(STALE, 'Stripe has to be asked again.');
    const {
      id: _,
      customer: __,
      status,
      paid,
      attempts,
      nextAttemptAt,
      credited,
      refunded,
      ...issued
    } = snapshot;
    // A draft may still change: it is none of our facts.
    if (status === 'draft') return accept();
    const events: InvoiceEvent[] = [];
    if (!state.issued) {
      const data = { accountId, ...issued, number, reference: issued.number };
      events.push({ type: 'InvoiceFinalised', data });
      if (differences.length > 0) events.push({ type: 'InvoiceDiffers', data: { accountId, differences } });
    }
    // The attempt that succeeds is no failure.
    const failed = status === 'paid' && issued.due > 0 ? attempts - 1 : attempts;
    if (failed > state.attempts && issued.due > 0) {
      const next = status === 'open' ? nextAttemptAt : null;
      events.push({ type: 'PaymentFailed', data: { accountId, attempt: failed, nextAttemptAt: next } });
    }
    if (status === 'paid' && state.end !== 'paid') {
      events.push({ type: 'InvoicePaid', data: { accountId, paid } });
    }
    if (status === 'void' && state.end !== 'void')
      events.push({ type: 'InvoiceVoided', data: { accountId } });
    if (status === 'uncollectible' && state.end !== 'uncollectible') {
      events.push({ type: 'InvoiceWrittenOff', data: { accountId } });
    }
    // Of refunds only some answers tell; what is taken back again is not followed.
    const given = {
      noted: Math.max(credited, state.noted),
      refunded: Math.max(refunded ?? 0, state.refunded),
    };
    const sum = given.noted + given.refunded;
    if (sum > state.noted + state.refunded) {
      const beside = given.refunded > 0 && { refunded: given.refunded };
      events.push({ type: 'InvoiceCredited', data: { accountId, credited: sum, ...beside } });
    }
    return accept(...events);
  },
};
