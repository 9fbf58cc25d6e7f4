import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import { MAX_CHARGE } from '../money/money.js';
import type { Whole } from '../money/whole.js';
import type {
  ClosedPeriod,
  Correction,
  OverageEvent,
  RatedLine,
  Settlement,
  SpendCap,
  UsedThen,
} from './events.js';
import type { Position } from '../eventsourcing/event.js';

/** When overage was paid for, under one setting. */
interface Stretch {
  readonly from: string;
  /** Undefined: still. */
  readonly to: string | undefined;
  readonly cap: SpendCap | undefined;
  /** What was used when it began and when it ended; undefined where that was not kept. */
  readonly usedFrom: readonly UsedThen[] | undefined;
  readonly usedTo: readonly UsedThen[] | undefined;
}

export interface OverageState {
  readonly allowed: readonly Stretch[];
  /** By their ids, in the order in which they were closed. */
  readonly closed: ReadonlyMap<string, ClosedPeriod & { readonly eventId: string | undefined }>;
  /** What bills closed periods, by their ids. */
  readonly invoiced: ReadonlyMap<string, { readonly invoice: string | null; readonly ended: boolean }>;
  /** What was corrected after the last period was closed, by id. */
  readonly corrections: ReadonlyMap<string, Correction & { readonly eventId: string | undefined }>;
  readonly settled: ReadonlySet<string>;
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
      /** What was used until now in the running period. */
      readonly used: readonly UsedThen[];
    }
  | {
      readonly type: 'StopOverage';
      readonly at: string;
      readonly by: string;
      readonly used: readonly UsedThen[];
    }
  | { readonly type: 'ReachCap'; readonly period: string; readonly cap: SpendCap; readonly spent: number }
  | {
      readonly type: 'ClosePeriod';
      readonly closed: ClosedPeriod;
      /** What corrections come to that its own invoice cannot have. */
      readonly besides?: Correction | undefined;
    }
  | {
      readonly type: 'RecordInvoiced';
      readonly period: string;
      readonly invoice: string | null;
      /** Whether it was done once the subscription had ended. */
      readonly ended: boolean;
    }
  | {
      readonly type: 'CorrectOverage';
      readonly corrected: Correction;
      /** Up to where had been looked when it was computed. */
      readonly after: Position;
    }
  | { readonly type: 'RecordSettled'; readonly settlement: Settlement };

export const overageDecider: Decider<OverageState, OverageCommand, OverageEvent> = {
  initial: {
    allowed: [],
    closed: new Map(),
    invoiced: new Map(),
    corrections: new Map(),
    settled: new Set(),
    reached: new Set(),
  },

  evolve: (state, event) => {
    switch (event.type) {
      case 'OverageAllowed': {
        const { at, cap: given, used } = event.data;
        const cap = given ?? undefined;
        const next = { from: at, to: undefined, cap, usedFrom: used, usedTo: undefined };
        return { ...state, allowed: [...ended(state.allowed, at, used), next] };
      }
      case 'OverageStopped':
        return { ...state, allowed: ended(state.allowed, event.data.at, event.data.used) };
      case 'SpendCapReached':
        return { ...state, reached: new Set([...state.reached, event.data.period]) };
      case 'PeriodClosed': {
        const closed = { ...event.data, eventId: idOf(event) };
        return { ...state, closed: new Map([...state.closed, [closed.period, closed]]) };
      }
      case 'PeriodInvoiced': {
        const { period, invoice, ended: isEnded = false } = event.data;
        return { ...state, invoiced: new Map([...state.invoiced, [period, { invoice, ended: isEnded }]]) };
      }
      case 'OverageCorrected': {
        const corrected = { ...event.data, eventId: idOf(event) };
        return { ...state, corrections: new Map([...state.corrections, [corrected.correction, corrected]]) };
      }
      case 'CorrectionSettled':
        return { ...state, settled: new Set([...state.settled, event.data.correction]) };
    }
  },

  decide: (state, command) => {
    switch (command.type) {
      case 'AllowOverage': {
        const { cap, at, by, used, currencies, uncappable } = command;
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
        return accept({ type: 'OverageAllowed', data: { cap: cap ?? null, at, by, used } });
      }
      case 'StopOverage':
        if (!isAllowed(state)) return accept();
        return accept({
          type: 'OverageStopped',
          data: { at: command.at, by: command.by, used: command.used },
        });
      case 'ReachCap': {
        const { period, cap, spent } = command;
        if (state.reached.has(period)) return accept();
        return accept({ type: 'SpendCapReached', data: { period, cap, spent } });
      }
      case 'ClosePeriod':
        if (state.closed.has(command.closed.period)) return accept();
        return accept<OverageEvent>(
          { type: 'PeriodClosed', data: command.closed },
          ...(command.besides ? [{ type: 'OverageCorrected' as const, data: command.besides }] : []),
        );
      case 'RecordInvoiced': {
        const { period, invoice, ended: isEnded } = command;
        const before = state.invoiced.get(period);
        if (!state.closed.has(period) || before?.ended === true || (before && !isEnded)) return accept();
        return accept({
          type: 'PeriodInvoiced',
          data: { period, invoice, ...(isEnded && { ended: true as const }) },
        });
      }
      case 'CorrectOverage':
        // Another process has billed something meanwhile: it may be the same.
        if (command.after !== lookedAtUpTo(state, command.corrected.currency)) return accept();
        return accept({ type: 'OverageCorrected', data: command.corrected });
      case 'RecordSettled': {
        const { correction } = command.settlement;
        if (!state.corrections.has(correction) || state.settled.has(correction)) return accept();
        return accept({ type: 'CorrectionSettled', data: command.settlement });
      }
    }
  },
};

/** Stored events have ids; those that are only just decided have none yet. */
const idOf = (event: object): string | undefined => (event as { readonly id?: string }).id;

/** The last event that the ledger had seen when something was billed in a currency: what has come later is billed by nothing yet. */
export const lookedAtUpTo = ({ closed, corrections }: OverageState, currency: string): Position =>
  Math.max(
    0,
    ...[...closed.values(), ...corrections.values()].flatMap((one) =>
      one.currency === currency ? [one.asOf] : [],
    ),
  );

/** What was billed of a period: when it was closed, and by later corrections. */
export const billedOf = ({ closed, corrections }: OverageState, period: string): RatedLine[] =>
  [...closed.values(), ...corrections.values()]
    .flatMap(({ lines }) => lines)
    .filter((line) => line.period === period);

export const isAllowed = ({ allowed }: Pick<OverageState, 'allowed'>): boolean =>
  allowed.at(-1) !== undefined && allowed.at(-1)?.to === undefined;

/** The cap as it was set last. */
export const capSet = ({ allowed }: Pick<OverageState, 'allowed'>): SpendCap | undefined =>
  allowed.at(-1)?.cap;

const ended = (
  allowed: readonly Stretch[],
  at: string,
  usedTo: readonly UsedThen[] | undefined,
): readonly Stretch[] => allowed.map((one) => (one.to === undefined ? { ...one, to: at, usedTo } : one));

type Time = { readonly from: string; readonly to: string };

const within = ({ allowed }: Pick<OverageState, 'allowed'>, { from, to }: Time): readonly Stretch[] =>
  allowed.filter((one) => one.from < to && (one.to === undefined || one.to > from));

/** Whether overage was paid for at some time of a period. */
export const wasAllowed = (state: Pick<OverageState, 'allowed'>, period: Time): boolean =>
  within(state, period).length > 0;

/**
 * Between which amounts of a part of a period overage was paid for; undefined: to the last.
 * @param meter, part whose amounts are meant
 */
export const paidFor = (
  state: Pick<OverageState, 'allowed'>,
  period: Time,
  meter: string,
  part: string,
): readonly (readonly [from: Whole, to: Whole | undefined])[] =>
  within(state, period).map(({ from, to, usedFrom = [], usedTo }) => {
    const then = (used: readonly UsedThen[]): Whole =>
      used.find((one) => one.part === part && one.meter === meter)?.amount ?? 0;
    const runsOn = to === undefined || to >= period.to || usedTo === undefined;
    return [from <= period.from ? 0 : then(usedFrom), runsOn ? undefined : then(usedTo)];
  });

/** What a period may cost at most: the largest cap that held in it, where each refused. */
export function capOf(state: Pick<OverageState, 'allowed'>, period: Time): SpendCap | undefined {
  let most: SpendCap | undefined;
  for (const { cap } of within(state, period)) {
    if (cap?.whenReached !== 'refuse' || (most && most.currency !== cap.currency)) return undefined;
    if (!most || cap.amount > most.amount) most = cap;
  }
  return most;
}

/** When it was allowed for the first time; undefined where it never was. */
export const firstAllowed = ({ allowed }: Pick<OverageState, 'allowed'>): string | undefined =>
  allowed[0]?.from;
