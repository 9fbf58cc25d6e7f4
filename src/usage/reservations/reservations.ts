import type { ReservationRow, UsageQueries } from '../../../projections/usage/queries.js';
import { BoundedMap } from '../../boundedMap.js';
import { canonicalJson } from '../../canonicalJson.js';
import type { Elapsed } from '../../clock.js';
import type { Refusal } from '../../eventsourcing/decider.js';
import type { Environment, Position } from '../../eventsourcing/event.js';
import type { PlanInForce } from '../../plans/profile.js';
import type { Phase, ReservationTerms, Use } from '../events.js';
import { isOwnReservation, PRICED_ELSEWHERE } from '../events.js';
import { refusalCode } from '../limits/headers.js';
import type { LimitCode } from '../limits/headers.js';
import type { Journal, ProvedBatch } from '../journal/journal.js';
import { Locks } from '../limits/locks.js';
import type { Limiter, LimitState, MeterAmounts, Taken } from '../limits/limiter.js';
import { isOver } from '../limits/limiter.js';
import type { Reporter, UsagePayers } from '../reports/payers.js';
import { accountOf } from '../reports/payers.js';
import type { Payer } from '../reports/reportedUse.js';
import type { SubjectIds } from '../reports/subjectIds.js';
import { useRecord } from '../journal/useRecord.js';

export type ReservationStatus = 'RESERVED' | 'SETTLED' | 'RELEASED' | 'EXPIRED';

/** What was taken before the work, and what became of it. */
export interface Reservation {
  readonly id: string;
  readonly status: ReservationStatus;
  readonly accountId: string;
  /** What limits are short of. */
  readonly held: MeterAmounts;
  /** What it came to. */
  readonly settled: MeterAmounts;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly position: Position;
}

/** What the work is. */
export interface Work {
  readonly endpoint: string;
  readonly method: string;
  readonly operation: string | null;
  readonly source: string | null;
}

/** What is to be taken, and for whom. */
export interface Reserving {
  /** Whether that is all: nobody settles it afterwards. */
  readonly final?: boolean;
  /** Of the reservation: the same for the same command. */
  readonly id: string;
  /** Whether the caller has named the command, so that it may be a repeat. */
  readonly named: boolean;
  readonly payer: Payer;
  readonly amounts: MeterAmounts;
  readonly work: Work;
  readonly terms: ReservationTerms;
  /** The end customer whom it is for, as the back end names them. */
  readonly subject?: string | undefined;
}

export type Reserved =
  | {
      readonly kind: 'reserved';
      readonly reservation: Reservation;
      readonly replayed: boolean;
      readonly states: readonly LimitState[];
    }
  | {
      readonly kind: 'refused';
      readonly code: LimitCode;
      readonly retryAfterMs: number | undefined;
      readonly states: readonly LimitState[];
    }
  | { readonly kind: 'invalid'; readonly refusal: Refusal };

export type Ended =
  | { readonly kind: 'ended'; readonly reservation: Reservation; readonly replayed: boolean }
  | { readonly kind: 'invalid'; readonly refusal: Refusal };

export interface ReservationsOptions {
  readonly journal: Pick<Journal, 'admit' | 'record'>;
  readonly limiter: Limiter;
  readonly ledger: Pick<UsageQueries, 'reservation' | 'reservations' | 'overdue'>;
  readonly payers: UsagePayers;
  readonly subjects: Pick<SubjectIds, 'of'>;
  readonly planOf: (accountId: string) => PlanInForce;
  /** Whether other nodes may end what this one has reserved. */
  readonly shared: boolean;
  /** Milliseconds of billing that have passed: setting the system's clock leaves them alone. */
  readonly passed: Elapsed;
  /** Waits until the ledger has seen a position, and all that was stored before now where none is given. */
  readonly ledgerReached: (position?: Position) => Promise<boolean>;
  /** Waits until the ledger has seen what other processes have stored before now. */
  readonly othersReached: () => Promise<boolean>;
}

/** The phases of one reservation, as far as this process knows. */
interface Known {
  readonly id: string;
  readonly accountId: string;
  readonly environment: Environment;
  readonly key: string;
  readonly at: number;
  readonly periods: readonly string[];
  readonly terms: ReservationTerms;
  readonly work: Work;
  /** The end customer, by the id that records have. */
  readonly subject: string | undefined;
  readonly phases: Partial<Record<Phase, { readonly meters: MeterAmounts; readonly position: Position }>>;
}

/** Reservations of which a node knows more than the ledger. */
const MAX_KNOWN = 50_000;

/** For so long at most, in milliseconds, an end by the clock alone waits for whoever has seen the time pass. */
const LONGEST_WAIT_MS = 3_600_000;

const UNKNOWN: Refusal = {
  code: 'NOT_FOUND',
  message: 'There is no reservation with this id.',
  field: 'reservationId',
};
const OTHERWISE: Refusal = {
  code: 'RESERVATION_ENDED',
  message: 'This reservation has ended otherwise.',
  field: 'reservationId',
};
const REUSED: Refusal = {
  code: 'COMMAND_ID_REUSED',
  message: 'This commandId was used before with another content. Send a new commandId.',
  field: 'commandId',
};

/**
 * Takes before the work and settles after it (decision 29). Reservation and end are records of one use id in phases:
 * what is stored in the journal decides, so that a repeat finds what was done, on whichever node, and a crash leaves
 * nothing that nobody can end.
 */
export class Reservations {
  readonly #known = new BoundedMap<Known>(MAX_KNOWN);
  /** Takes of this process that are open, where it alone counts. */
  readonly #takes = new BoundedMap<Taken>(MAX_KNOWN);
  /** When the time of those is over that this process has made, as time passes. */
  readonly #overAt = new Map<string, number>();
  /** Of others whose time is over by the clock: since when this process has seen that, as time passes. */
  readonly #seenOver = new BoundedMap<number>(MAX_KNOWN);
  readonly #locks = new Locks();

  constructor(private readonly options: ReservationsOptions) {}

  /** @throws Outage: nothing is taken that stays, and the same command can be sent again */
  reserve(reserving: Reserving, now: number): Promise<Reserved> {
    return this.#locks.run(reserving.id, () => this.#reserve(reserving, now));
  }

  /**
   * @param amounts what it came to; of meters that are not named, what was reserved
   * @param durationUs how long the work took, where that is known; a repeat says nothing new of it
   * @throws Outage: it can be sent again
   */
  settle(
    reporter: Reporter,
    id: string,
    amounts: MeterAmounts,
    now: number,
    durationUs?: number,
  ): Promise<Ended> {
    return this.#end(reporter, id, (reserved) => sorted({ ...reserved, ...amounts }), now, durationUs);
  }

  /** Gives all back. @throws Outage: it can be sent again */
  release(reporter: Reporter, id: string, now: number): Promise<Ended> {
    return this.#end(reporter, id, () => ({}), now);
  }

  /** Those that there are, in whatever order; of other nodes as far as the ledger has seen them. */
  async find(ids: readonly string[]): Promise<Reservation[]> {
    const rows = await this.options.ledger.reservations(ids);
    return ids.flatMap((id) => {
      const stored = knownOf(rows.filter(({ use_id: of }) => of === id));
      const known = merged(this.#known.get(id), stored);
      return known?.phases.reserved ? [shown(known)] : [];
    });
  }

  /** What it could not store counts after all: a repeat meets it. The limits are told by whoever calls. */
  proved({ groups, position }: ProvedBatch): void {
    for (const { account, uses } of groups) {
      for (const use of uses) {
        const { phase, replaces } = use;
        if (phase === undefined || phase === 'reserved' || replaces === undefined) continue;
        const known = this.#known.get(use.id) ?? (phase === 'final' ? knownOfUse(account, use) : undefined);
        if (known) this.#reached(known, phase, use.meters, position);
        // What it has taken stays: the limits are told the difference.
        this.#takes.get(use.id)?.settle({}, position);
        this.#takes.delete(use.id);
      }
    }
  }

  /**
   * Ends reservations whose time is over, as the terms say that they were made under. Their time is what has passed:
   * a clock that is ahead for a while ends none, and one that was set back holds none for longer. Of those of
   * another process the clock tells, and whoever is here waits as long again, as that process may be alive.
   */
  async expire(now: number, limit: number): Promise<number> {
    const passed = this.options.passed();
    const over = [...this.#overAt].flatMap(([id, at]) => (at <= passed ? [id] : [])).slice(0, limit);
    for (const row of await this.options.ledger.overdue(now, limit)) {
      if (!this.#overAt.has(row.use_id) && this.#hasWaited(row, passed)) over.push(row.use_id);
    }
    for (const id of over) await this.#locks.run(id, () => this.#expire(id, now));
    return over.length;
  }

  #hasWaited({ use_id: id, at, expires_at }: ReservationRow, passed: number): boolean {
    const since = this.#seenOver.get(id) ?? passed;
    this.#seenOver.set(id, since);
    return passed - since >= Math.min(Math.max(0, (expires_at ?? at) - at), LONGEST_WAIT_MS);
  }

  async #reserve(reserving: Reserving, now: number): Promise<Reserved> {
    const { journal, limiter, payers, planOf, shared, subjects, othersReached } = this.options;
    const { id, payer, work, terms } = reserving;
    const phase = reserving.final === true ? 'final' : 'reserved';
    const amounts = sorted(reserving.amounts);
    journal.admit();
    const plan = planOf(payer.accountId);
    const named = reserving.subject === undefined ? [] : [[payer.accountId, reserving.subject] as const];
    const [subject] = await subjects.of(named);
    const account = accountOf(payer, plan, now, payers, subject);
    const repeat = async (before: Known): Promise<Reserved> => {
      const first = before.phases.reserved ?? before.phases.final;
      const same =
        before.accountId === payer.accountId &&
        before.key === payer.keyId &&
        before.subject === subject &&
        first === before.phases[phase] &&
        equal(first?.meters ?? {}, amounts) &&
        equal(told(before.work), told(work));
      if (!same) return { kind: 'invalid', refusal: REUSED };
      const states = await limiter.states(account);
      return { kind: 'reserved', reservation: shown(before), replayed: true, states };
    };
    const before = await this.#find(id, false);
    if (before) return repeat(before);
    const take = await limiter.take({ ...account, useId: id, amounts, writes: true });
    if (take.kind !== 'taken') {
      // Another process may have taken it a moment ago, and left no room for a second time.
      const late = reserving.named && (await othersReached()) ? await this.#find(id, false) : undefined;
      if (late) return repeat(late);
      const passes = take.kind === 'refused' && Number.isFinite(take.retryAfterMs);
      return {
        kind: 'refused',
        code: take.kind === 'never' ? 'QUERY_COST_EXCEEDED' : refusalCode(take.limit),
        retryAfterMs: passes ? take.retryAfterMs : undefined,
        states: take.states,
      };
    }
    const { at, periods, states } = take;
    const known: Known = {
      id,
      accountId: payer.accountId,
      environment: payer.environment,
      key: payer.keyId,
      at,
      periods,
      terms,
      work,
      subject,
      phases: {},
    };
    let position: Position;
    try {
      position = await this.#record(
        known,
        plan,
        phase,
        amounts,
        reserving.final ? {} : undefined,
        isOver(states, amounts),
      );
    } catch (error) {
      take.undo();
      throw error;
    }
    if (phase === 'reserved' && this.#overAt.size < MAX_KNOWN) {
      this.#overAt.set(id, this.options.passed() + terms.expiresAt - now);
    }
    if (shared || reserving.final) take.settle(amounts, position);
    else {
      take.reserved(position);
      this.#takes.set(id, take);
    }
    const reservation = shown(this.#reached(known, phase, amounts, position));
    return { kind: 'reserved', reservation, replayed: false, states };
  }

  #end(
    reporter: Reporter,
    id: string,
    amountsOf: (reserved: MeterAmounts) => MeterAmounts,
    now: number,
    durationUs?: number,
  ): Promise<Ended> {
    return this.#locks.run(id, async () => {
      this.options.journal.admit();
      const known = await this.#find(id);
      if (!known || !mayEnd(reporter, known)) return { kind: 'invalid', refusal: UNKNOWN };
      const amounts = amountsOf(known.phases.reserved?.meters ?? {});
      const { final } = known.phases;
      if (final) {
        if (!equal(final.meters, amounts)) return { kind: 'invalid', refusal: OTHERWISE };
        return { kind: 'ended', reservation: shown(known), replayed: true };
      }
      const ended = await this.#move(known, 'final', amounts, now, durationUs);
      // Another node may have been faster: the first record counts.
      const { final: counted } = ended.phases;
      if (!counted || !equal(counted.meters, amounts)) return { kind: 'invalid', refusal: OTHERWISE };
      return { kind: 'ended', reservation: shown(ended), replayed: false };
    });
  }

  async #expire(id: string, now: number): Promise<void> {
    const known = await this.#find(id);
    const reserved = known?.phases.reserved;
    if (!known || !reserved || known.phases.expired || known.phases.final) {
      this.#overAt.delete(id);
      return;
    }
    await this.#move(known, 'expired', known.terms.onExpiry === 'charge' ? reserved.meters : {}, now);
  }

  /** Stores the next phase, and tells the limits what it changes. */
  async #move(
    known: Known,
    phase: 'expired' | 'final',
    amounts: MeterAmounts,
    now: number,
    durationUs?: number,
  ): Promise<Known> {
    const { id, at, phases, subject } = known;
    const { limiter, payers, planOf, shared, ledgerReached } = this.options;
    const standing = (phases.expired ?? phases.reserved)?.meters ?? {};
    const change = difference(standing, amounts);
    const plan = planOf(known.accountId);
    const payer = { accountId: known.accountId, environment: known.environment, keyId: known.key };
    const account = accountOf(payer, plan, now, payers, subject);
    const over = await this.#isOver(account, change);
    // Where nobody knows whether it is stored, that stays: the counters are loaded again.
    const noted = await limiter.announce([account]);
    const position = await this.#record(known, plan, phase, amounts, standing, over, durationUs);
    this.#overAt.delete(id);
    const take = this.#takes.get(id);
    this.#takes.delete(id);
    // Beyond what was taken nothing was asked: it counts all the same.
    const rest = take ? only(change, (amount) => amount > 0) : change;
    take?.settle({ ...zeros(standing), ...amounts }, position);
    if (Object.keys(rest).length > 0) {
      const counts = { day: at, month: at, 'billing-period': at, lifetime: at };
      await limiter.note([{ ...account, amounts: rest, at, counts, record: `${id}|${phase}`, position }]);
    }
    noted();
    const moved = this.#reached(known, phase, amounts, position);
    if (!shared) return moved;
    await ledgerReached(position);
    return (await this.#find(id)) ?? moved;
  }

  /** Whether it comes to more than was taken, and more than the limits have. */
  async #isOver(account: ReturnType<typeof accountOf>, change: MeterAmounts): Promise<boolean> {
    const more = only(change, (amount) => amount > 0);
    if (Object.keys(more).length === 0) return false;
    const states = await this.options.limiter.states(account);
    return states.some(({ limit, remaining }) => (more[limit.meter] ?? 0) > remaining);
  }

  async #find(id: string, wait = true): Promise<Known | undefined> {
    const { ledger, shared, ledgerReached } = this.options;
    const mine = this.#known.get(id);
    if (mine && !shared) return mine;
    let rows = await ledger.reservation(id);
    // Another node, or the process before this one, may have reserved it a moment ago.
    if (rows.length === 0 && !mine && wait && (await ledgerReached())) rows = await ledger.reservation(id);
    return merged(mine, knownOf(rows));
  }

  #reached(known: Known, phase: Phase, meters: MeterAmounts, position: Position): Known {
    const reached = { ...known, phases: { ...known.phases, [phase]: { meters, position } } };
    this.#known.set(known.id, reached);
    return reached;
  }

  #record(
    { id, accountId, environment, key, at, periods, terms, work, subject }: Known,
    plan: PlanInForce,
    phase: Phase,
    meters: MeterAmounts,
    replaces: MeterAmounts | undefined,
    over: boolean,
    durationUs = 0,
  ): Promise<Position> {
    const use = useRecord({
      actualCost: meters['cost'] ?? null,
      at,
      costVersion: meters['cost'] === undefined ? null : PRICED_ELSEWHERE,
      durationUs,
      endpoint: work.endpoint,
      environment,
      id,
      key,
      meters: sorted(meters),
      method: work.method,
      operation: work.operation,
      ...(over && { overLimit: true }),
      periods,
      phase,
      plan: plan.plan.id,
      planVersion: plan.version,
      ...(replaces && { replaces: sorted(replaces) }),
      ...(phase === 'reserved' && { reservation: terms }),
      source: work.source,
      ...(subject !== undefined && { subject }),
    });
    return this.options.journal.record(accountId, use);
  }
}

/** Whoever pays may not end what the back end has reserved: its work would never be billed. */
const mayEnd = (reporter: Reporter, { id, accountId, environment }: Known): boolean =>
  reporter.operator ||
  (isOwnReservation(id) && reporter.accountId === accountId && reporter.environment === environment);

const knownOfUse = (accountId: string, use: Use): Known => ({
  id: use.id,
  accountId,
  environment: use.environment,
  key: use.key,
  at: use.at,
  periods: use.periods,
  terms: use.reservation ?? { expiresAt: 0, onExpiry: 'release' },
  work: { endpoint: use.endpoint, method: use.method, operation: use.operation, source: use.source },
  subject: use.subject,
  phases: {},
});

/** @param rows as the ledger has them, `reserved` first */
function knownOf(rows: readonly ReservationRow[]): Known | undefined {
  const [first] = rows;
  if (first?.phase !== 'reserved' && first?.phase !== 'final') return undefined;
  const phases = Object.fromEntries(rows.map(({ phase, meters, position }) => [phase, { meters, position }]));
  return {
    id: first.use_id,
    accountId: first.account,
    environment: first.environment,
    key: first.key,
    at: first.at,
    periods: first.periods,
    terms: { expiresAt: first.expires_at ?? 0, onExpiry: first.on_expiry ?? 'release' },
    work: { endpoint: first.endpoint, method: first.method, operation: first.label, source: first.source },
    subject: first.subject ?? undefined,
    phases,
  };
}

/** What this process knows, with what is stored: another node may have ended it. */
const merged = (mine: Known | undefined, stored: Known | undefined): Known | undefined =>
  mine && stored ? { ...mine, phases: { ...mine.phases, ...stored.phases } } : (stored ?? mine);

function shown({ id, accountId, terms, phases }: Known): Reservation {
  const { reserved, expired, final } = phases;
  const last = final ?? expired ?? reserved;
  const released = final && Object.keys(final.meters).length === 0;
  return {
    id,
    accountId,
    status: released ? 'RELEASED' : final ? 'SETTLED' : expired ? 'EXPIRED' : 'RESERVED',
    held: final || expired ? {} : (reserved?.meters ?? {}),
    settled: (final ?? expired)?.meters ?? {},
    expiresAt: terms.expiresAt,
    position: last?.position ?? 0,
  };
}

const sorted = (amounts: MeterAmounts): MeterAmounts =>
  Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)));

const zeros = (amounts: MeterAmounts): MeterAmounts =>
  Object.fromEntries(Object.keys(amounts).map((meter) => [meter, 0]));

const only = (amounts: MeterAmounts, passes: (amount: number) => boolean): MeterAmounts =>
  Object.fromEntries(Object.entries(amounts).filter(([, amount]) => passes(amount)));

/** What has to be added to some amounts to make them others, without zeros. */
const difference = (from: MeterAmounts, to: MeterAmounts): MeterAmounts =>
  only(
    Object.fromEntries(
      [...new Set([...Object.keys(from), ...Object.keys(to)])].map((meter) => [
        meter,
        (to[meter] ?? 0) - (from[meter] ?? 0),
      ]),
    ),
    (amount) => amount !== 0,
  );

const equal = (a: object, b: object): boolean => canonicalJson(a) === canonicalJson(b);

/** As the ledger has it: what is empty was not told. */
const told = ({ endpoint, method, operation, source }: Work): object => ({
  endpoint,
  method,
  operation: operation || null,
  source: source || null,
});
