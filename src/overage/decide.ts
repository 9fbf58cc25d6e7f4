import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import { MAX_CHARGE } from '../money/money.js';
import type { ClosedPeriod, OverageEvent, SpendCap } from './events.js';

/** When overage was paid for; undefined: still. */
interface Stretch {
  readonly from: string;
  readonly to: string | undefined;
}

export interface OverageState {
  readonly allowed: readonly Stretch[];
  readonly cap: SpendCap | undefined;
  /** By their ids, in the order in which they were closed. */
  readonly closed: ReadonlyMap<string, ClosedPeriod & { readonly eventId: string | undefined }>;
  readonly invoiced: ReadonlySet<string>;
  /** Periods in which the cap was reached. */
  readonly reached: ReadonlySet<string>;
}

export type OverageCommand =
  | {
      readonly type: 'AllowOverage';
      readonly cap: SpendCap | undefined;
      /** Currencies that plans can be paid in. */
      readonly currencies: readonly string[];
      /** Why a cap cannot refuse; undefined where it can. */
      readonly uncappable: string | undefined;
      readonly at: string;
      readonly by: string;
    }
  | { readonly type: 'StopOverage'; readonly at: string; readonly by: string }
  | { readonly type: 'ReachCap'; readonly period: string; readonly cap: SpendCap; readonly spent: number }
  | { readonly type: 'ClosePeriod'; readonly closed: ClosedPeriod }
  | { readonly type: 'RecordInvoiced'; readonly period: string; readonly invoice: string | null };

export const overageDecider: Decider<OverageState, OverageCommand, OverageEvent> = {
  initial: {
    allowed: [],
    cap: undefined,
    closed: new Map(),
    invoiced: new Set(),
    reached: new Set(),
  },

  evolve: (state, event) => {
    switch (event.type) {
      case 'OverageAllowed': {
        const { at, cap } = event.data;
        const running = isAllowed(state);
        return {
          ...state,
          cap: cap ?? undefined,
          allowed: running ? state.allowed : [...state.allowed, { from: at, to: undefined }],
        };
      }
      case 'OverageStopped':
        return {
          ...state,
          allowed: state.allowed.map((one) => (one.to === undefined ? { ...one, to: event.data.at } : one)),
        };
      case 'SpendCapReached':
        return { ...state, reached: new Set([...state.reached, event.data.period]) };
      case 'PeriodClosed': {
        // Stored events have ids; those that are only just decided have none yet.
        const { id: eventId } = event as { readonly id?: string };
        return {
          ...state,
          closed: new Map([...state.closed, [event.data.period, { ...event.data, eventId }]]),
        };
      }
      case 'PeriodInvoiced':
        return { ...state, invoiced: new Set([...state.invoiced, event.data.period]) };
    }
  },

  decide: (state, command) => {
    switch (command.type) {
      case 'AllowOverage': {
        const { cap, at, by, currencies, uncappable } = command;
        if (currencies.length === 0) {
          return refuse('OVERAGE_NOT_OFFERED', 'No plan has a price for use above its limits.');
        }
        if (cap && !currencies.includes(cap.currency)) {
          const list = currencies.map((code) => code.toUpperCase()).join(', ');
          return refuse('INVALID_INPUT', `Plans are paid in ${list}.`, 'spendCap.currency');
        }
        if (cap && (!Number.isSafeInteger(cap.amount) || cap.amount < 0 || cap.amount > MAX_CHARGE)) {
          return refuse('INVALID_INPUT', `A cap is 0 to ${MAX_CHARGE} minor units.`, 'spendCap.minorUnits');
        }
        if (cap?.whenReached === 'refuse' && uncappable !== undefined) {
          return refuse('INVALID_INPUT', uncappable, 'spendCap.whenReached');
        }
        return accept({ type: 'OverageAllowed', data: { cap: cap ?? null, at, by } });
      }
      case 'StopOverage':
        if (!isAllowed(state)) return accept();
        return accept({ type: 'OverageStopped', data: { at: command.at, by: command.by } });
      case 'ReachCap': {
        const { period, cap, spent } = command;
        if (state.reached.has(period)) return accept();
        return accept({ type: 'SpendCapReached', data: { period, cap, spent } });
      }
      case 'ClosePeriod':
        if (state.closed.has(command.closed.period)) return accept();
        return accept({ type: 'PeriodClosed', data: command.closed });
      case 'RecordInvoiced': {
        const { period, invoice } = command;
        if (!state.closed.has(period) || state.invoiced.has(period)) return accept();
        return accept({ type: 'PeriodInvoiced', data: { period, invoice } });
      }
    }
  },
};

export const isAllowed = ({ allowed }: Pick<OverageState, 'allowed'>): boolean =>
  allowed.at(-1) !== undefined && allowed.at(-1)?.to === undefined;

/** Whether overage was paid for at some time from `from` to `to`: then all of the period's is. */
export const wasAllowed = ({ allowed }: Pick<OverageState, 'allowed'>, from: string, to: string): boolean =>
  allowed.some((one) => one.from < to && (one.to === undefined || one.to > from));

/** When it was allowed for the first time; undefined where it never was. */
export const firstAllowed = ({ allowed }: Pick<OverageState, 'allowed'>): string | undefined =>
  allowed[0]?.from;
