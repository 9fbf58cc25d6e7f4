import type { Position } from '../eventsourcing/event.js';
import type { Money } from '../money/money.js';
import type { CreditEvent, CreditSource, Standing } from './events.js';

export interface Grant {
  readonly id: string;
  readonly amount: number;
  readonly remaining: number;
  /** ISO 8601; null for never. */
  readonly expiresAt: string | null;
  readonly priority: number;
  readonly source: CreditSource;
  readonly paid: Money | null;
  readonly payment: string | null;
  readonly refundAsked: boolean;
  /** All of it. */
  readonly refunded: boolean;
  /** Credits that were taken back with what was paid back, and that money, in minor units. */
  readonly takenBack: number;
  readonly paidBack: number;
  /** Credits that were voided or have expired: nobody takes them back once more. */
  readonly forfeited: number;
  /** How often a refund has failed after it had succeeded. */
  readonly reversals: number;
  /** Of `takenBack`, what disputes have withdrawn, by their ids; 0 once one was won. */
  readonly withdrawn: ReadonlyMap<string, number>;
}

export interface Purchase {
  readonly id: string;
  readonly pack: string;
  readonly credits: number;
  readonly amount: number;
  readonly currency: string;
  readonly months: number;
  readonly session: string | undefined;
  /** Paid with the card that is on file, without a page. */
  readonly automatic: boolean;
}

/** When credits are bought without being asked for each time. */
export interface TopUp {
  readonly pack: string;
  /** Bought when fewer are left. */
  readonly below: number;
  /** Purchases a month of UTC at most. */
  readonly perMonth: number;
  /** Whether a payment has failed since it was set: nothing is bought until it is set again. */
  readonly stopped: boolean;
}

/** Of one meter in one part of a billing period, in units. */
export interface Judged {
  /** Units above what is included that were looked at: what was not paid then is never paid later. */
  readonly to: number;
  readonly paid: number;
  /** What has paid them, oldest first. */
  readonly draws: readonly Draw[];
  /** The last event that the ledger had seen. */
  readonly asOf: Position;
}

/** Units that one grant has paid. */
export interface Draw {
  readonly grantId: string;
  readonly units: number;
  /** Credits for one. */
  readonly rate: number;
}

/** What was paid before and now; what one grant pays at the same rate is one. */
function drawnBy(draws: readonly Draw[], next: Draw): readonly Draw[] {
  const last = draws.at(-1);
  return last?.grantId === next.grantId && last.rate === next.rate
    ? [...draws.slice(0, -1), { ...last, units: last.units + next.units }]
    : [...draws, next];
}

/** The last so many units of what was paid, and what is left of it. */
export function lastUnits(
  draws: readonly Draw[],
  units: number,
): { readonly last: readonly Draw[]; readonly rest: readonly Draw[] } {
  const last: Draw[] = [];
  const rest: Draw[] = [];
  let missing = units;
  for (const draw of draws.toReversed()) {
    const back = Math.min(missing, draw.units);
    missing -= back;
    if (back > 0) last.push({ ...draw, units: back });
    if (back < draw.units) rest.unshift({ ...draw, units: draw.units - back });
  }
  return { last, rest };
}

/** What was paid by the piece. Accounts pay for many: all of them are looked through, and none is copied for each. */
interface Spent {
  readonly purpose: string;
  readonly draws: readonly { readonly grantId: string; readonly credits: number }[];
}

export interface CreditState {
  /** By their ids, in the order in which they were granted. */
  readonly grants: ReadonlyMap<string, Grant>;
  readonly debt: number;
  /** By `judgedKey`. */
  readonly judged: ReadonlyMap<string, Judged>;
  /** The oldest first. */
  readonly spent: readonly Spent[];
  /** Those that nothing was heard of yet. */
  readonly purchases: ReadonlyMap<string, Purchase>;
  /** Undefined for none. */
  readonly topUp: TopUp | undefined;
  /** Of the last month with automatic purchases, how many there were. */
  readonly toppedUp: { readonly month: string; readonly count: number };
}

export const INITIAL: CreditState = {
  grants: new Map(),
  debt: 0,
  judged: new Map(),
  spent: [],
  purchases: new Map(),
  topUp: undefined,
  toppedUp: { month: '', count: 0 },
};

export const judgedKey = (meter: string, part: string): string => JSON.stringify([meter, part]);

/** What was looked at of a meter in one part of a billing period. */
export const judgedOf = ({ judged }: CreditState, meter: string, part: string): Judged =>
  judged.get(judgedKey(meter, part)) ?? { to: 0, paid: 0, draws: [], asOf: 0 };

const judge = (state: CreditState, meter: string, part: string, now: Judged): CreditState => ({
  ...state,
  judged: new Map([...state.judged, [judgedKey(meter, part), now]]),
});

export const availableOf = ({ grants, debt }: Pick<CreditState, 'grants' | 'debt'>): number =>
  debt > 0 ? 0 : [...grants.values()].reduce((sum, { remaining }) => sum + remaining, 0);

/** Soonest expiring first, then by priority, then the oldest. */
export function inOrder(grants: Iterable<Grant>): Grant[] {
  // Sorting is stable, and grants come in their order.
  return [...grants].sort(
    (a, b) => (a.expiresAt ?? '9999').localeCompare(b.expiresAt ?? '9999') || a.priority - b.priority,
  );
}

export const standingOf = ({ grants, debt }: Pick<CreditState, 'grants' | 'debt'>): Standing => ({
  remainders: [...grants.values()]
    .filter(({ remaining }) => remaining > 0)
    .map(({ id: grantId, remaining }) => ({ grantId, remaining })),
  debt,
});

/** Automatic purchases of a month of UTC. */
export const toppedUpIn = ({ toppedUp }: Pick<CreditState, 'toppedUp'>, month: string): number =>
  toppedUp.month === month ? toppedUp.count : 0;

export function evolve(state: CreditState, event: CreditEvent): CreditState {
  switch (event.type) {
    case 'CreditsGranted': {
      const { grantId: id, amount, expiresAt, priority, source, paid, payment } = event.data;
      const grant: Grant = {
        id,
        amount,
        remaining: 0,
        expiresAt,
        priority,
        source,
        paid,
        payment,
        refundAsked: false,
        refunded: false,
        takenBack: 0,
        paidBack: 0,
        forfeited: 0,
        reversals: 0,
        withdrawn: new Map(),
      };
      const purchases = new Map(state.purchases);
      purchases.delete(id);
      return standing({ ...state, purchases, grants: new Map([...state.grants, [id, grant]]) }, event.data);
    }
    case 'CreditsDrawn': {
      const { meter, part, to, units, asOf } = event.data;
      const { paid, draws } = judgedOf(state, meter, part);
      const credits = event.data.draws.reduce((sum, one) => sum + one.credits, 0);
      const rate = units === 0 ? 0 : credits / units;
      const all = event.data.draws.reduce(
        (before, one) => drawnBy(before, { grantId: one.grantId, units: one.credits / rate, rate }),
        draws,
      );
      const now = { to, paid: paid + units, draws: all, asOf };
      return standing(judge(state, meter, part, now), event.data);
    }
    case 'CreditDrawReversed': {
      const { meter, part, to, units, asOf } = event.data;
      const { paid, draws } = judgedOf(state, meter, part);
      const now = { to, paid: paid - units, draws: lastUnits(draws, units).rest, asOf };
      return standing(judge(state, meter, part, now), event.data);
    }
    case 'CreditsSpent': {
      const { purpose, draws } = event.data;
      return standing({ ...state, spent: [...state.spent, { purpose, draws }] }, event.data);
    }
    case 'CreditsReturned': {
      const { purpose } = event.data;
      const spent = state.spent.filter((one) => one.purpose !== purpose);
      return standing({ ...state, spent }, event.data);
    }
    case 'CreditsExpired':
    case 'CreditsVoided': {
      const { grantId, amount } = event.data;
      const forfeited = (state.grants.get(grantId)?.forfeited ?? 0) + amount;
      return standing(changed(state, grantId, { forfeited }), event.data);
    }
    case 'CreditRefundRequested':
      return changed(state, event.data.grantId, { refundAsked: true });
    case 'CreditRefundFailed':
      return changed(state, event.data.grantId, { refundAsked: false });
    case 'CreditsRefunded': {
      const { grantId, amount, refunded, partial } = event.data;
      const { takenBack = 0, paidBack = 0 } = state.grants.get(grantId) ?? {};
      const back = { takenBack: takenBack + amount, paidBack: paidBack + (refunded?.amount ?? 0) };
      const over = partial === true ? {} : { refundAsked: false, refunded: true };
      return standing(changed(state, grantId, { ...back, ...over }), event.data);
    }
    case 'CreditRefundReversed': {
      const { grantId, amount, reversed } = event.data;
      const { takenBack = 0, paidBack = 0, reversals = 0 } = state.grants.get(grantId) ?? {};
      const less = { takenBack: takenBack - amount, paidBack: paidBack - reversed.amount };
      const back = { ...less, refunded: false, reversals: reversals + 1 };
      return standing(changed(state, grantId, back), event.data);
    }
    case 'CreditsWithdrawn': {
      const topUp = state.topUp && { ...state.topUp, stopped: true };
      return standing({ ...disputed(state, event.data, event.data.amount), topUp }, event.data);
    }
    case 'CreditsReinstated':
      return standing(disputed(state, event.data, 0), event.data);
    case 'CreditPurchaseRequested': {
      const { purchaseId: id, pack, credits, amount, currency, months, automatic: month } = event.data;
      const automatic = month !== null;
      const purchase = { id, pack, credits, amount, currency, months, session: undefined, automatic };
      const toppedUp = month !== null ? { month, count: toppedUpIn(state, month) + 1 } : state.toppedUp;
      return { ...state, toppedUp, purchases: new Map([...state.purchases, [id, purchase]]) };
    }
    case 'CreditTopUpSet': {
      const { pack, below, perMonth } = event.data;
      return { ...state, topUp: pack === null ? undefined : { pack, below, perMonth, stopped: false } };
    }
    case 'CreditPurchaseOpened': {
      const { purchaseId, session } = event.data;
      const purchase = state.purchases.get(purchaseId);
      if (!purchase) return state;
      return { ...state, purchases: new Map([...state.purchases, [purchaseId, { ...purchase, session }]]) };
    }
    case 'CreditPurchaseEnded': {
      const { purchaseId } = event.data;
      const failed = state.purchases.get(purchaseId)?.automatic === true;
      const purchases = new Map(state.purchases);
      purchases.delete(purchaseId);
      return {
        ...state,
        purchases,
        topUp: state.topUp && failed ? { ...state.topUp, stopped: true } : state.topUp,
      };
    }
  }
}

const changed = (state: CreditState, id: string, change: Partial<Grant>): CreditState => {
  const grant = state.grants.get(id);
  return grant ? { ...state, grants: new Map([...state.grants, [id, { ...grant, ...change }]]) } : state;
};

/** With so many credits of a grant that a dispute has withdrawn. */
function disputed(
  state: CreditState,
  { grantId, dispute }: { readonly grantId: string; readonly dispute: string },
  amount: number,
): CreditState {
  const { takenBack = 0, withdrawn = new Map<string, number>() } = state.grants.get(grantId) ?? {};
  return changed(state, grantId, {
    takenBack: takenBack - (withdrawn.get(dispute) ?? 0) + amount,
    withdrawn: new Map([...withdrawn, [dispute, amount]]),
  });
}

/** What an event says that every grant has left. */
function standing(state: CreditState, { remainders, debt }: Standing): CreditState {
  const left = new Map(remainders.map(({ grantId, remaining }) => [grantId, remaining]));
  const grants = [...state.grants.values()].map((grant) => ({
    ...grant,
    remaining: left.get(grant.id) ?? 0,
  }));
  return { ...state, debt, grants: new Map(grants.map((grant) => [grant.id, grant])) };
}
