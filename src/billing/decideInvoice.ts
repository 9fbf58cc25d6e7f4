import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import { STALE } from './decide.js';
import type { InvoiceEvent, IssuedInvoice } from './events.js';

/** An invoice as Stripe says it is now. */
export interface InvoiceSnapshot extends Omit<IssuedInvoice, 'accountId'> {
  readonly id: string;
  readonly customer: string;
  readonly status: 'draft' | 'open' | 'paid' | 'void' | 'uncollectible';
  readonly paid: number;
  /** Attempts to charge it, so far. */
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  /** Credited after it was paid. */
  readonly credited: number;
}

export interface RecordInvoice {
  readonly accountId: string;
  readonly snapshot: InvoiceSnapshot;
  /** How many events the stream had before Stripe was asked. */
  readonly asOf: number;
}

interface State {
  readonly events: number;
  readonly issued: boolean;
  readonly end: 'paid' | 'void' | 'uncollectible' | undefined;
  readonly attempts: number;
  readonly credited: number;
}

export const invoiceDecider: Decider<State, RecordInvoice, InvoiceEvent> = {
  initial: { events: 0, issued: false, end: undefined, attempts: 0, credited: 0 },

  evolve: (before, { type, data }) => {
    const state = { ...before, events: before.events + 1 };
    switch (type) {
      case 'InvoiceFinalised':
        return { ...state, issued: true };
      case 'InvoicePaid':
        return { ...state, end: 'paid' };
      case 'PaymentFailed':
        return { ...state, attempts: data.attempt };
      case 'InvoiceVoided':
        return { ...state, end: 'void' };
      case 'InvoiceWrittenOff':
        return { ...state, end: 'uncollectible' };
      case 'InvoiceCredited':
        return { ...state, credited: data.credited };
    }
  },

  decide: (state, { accountId, snapshot, asOf }) => {
    if (state.events !== asOf) return refuse(STALE, 'Stripe has to be asked again.');
    const { id: _, customer: __, status, paid, attempts, nextAttemptAt, credited, ...issued } = snapshot;
    // A draft may still change: it is none of our facts.
    if (status === 'draft') return accept();
    const events: InvoiceEvent[] = [];
    if (!state.issued) events.push({ type: 'InvoiceFinalised', data: { accountId, ...issued } });
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
    if (credited > state.credited) events.push({ type: 'InvoiceCredited', data: { accountId, credited } });
    return accept(...events);
  },
};
