import type { Decider, Decision } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { Money } from '../money/money.js';
import type { CreditPack } from '../plans/profile.js';
import { MAX_CREDITS } from '../plans/profile.js';
import type { CreditEvent, CreditSource, OverUse, PurchaseEnd, UseSoFar } from './events.js';
import { STALE } from '../eventsourcing/retryStale.js';
import type { CreditState, Grant } from './state.js';
import {
  availableOf,
  evolve,
  INITIAL,
  inOrder,
  judgedOf,
  lastUnits,
  standingOf,
  toppedUpIn,
} from './state.js';

export const MAX_PRIORITY = 1_000;
const MAX_GRANTS = 500;
/** Checkouts of packs that are open at once. */
const MAX_PURCHASES = 10;
export const MAX_TOP_UPS = 100;

export type CreditCommand =
  | {
      readonly type: 'GrantCredits';
      readonly grantId: string;
      readonly amount: number;
      readonly expiresAt: string | null;
      readonly priority: number;
      readonly source: CreditSource;
      readonly paid: Money | null;
      readonly payment: string | null;
      readonly by: string;
      /** Nobody pays with them for what was used before. */
      readonly soFar: UseSoFar;
    }
  | { readonly type: 'DrawCredits'; readonly soFar: UseSoFar }
  | {
      readonly type: 'SpendCredits';
      readonly purpose: string;
      readonly amount: number;
      readonly soFar: UseSoFar;
    }
  | { readonly type: 'ReturnCredits'; readonly purpose: string; readonly soFar: UseSoFar }
  | { readonly type: 'ExpireCredits'; readonly soFar: UseSoFar; readonly closeAfterMs: number }
  | { readonly type: 'VoidCredits'; readonly grantId: string; readonly by: string; readonly soFar: UseSoFar }
  | { readonly type: 'RequestRefund'; readonly grantId: string; readonly by: string }
  | {
      readonly type: 'RecordRefund';
      readonly grantId: string;
      /** What was paid back so far, all refunds together; null for all of it. */
      readonly refunded: Money | null;
      /** What was recorded of the grant before that was asked; left out where it was all of the payment. */
      readonly asOf?: Pick<Grant, 'paidBack' | 'reversals'>;
      readonly soFar: UseSoFar;
    }
  | {
      readonly type: 'WithdrawCredits';
      readonly grantId: string;
      readonly dispute: string;
      /** Minor units that are disputed. */
      readonly disputed: number;
      readonly soFar: UseSoFar;
    }
  | {
      readonly type: 'ReinstateCredits';
      readonly grantId: string;
      readonly dispute: string;
      readonly soFar: UseSoFar;
    }
  | { readonly type: 'FailRefund'; readonly grantId: string; readonly code: string }
  | {
      readonly type: 'RequestPurchase';
      readonly purchaseId: string;
      readonly pack: string;
      readonly packs: readonly CreditPack[];
      readonly by: string;
    }
  | {
      readonly type: 'SetTopUp';
      /** Null for never. */
      readonly pack: string | null;
      readonly below: number;
      readonly perMonth: number;
      readonly packs: readonly CreditPack[];
      readonly by: string;
    }
  | {
      readonly type: 'TopUp';
      readonly purchaseId: string;
      /** Of UTC, e.g. 2026-11. */
      readonly month: string;
      readonly packs: readonly CreditPack[];
      readonly soFar: UseSoFar;
    }
  | { readonly type: 'RecordPurchase'; readonly purchaseId: string; readonly session: string }
  | { readonly type: 'EndPurchase'; readonly purchaseId: string; readonly how: PurchaseEnd };

export const creditDecider: Decider<CreditState, CreditCommand, CreditEvent> = {
  initial: INITIAL,
  evolve,
  decide: (state, command) => {
    switch (command.type) {
      case 'GrantCredits':
        return grant(state, command);
      case 'DrawCredits':
        return accept(...draws(state, command.soFar, false));
      case 'SpendCredits':
        return spend(state, command);
      case 'ReturnCredits':
        return giveBack(state, command);
      case 'ExpireCredits':
        return expire(state, command.soFar, command.closeAfterMs);
      case 'VoidCredits': {
        const found = state.grants.get(command.grantId);
        if (!found) return noGrant();
        const { grantId, by, soFar } = command;
        return then(state, draws(state, soFar, false), (drawn) => {
          const amount = drawn.grants.get(grantId)?.remaining ?? 0;
          if (amount === 0) return [];
          const after = standingOf({ ...drawn, grants: without(drawn, grantId) });
          return [{ type: 'CreditsVoided', data: { grantId, amount, by, ...after } }];
        });
      }
      case 'RequestRefund': {
        const { grantId, by } = command;
        const found = state.grants.get(grantId);
        if (!found) return noGrant();
        if (found.payment === null) {
          return refuse('NOT_PAID', 'These credits were given, not bought: void them instead.', 'grantId');
        }
        if (found.refunded)
          return refuse('ALREADY_REFUNDED', 'These credits were refunded already.', 'grantId');
        return found.refundAsked
          ? accept()
          : accept({ type: 'CreditRefundRequested', data: { grantId, by } });
      }
      case 'RecordRefund':
        return refund(state, command);
      case 'WithdrawCredits':
        return withdraw(state, command);
      case 'ReinstateCredits':
        return reinstate(state, command);
      case 'FailRefund': {
        const { grantId, code } = command;
        if (state.grants.get(grantId)?.refundAsked !== true) return accept();
        return accept({ type: 'CreditRefundFailed', data: { grantId, code } });
      }
      case 'RequestPurchase': {
        const { purchaseId, packs, by } = command;
        const pack = packs.find(({ id }) => id === command.pack);
        if (!pack) return unknownPack(packs);
        if (state.purchases.size >= MAX_PURCHASES) {
          return refuse('CHANGE_PENDING', 'Too many checkouts of credits are open. Pay one, or wait a day.');
        }
        return accept(requested(purchaseId, pack, by));
      }
      case 'SetTopUp':
        return setTopUp(state, command);
      case 'TopUp':
        return topUp(state, command);
      case 'RecordPurchase': {
        const { purchaseId, session } = command;
        const purchase = state.purchases.get(purchaseId);
        if (!purchase || purchase.session !== undefined) return accept();
        return accept({ type: 'CreditPurchaseOpened', data: { purchaseId, session } });
      }
      case 'EndPurchase': {
        const { purchaseId, how } = command;
        if (!state.purchases.has(purchaseId)) return accept();
        return accept({ type: 'CreditPurchaseEnded', data: { purchaseId, how } });
      }
    }
  },
};

const requested = (
  purchaseId: string,
  pack: CreditPack,
  by: string,
  automatic: string | null = null,
): CreditEvent => {
  const { id, credits, amount, currency, months } = pack;
  const data = { purchaseId, pack: id, credits, amount, currency, months, by, automatic };
  return { type: 'CreditPurchaseRequested', data };
};

function setTopUp(state: CreditState, command: Of<'SetTopUp'>): Decision<CreditEvent> {
  const { pack, below, perMonth, packs, by } = command;
  if (pack === null) {
    if (!state.topUp) return accept();
    return accept({ type: 'CreditTopUpSet', data: { pack, below: 0, perMonth: 0, by } });
  }
  if (!packs.some(({ id }) => id === pack)) return unknownPack(packs);
  if (!Number.isSafeInteger(below) || below < 1 || below > MAX_CREDITS) {
    return refuse('INVALID_INPUT', `"below" is a whole number from 1 to ${MAX_CREDITS}.`, 'below');
  }
  if (!Number.isInteger(perMonth) || perMonth < 1 || perMonth > MAX_TOP_UPS) {
    return refuse('INVALID_INPUT', `"maxPerMonth" is 1 to ${MAX_TOP_UPS}.`, 'maxPerMonth');
  }
  return accept({ type: 'CreditTopUpSet', data: { pack, below, perMonth, by } });
}

const unknownPack = (packs: readonly CreditPack[]): Decision<never> => {
  const list = packs.map(({ id }) => id).join(', ');
  const message = list === '' ? 'No credits are sold here.' : `There is no such pack; there are ${list}.`;
  return refuse('PRICE_UNKNOWN', message, 'packId');
};

/** Asks for a pack where few credits are left: one at a time, and so many a month. */
function topUp(state: CreditState, { purchaseId, month, packs, soFar }: Of<'TopUp'>): Decision<CreditEvent> {
  const wanted = state.topUp;
  const pack = packs.find(({ id }) => id === wanted?.pack);
  if (!wanted || wanted.stopped || !pack || toppedUpIn(state, month) >= wanted.perMonth) return accept();
  if ([...state.purchases.values()].some(({ automatic }) => automatic)) return accept();
  const { grants, debt } = draws(state, soFar, false).reduce(evolve, state);
  if (availableOf({ grants, debt }) >= wanted.below) return accept();
  return accept(requested(purchaseId, pack, 'policy:credits', month));
}

type Of<T extends CreditCommand['type']> = Extract<CreditCommand, { type: T }>;

const noGrant = (): Decision<never> =>
  refuse('NOT_FOUND', 'The account has no grant of credits with this id.', 'grantId');

/** Some events, and those that follow from the state behind them. */
function then(
  state: CreditState,
  first: readonly CreditEvent[],
  next: (state: CreditState) => readonly CreditEvent[],
): Decision<CreditEvent> {
  return accept(...first, ...next(first.reduce(evolve, state)));
}

const without = ({ grants }: CreditState, id: string): Map<string, Grant> =>
  new Map([...grants].map(([key, one]) => [key, key === id ? { ...one, remaining: 0 } : one]));

function grant(state: CreditState, command: Of<'GrantCredits'>): Decision<CreditEvent> {
  const { type: _, soFar, ...granted } = command;
  const { grantId, amount, expiresAt, priority } = granted;
  if (state.grants.has(grantId)) return accept();
  if (!Number.isSafeInteger(amount) || amount < 1 || amount > MAX_CREDITS) {
    return refuse('INVALID_INPUT', `Credits are whole, from 1 to ${MAX_CREDITS}.`, 'amount');
  }
  if (!Number.isInteger(priority) || priority < 0 || priority > MAX_PRIORITY) {
    return refuse('INVALID_INPUT', `A priority is 0 to ${MAX_PRIORITY}.`, 'priority');
  }
  if (expiresAt !== null && expiresAt <= soFar.now) {
    return refuse('INVALID_INPUT', 'The credits would expire before they are granted.', 'expiresAt');
  }
  if ([...state.grants.values()].filter(({ remaining }) => remaining > 0).length >= MAX_GRANTS) {
    return refuse('INVALID_INPUT', `An account has at most ${MAX_GRANTS} grants at once.`);
  }
  return then(state, draws(state, soFar, true), (drawn) => {
    // What was taken back after it had been spent is made good first.
    const remaining = Math.max(0, amount - drawn.debt);
    const debt = Math.max(0, drawn.debt - amount);
    const fresh = { id: grantId, amount, remaining, ...REST };
    const after = standingOf({ debt, grants: new Map([...drawn.grants, [grantId, fresh]]) });
    return [{ type: 'CreditsGranted', data: { ...granted, ...after } }];
  });
}

const REST = {
  expiresAt: null,
  priority: 0,
  source: 'operator',
  paid: null,
  payment: null,
  refundAsked: false,
  refunded: false,
  takenBack: 0,
  paidBack: 0,
  forfeited: 0,
  reversals: 0,
  withdrawn: new Map<string, number>(),
} as const;

/**
 * Pays for what was used since the last look. What there are no credits for stays unpaid, also once there are.
 * @param settle whether that is recorded where nothing is paid: before there are more credits
 */
function draws(state: CreditState, { uses, asOf, now }: UseSoFar, settle: boolean): CreditEvent[] {
  const events: CreditEvent[] = [];
  let current = state;
  for (const use of uses) {
    const { part, meter, until, over, rate, overFrom, closed } = use;
    const { to: before, paid: paidBefore, asOf: seen } = judgedOf(current, meter, part);
    // Whoever has not seen what was paid for cannot say that it was too much.
    if (over < paidBefore && asOf >= seen) {
      const event = reversal(current, use, asOf);
      events.push(event);
      current = evolve(current, event);
      continue;
    }
    const open = over - before;
    if (open <= 0 || closed) continue;
    const spent: { readonly grantId: string; readonly credits: number }[] = [];
    let units = 0;
    for (const { id, remaining, expiresAt } of current.debt > 0 ? [] : inOrder(current.grants.values())) {
      if (remaining < rate) continue;
      const expired = expiresAt !== null && expiresAt <= now;
      const payable = expired ? open - Math.min(open, overFrom(expiresAt)) : open;
      const paid = Math.min(Math.floor(remaining / rate), payable - units);
      if (paid <= 0) continue;
      spent.push({ grantId: id, credits: paid * rate });
      units += paid;
    }
    if (units === 0 && !settle) continue;
    const grants = new Map(current.grants);
    for (const { grantId, credits } of spent) {
      const one = grants.get(grantId) as Grant;
      grants.set(grantId, { ...one, remaining: one.remaining - credits });
    }
    const after = standingOf({ ...current, grants });
    const event: CreditEvent = {
      type: 'CreditsDrawn',
      data: { part, meter, until, from: before, to: over, units, draws: spent, asOf, ...after },
    };
    events.push(event);
    current = evolve(current, event);
  }
  return events;
}

/** Use that was paid for counts no more: what has paid it last goes back. */
function reversal(state: CreditState, { part, meter, until, over }: OverUse, asOf: number): CreditEvent {
  const { paid, draws } = judgedOf(state, meter, part);
  const units = paid - over;
  const back = lastUnits(draws, units).last.map((one) => ({
    grantId: one.grantId,
    credits: one.units * one.rate,
  }));
  const after = standingOf(returned(state, back));
  return { type: 'CreditDrawReversed', data: { part, meter, until, to: over, units, asOf, ...after } };
}

/** As it stands once credits are back in the grants that they came from; what is owed is made good first. */
function returned(
  state: CreditState,
  back: readonly { readonly grantId: string; readonly credits: number }[],
): Pick<CreditState, 'grants' | 'debt'> {
  const grants = new Map(state.grants);
  let { debt } = state;
  for (const { grantId, credits } of back) {
    const grant = grants.get(grantId) as Grant;
    const owed = Math.min(debt, credits);
    debt -= owed;
    grants.set(grantId, { ...grant, remaining: grant.remaining + credits - owed });
  }
  return { grants, debt };
}

/** Pays for one thing, whole or not at all; again under its name it is paid already. */
function spend(state: CreditState, { purpose, amount, soFar }: Of<'SpendCredits'>): Decision<CreditEvent> {
  if (state.spent.some((one) => one.purpose === purpose)) return accept();
  // What was used before is paid first.
  const events = draws(state, soFar, false);
  const drawn = events.reduce(evolve, state);
  const grants = new Map(drawn.grants);
  const spent: { readonly grantId: string; readonly credits: number }[] = [];
  let missing = amount;
  for (const one of drawn.debt > 0 ? [] : inOrder(drawn.grants.values())) {
    if (one.expiresAt !== null && one.expiresAt <= soFar.now) continue;
    const credits = Math.min(one.remaining, missing);
    if (credits === 0) continue;
    missing -= credits;
    spent.push({ grantId: one.id, credits });
    grants.set(one.id, { ...one, remaining: one.remaining - credits });
  }
  if (missing > 0) return refuse('PAYMENT_REQUIRED', 'The account does not have enough credits for this.');
  const after = standingOf({ ...drawn, grants });
  return accept(...events, { type: 'CreditsSpent', data: { purpose, draws: spent, ...after } });
}

/** What was spent goes back to the grants that it came from; what is owed is made good first. */
function giveBack(state: CreditState, { purpose, soFar }: Of<'ReturnCredits'>): Decision<CreditEvent> {
  const spent = state.spent.find((one) => one.purpose === purpose)?.draws;
  if (!spent) return accept();
  return then(state, draws(state, soFar, false), (drawn) => [
    { type: 'CreditsReturned', data: { purpose, ...standingOf(returned(drawn, spent)) } },
  ]);
}

function expire(state: CreditState, soFar: UseSoFar, closeAfterMs: number): Decision<CreditEvent> {
  const events = draws(state, soFar, false);
  let current = events.reduce(evolve, state);
  for (const { id: grantId, remaining, expiresAt } of current.grants.values()) {
    if (remaining === 0 || expiresAt === null) continue;
    if (Date.parse(expiresAt) + closeAfterMs > Date.parse(soFar.now)) continue;
    const after = standingOf({ ...current, grants: without(current, grantId) });
    const event: CreditEvent = { type: 'CreditsExpired', data: { grantId, amount: remaining, ...after } };
    events.push(event);
    current = evolve(current, event);
  }
  return accept(...events);
}

/**
 * What was bought is taken back, as much of it as was paid back: from the grant, then from the others, and what is
 * missing is owed.
 */
function refund(state: CreditState, command: Of<'RecordRefund'>): Decision<CreditEvent> {
  const { grantId, refunded, asOf, soFar } = command;
  const found = state.grants.get(grantId);
  if (!found) return accept();
  if (asOf && (asOf.paidBack !== found.paidBack || asOf.reversals !== found.reversals)) {
    return refuse(STALE, 'Stripe has to be asked again.');
  }
  if (refunded !== null && refunded.amount < found.paidBack) return reverse(state, found, refunded, soFar);
  if (found.refunded) return accept();
  const { paid } = found;
  const whole = paid === null || refunded === null || refunded.amount >= paid.amount;
  const target = whole ? found.amount : shareOf(found.amount, refunded.amount, paid.amount);
  // What disputes have withdrawn was not paid back; nothing is taken twice, and nothing that is gone.
  const { takenBack, forfeited } = found;
  const most = Math.min(target - (takenBack - withdrawnOf(found)), found.amount - takenBack) - forfeited;
  const amount = Math.max(0, most);
  // Money that was paid back counts, also where no credits are left to be taken for it.
  if (!whole && amount === 0 && refunded.amount === found.paidBack) return accept();
  return then(state, draws(state, soFar, false), (drawn) => {
    const after = standingOf(takenFrom(drawn, grantId, amount));
    const now = refunded && { ...refunded, amount: refunded.amount - found.paidBack };
    const data = { grantId, amount, refunded: now, ...(!whole && { partial: true as const }), ...after };
    return [{ type: 'CreditsRefunded', data }];
  });
}

/** A refund has failed after all: what was taken back with it is there again, and makes good first what is owed. */
function reverse(state: CreditState, grant: Grant, refunded: Money, soFar: UseSoFar): Decision<CreditEvent> {
  const { id: grantId, amount: bought, paid, paidBack, takenBack, forfeited } = grant;
  const share = paid === null ? bought : shareOf(bought, refunded.amount, paid.amount);
  const stays = Math.max(0, share - forfeited);
  const amount = Math.max(0, takenBack - withdrawnOf(grant) - stays);
  const reversed = { ...refunded, amount: paidBack - refunded.amount };
  return then(state, draws(state, soFar, false), (drawn) => {
    const back = returned(drawn, [{ grantId, credits: amount }]);
    return [{ type: 'CreditRefundReversed', data: { grantId, amount, reversed, ...standingOf(back) } }];
  });
}

/** As it stands once credits of a grant are taken back: from it, then from the others, and what is missing is owed. */
function takenFrom(
  state: CreditState,
  grantId: string,
  amount: number,
): Pick<CreditState, 'grants' | 'debt'> {
  let missing = amount;
  const grants = new Map(state.grants);
  const own = state.grants.get(grantId) as Grant;
  for (const one of [own, ...inOrder(state.grants.values()).filter(({ id }) => id !== grantId)]) {
    const taken = Math.min(one.remaining, missing);
    missing -= taken;
    grants.set(one.id, { ...one, remaining: one.remaining - taken });
  }
  return { grants, debt: state.debt + missing };
}

/** What was bought by a disputed payment is taken back, as much of it as is disputed and was not refunded. */
function withdraw(state: CreditState, command: Of<'WithdrawCredits'>): Decision<CreditEvent> {
  const { grantId, dispute, disputed, soFar } = command;
  const found = state.grants.get(grantId);
  if (!found || found.withdrawn.has(dispute)) return accept();
  const { amount: bought, paid, paidBack, takenBack, forfeited } = found;
  const part = paid === null || disputed >= paid.amount ? bought : shareOf(bought, disputed, paid.amount);
  // What refunds would have taken, had it not been voided or expired before, is not taken by the dispute either.
  const refunded = paid === null ? 0 : shareOf(bought, Math.min(paidBack, paid.amount), paid.amount);
  const missed = Math.max(0, Math.min(forfeited, refunded - (takenBack - withdrawnOf(found))));
  const amount = Math.min(part, bought - takenBack - missed) - (forfeited - missed);
  if (amount <= 0) return accept();
  return then(state, draws(state, soFar, false), (drawn) => [
    {
      type: 'CreditsWithdrawn',
      data: { grantId, dispute, amount, ...standingOf(takenFrom(drawn, grantId, amount)) },
    },
  ]);
}

/** The dispute was won: what it has withdrawn is there again, and makes good first what is owed. */
function reinstate(state: CreditState, command: Of<'ReinstateCredits'>): Decision<CreditEvent> {
  const { grantId, dispute, soFar } = command;
  const amount = state.grants.get(grantId)?.withdrawn.get(dispute) ?? 0;
  if (amount === 0) return accept();
  return then(state, draws(state, soFar, false), (drawn) => {
    const back = returned(drawn, [{ grantId, credits: amount }]);
    return [{ type: 'CreditsReinstated', data: { grantId, dispute, amount, ...standingOf(back) } }];
  });
}

/** Credits of a grant that disputes have withdrawn, and that are not back. */
const withdrawnOf = ({ withdrawn }: Grant): number =>
  [...withdrawn.values()].reduce((sum, one) => sum + one, 0);

/** A part of the credits, whole ones: what is left of one stays with the account. */
const shareOf = (credits: number, part: number, of: number): number =>
  Number((BigInt(credits) * BigInt(part)) / BigInt(of));

/** The balance, negative for what is owed. */
export const balanceOf = (state: CreditState): number => (state.debt > 0 ? -state.debt : availableOf(state));
