import { compositeKey } from '../eventsourcing/compositeKey.js';
import type { Refusal } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import type { PlanInForce } from '../plans/profile.js';
import { subjectLimitsOf } from '../plans/profile.js';
import type { Use } from './events.js';
import { contentOf, useHash } from './events.js';
import type { Journal, ProvedBatch } from './journal.js';
import type { KnownUses } from './knownUses.js';
import type { Account, Limiter, LimitState, Noted } from './limiter.js';
import { partsOf } from './limiter.js';
import { isFixed, periodAt } from './periods.js';
import type { Placed } from './placing.js';
import { placeUse } from './placing.js';
import type { Reporter, UsagePayers } from './payers.js';
import type { JudgedUse, Payer, Rules, UnjudgedUse } from './reportedUse.js';
import { judgeUse } from './reportedUse.js';
import type { SubjectIds } from './subjectIds.js';
import { useRecord } from './useRecord.js';

/** What came of a use. */
export type ReportStatus = 'ACCEPTED' | 'PROVISIONAL' | 'LATE' | 'OVER_LIMIT' | 'DUPLICATE' | 'REJECTED';

export interface Reported {
  /** As it was given; null where it was no text. */
  readonly useId: string | null;
  readonly status: ReportStatus;
  /** Why it was rejected. */
  readonly refusal: Refusal | null;
}

export interface Report {
  /** In the order of the uses. */
  readonly results: readonly Reported[];
  /** Whether all that could be taken was there already. */
  readonly replayed: boolean;
  /** Of the newest record. */
  readonly position: Position;
}

export interface RecordUsageOptions {
  readonly journal: Pick<Journal, 'admit' | 'record' | 'lastPosition'>;
  readonly limiter: Limiter;
  readonly known: KnownUses;
  readonly payers: UsagePayers;
  readonly subjects: Pick<SubjectIds, 'of'>;
  readonly planOf: (accountId: string) => PlanInForce;
  readonly rules: () => Omit<Rules, 'now'> & {
    readonly closeAfterMs: number;
    /** Properties that reports go by. */
    readonly reportBy: readonly string[];
  };
  /** Whether no other node can have stored what the ledger has not: what it knows is then all. */
  readonly complete: () => Promise<boolean>;
}

/** A use that is to be stored. */
interface Candidate {
  readonly place: number;
  readonly judged: JudgedUse;
  readonly payer: Payer;
  readonly plan: PlanInForce;
  readonly placed: Placed;
  readonly hash: string;
  readonly content: string;
  readonly subject: string | undefined;
  /** Its properties that reports go by. */
  readonly reportBy: readonly string[];
}

const REUSED: Refusal = {
  code: 'USE_ID_REUSED',
  message: 'A use with this id is stored that says something else. Correct that one, or send a new id.',
  field: 'useId',
};

const RESERVED: Refusal = {
  code: 'USE_ID_REUSED',
  message: 'This id is of a reservation. Settle it with settleReservation.',
  field: 'useId',
};

/**
 * Records what back ends report (decision 12): facts, which no limit refuses. Each use is judged by itself, and
 * stored when this resolves; its id counts once, for ever.
 */
export class RecordUsage {
  constructor(private readonly options: RecordUsageOptions) {}

  /** @throws Outage: what was stored counts, and the same uses can be sent again */
  async execute(reporter: Reporter, uses: readonly UnjudgedUse[], now: number): Promise<Report> {
    const { journal, known } = this.options;
    journal.admit();
    const results = new Array<Reported | undefined>(uses.length);
    const candidates = await this.#candidates(reporter, uses, now, results);
    const complete = await this.options.complete();
    // In one go with the look at what is remembered: of two calls with one id, one stores it.
    const fresh: (Candidate & { readonly decided: Deferred })[] = [];
    const repeats: { readonly candidate: Candidate; readonly first: ReturnType<KnownUses['recent']> }[] = [];
    for (const candidate of candidates) {
      const first = known.recent(candidate.hash);
      if (first) {
        repeats.push({ candidate, first });
        continue;
      }
      const decided = deferred();
      known.add(candidate.hash, candidate.content, decided.promise);
      fresh.push({ ...candidate, decided });
    }
    let positions: Position[];
    try {
      positions = await this.#store(fresh, now, complete, results);
    } catch (error) {
      for (const { decided } of fresh) decided.reject(error);
      throw error;
    }
    for (const { candidate, first } of repeats) {
      positions.push((await first?.stored) ?? 0);
      results[candidate.place] = repeated(candidate, first?.content);
    }
    const answered = results.map((result) => result ?? rejected(null, REUSED));
    return {
      results: answered,
      replayed: fresh.length === 0 || !answered.some(({ status }) => STORED.has(status)),
      position: Math.max(journal.lastPosition, ...positions.slice(0, 1), ...positions.slice(-1)),
    };
  }

  /** What it could not store counts after all: a repeat is a duplicate. */
  proved({ groups, position }: ProvedBatch): void {
    for (const { account, uses } of groups) {
      for (const use of uses) {
        if (use.phase !== 'final') continue;
        this.options.known.add(useHash(account, use.id), contentOf(use), Promise.resolve(position));
      }
    }
  }

  /** Judges all, and fills in the results of those that cannot be taken. */
  async #candidates(
    reporter: Reporter,
    uses: readonly UnjudgedUse[],
    now: number,
    results: (Reported | undefined)[],
  ): Promise<Candidate[]> {
    const { payers, planOf, subjects } = this.options;
    const rules = this.options.rules();
    const judged = uses.map((use) => judgeUse(use, { ...rules, now }));
    const sound = judged.flatMap((one, place) => ('code' in one ? [] : [{ place, judged: one }]));
    for (const [place, one] of judged.entries()) {
      if ('code' in one) results[place] = rejected(uses[place]?.useId, one);
    }
    const found = await payers.of(
      reporter,
      sound.map((one) => one.judged),
    );
    const paid = sound.flatMap((one, i) => {
      const payer = found[i] as Payer | Refusal;
      if (!('code' in payer)) return [{ ...one, payer }];
      results[one.place] = rejected(one.judged.useId, payer);
      return [];
    });
    const named = paid.flatMap(({ judged: { subject }, payer }) =>
      subject === undefined ? [] : [[payer.accountId, subject] as const],
    );
    const ids = await subjects.of(named);
    return paid.map(({ place, judged: one, payer }): Candidate => {
      const subject = one.subject === undefined ? undefined : ids.shift();
      const plan = planOf(payer.accountId);
      const { environment, keyId: key, accountId } = payer;
      const told = { ...one.call, environment, key, properties: one.properties, subject, ...countedOf(one) };
      return {
        place,
        judged: one,
        payer,
        plan,
        placed: placeUse(one.at, now, plan.anchors, rules.closeAfterMs),
        hash: useHash(accountId, one.useId),
        content: contentOf(told),
        subject,
        reportBy: rules.reportBy.filter((name) => Object.hasOwn(one.properties ?? {}, name)),
      };
    });
  }

  async #store(
    fresh: readonly (Candidate & { readonly decided: Deferred })[],
    now: number,
    complete: boolean,
    results: (Reported | undefined)[],
  ): Promise<Position[]> {
    const { journal, known, limiter } = this.options;
    const inLedger = await known.ledgerKnows(fresh.map(({ hash }) => hash));
    const byHash = new Map<string, (typeof inLedger)[number]>();
    for (const phase of inLedger) {
      const before = byHash.get(phase.hash);
      if (before?.phase !== 'final') byHash.set(phase.hash, phase);
    }
    const unknown = fresh.filter((candidate) => {
      const first = byHash.get(candidate.hash);
      if (!first) return true;
      const { useId } = candidate.judged;
      results[candidate.place] =
        first.phase === 'final' ? repeated(candidate, first.content) : rejected(useId, RESERVED);
      candidate.decided.resolve(first.position);
      return false;
    });
    const over = await this.#overLimit(unknown, now);
    const announced = await limiter.announce(accountsOf(unknown, now, this.options.payers));
    const settled = await Promise.allSettled(
      unknown.map(async (candidate, i) => {
        const { judged, payer, placed, place, decided } = candidate;
        const position = await journal.record(payer.accountId, useOf(candidate, over[i] === true));
        decided.resolve(position);
        const plain = complete ? 'ACCEPTED' : 'PROVISIONAL';
        const status = over[i] === true ? 'OVER_LIMIT' : placed.late ? 'LATE' : plain;
        results[place] = { useId: judged.useId, status, refusal: null };
        return position;
      }),
    );
    // Of a report that is torn some may be stored: they count, and are duplicates when they come again.
    const stored = settled.flatMap((outcome, i) =>
      outcome.status === 'fulfilled' ? [[unknown[i] as Candidate, outcome.value] as const] : [],
    );
    await limiter.note(notedOf(stored, now, this.options.payers));
    for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
    announced();
    return stored.map(([, position]) => position);
  }

  /** Which uses stand above a limit, as far as this node knows at that moment. */
  async #overLimit(candidates: readonly Candidate[], now: number): Promise<boolean[]> {
    const standing = new Map<string, readonly LimitState[]>();
    /** By limit, what is used with the uses before. */
    const used = new Map<string, number>();
    const over: boolean[] = [];
    for (const candidate of candidates) {
      const { payer, plan, judged, placed } = candidate;
      const { accountId, environment, keyId } = payer;
      const customer = customerOf(candidate);
      const id = compositeKey(accountId, environment, keyId, customer);
      let states = standing.get(id);
      if (!states) {
        const account = accountOf(payer, plan, now, this.options.payers, customer);
        const none = partsOf(account).every(({ limits }) => limits.length === 0);
        standing.set(id, (states = none ? [] : await this.options.limiter.states(account)));
      }
      let above = false;
      for (const state of states) {
        const { limit } = state;
        if (limit.meter !== judged.meter || !countsIn(state, plan, placed, judged.at, now)) continue;
        const whose = { key: keyId, subject: customer, plan: undefined }[limit.source ?? 'plan'];
        const name = compositeKey(accountId, environment, limit.source, whose, limit.id);
        const after = (used.get(name) ?? state.used) + judged.amount;
        used.set(name, after);
        above ||= after > limit.amount;
      }
      over.push(above);
    }
    return over;
  }
}

const STORED: ReadonlySet<ReportStatus> = new Set(['ACCEPTED', 'PROVISIONAL', 'LATE', 'OVER_LIMIT']);

/** Whether a use counts in the window that the limit stands in now. */
function countsIn(
  { limit: { window }, windowMs }: LimitState,
  { anchors }: PlanInForce,
  { counts }: Placed,
  at: number,
  now: number,
): boolean {
  if (!isFixed(window)) return now - at < windowMs;
  return periodAt(window, counts[window], anchors).id === periodAt(window, now, anchors).id;
}

export function accountOf(
  { accountId, environment, keyId }: Payer,
  { plan, anchors }: PlanInForce,
  now: number,
  payers: Pick<UsagePayers, 'limitsOf'>,
  /** The end customer, by the id that records have. */
  subject?: string,
): Account {
  const key = keyId === '' ? undefined : { id: keyId, limits: payers.limitsOf(keyId) };
  const customer = subject === undefined ? undefined : { id: subject, limits: subjectLimitsOf(plan) };
  return { accountId, environment, limits: plan.limits, anchors, key, customer, now };
}

/** The end customer that a use is counted for; undefined where the plan limits none. */
const customerOf = ({ plan, subject }: Candidate): string | undefined =>
  plan.plan.subjectLimits ? subject : undefined;

function rejected(useId: unknown, refusal: Refusal): Reported {
  return { useId: typeof useId === 'string' ? useId : null, status: 'REJECTED', refusal };
}

function repeated({ judged, content }: Candidate, first: string | undefined): Reported {
  if (first !== content) return rejected(judged.useId, REUSED);
  return { useId: judged.useId, status: 'DUPLICATE', refusal: null };
}

/** What a use adds, or what it says of a meter whose uses do not add up. */
const countedOf = ({ meter, amount, reading }: JudgedUse): Pick<Use, 'meters' | 'readings'> =>
  reading ? { meters: {}, readings: { [meter]: reading } } : { meters: { [meter]: amount } };

const useOf = ({ judged, payer, plan, placed, subject, reportBy }: Candidate, over: boolean): Use =>
  useRecord({
    ...judged.call,
    at: judged.at,
    environment: payer.environment,
    id: judged.useId,
    key: payer.keyId,
    ...(placed.late && { late: true }),
    ...countedOf(judged),
    ...(over && { overLimit: true }),
    periods: placed.periods,
    phase: 'final',
    plan: plan.plan.id,
    planVersion: plan.version,
    ...(judged.properties && { properties: judged.properties }),
    ...(reportBy.length > 0 && { reportBy }),
    ...(subject !== undefined && { subject }),
  });

/** Whose counters the uses are noted in, each once. */
function accountsOf(
  candidates: readonly Candidate[],
  now: number,
  payers: Pick<UsagePayers, 'limitsOf'>,
): Account[] {
  const accounts = new Map<string, Account>();
  for (const candidate of candidates) {
    const { payer, plan } = candidate;
    const customer = customerOf(candidate);
    const id = compositeKey(payer.accountId, payer.environment, payer.keyId, customer);
    if (!accounts.has(id)) accounts.set(id, accountOf(payer, plan, now, payers, customer));
  }
  return [...accounts.values()];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What the limits have to know: one for all that is counted alike. */
function notedOf(
  stored: readonly (readonly [Candidate, Position])[],
  now: number,
  payers: Pick<UsagePayers, 'limitsOf'>,
): Noted[] {
  const sums = new Map<string, Noted & { readonly amounts: Record<string, number> }>();
  for (const [candidate, position] of stored) {
    const { payer, plan, placed, judged } = candidate;
    const customer = customerOf(candidate);
    const age = now - judged.at;
    const windows = age < MINUTE_MS ? 'minute' : age < HOUR_MS ? 'hour' : 'none';
    const { day, month, 'billing-period': billing } = placed.counts;
    const id = compositeKey(
      payer.accountId,
      payer.environment,
      payer.keyId,
      customer,
      position,
      windows,
      ...placed.periods,
      day === now ? 1 : 0,
      month === now ? 1 : 0,
      billing === now ? 1 : 0,
    );
    let sum = sums.get(id);
    if (!sum) {
      const account = accountOf(payer, plan, now, payers, customer);
      sum = { ...account, amounts: {}, at: judged.at, counts: placed.counts, record: '', position };
      sums.set(id, sum);
    }
    sum.amounts[judged.meter] = (sum.amounts[judged.meter] ?? 0) + judged.amount;
  }
  return [...sums.values()];
}

interface Deferred {
  readonly promise: Promise<Position>;
  resolve(position: Position): void;
  reject(error: unknown): void;
}

function deferred(): Deferred {
  let resolve!: Deferred['resolve'];
  let reject!: Deferred['reject'];
  const promise = new Promise<Position>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits is told; nobody has to wait.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
