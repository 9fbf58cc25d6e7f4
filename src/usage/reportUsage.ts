import { compositeKey } from '../eventsourcing/compositeKey.js';
import type { Refusal } from '../eventsourcing/decider.js';
import type { Position } from '../eventsourcing/event.js';
import { START } from '../eventsourcing/event.js';
import type { PlanInForce } from '../plans/profile.js';
import { subjectLimitsOf } from '../plans/profile.js';
import type { Use } from './events.js';
import { contentOf, useHash } from './events.js';
import type { Journal, ProvedBatch } from './journal.js';
import type { KnownUses, Recent } from './knownUses.js';
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
  readonly journal: Pick<Journal, 'admit' | 'recordAll' | 'lastPosition'>;
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
  readonly placed: Placed & { readonly id: string };
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
    const fresh = new Map<string, Candidate>();
    const repeats: { readonly candidate: Candidate; readonly first: Recent }[] = [];
    const twice: Candidate[] = [];
    for (const candidate of candidates) {
      const first = known.recent(candidate.hash);
      if (first) repeats.push({ candidate, first });
      else if (fresh.has(candidate.hash)) twice.push(candidate);
      else fresh.set(candidate.hash, candidate);
    }
    let position: Position = START;
    if (fresh.size > 0) {
      const storing = this.#store([...fresh.values()], now, complete, results);
      known.add(fresh.values(), storing);
      for (const candidate of twice) {
        repeats.push({ candidate, first: known.recent(candidate.hash) as Recent });
      }
      position = await storing;
    }
    for (const { candidate, first } of repeats) {
      position = Math.max(position, await first.stored);
      results[candidate.place] = repeated(candidate, first);
    }
    const answered = results.map((result) => result ?? rejected(null, REUSED));
    return {
      results: answered,
      replayed: fresh.size === 0 || !answered.some(({ status }) => STORED.has(status)),
      position: Math.max(journal.lastPosition, position),
    };
  }

  /** What it could not store counts after all: a repeat is a duplicate. */
  proved({ groups, position }: ProvedBatch): void {
    const told = groups.flatMap(({ account, uses }) =>
      uses.flatMap((use) =>
        use.phase === 'final' ? [{ hash: useHash(account, use.id), content: contentOf(use) }] : [],
      ),
    );
    this.options.known.add(told, Promise.resolve(position));
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
    const places = new Places(now, rules.closeAfterMs);
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
        placed: places.of(one.at, plan),
        hash: useHash(accountId, one.useId),
        content: contentOf(told),
        subject,
        reportBy: rules.reportBy.filter((name) => Object.hasOwn(one.properties ?? {}, name)),
      };
    });
  }

  /** @returns the newest position of what was stored, now or before */
  async #store(
    fresh: readonly Candidate[],
    now: number,
    complete: boolean,
    results: (Reported | undefined)[],
  ): Promise<Position> {
    const { journal, known, limiter } = this.options;
    const inLedger = await known.ledgerKnows(fresh.map(({ hash }) => hash));
    const byHash = new Map<string, (typeof inLedger)[number]>();
    for (const phase of inLedger) {
      const before = byHash.get(phase.hash);
      if (before?.phase !== 'final') byHash.set(phase.hash, phase);
    }
    let newest: Position = START;
    const unknown = fresh.filter((candidate) => {
      const first = byHash.get(candidate.hash);
      if (!first) return true;
      const refusal = first.phase === 'final' ? undefined : RESERVED;
      known.correct(candidate.hash, { content: first.content, refusal });
      results[candidate.place] = repeated(candidate, { content: first.content, refusal });
      newest = Math.max(newest, first.position);
      return false;
    });
    const subjects = new Subjects(now, this.options.payers);
    const over = await this.#overLimit(unknown, subjects, now);
    const announced = await limiter.announce(subjects.accounts);
    const outcomes = await journal.recordAll(
      unknown.map((candidate, i) => ({
        account: candidate.payer.accountId,
        use: useOf(candidate, over[i] === true),
      })),
    );
    // Of a report that is torn some may be stored: they count, and are duplicates when they come again.
    const stored: (readonly [Candidate, Position])[] = [];
    let lost: Error | undefined;
    for (const [i, outcome] of outcomes.entries()) {
      const candidate = unknown[i] as Candidate;
      if (outcome instanceof Error) {
        lost ??= outcome;
        continue;
      }
      const plain = complete ? 'ACCEPTED' : 'PROVISIONAL';
      const status = over[i] === true ? 'OVER_LIMIT' : candidate.placed.late ? 'LATE' : plain;
      results[candidate.place] = { useId: candidate.judged.useId, status, refusal: null };
      stored.push([candidate, outcome]);
      newest = Math.max(newest, outcome);
    }
    try {
      await limiter.note(notedOf(stored, subjects, now));
      if (lost) throw lost;
    } catch (error) {
      for (const [candidate, position] of stored) known.add([candidate], Promise.resolve(position));
      throw error;
    }
    announced();
    return newest;
  }

  /** Which uses stand above a limit, as far as this node knows at that moment. */
  async #overLimit(candidates: readonly Candidate[], subjects: Subjects, now: number): Promise<boolean[]> {
    /** By limit, what is used with the uses before. */
    const used = new Map<string, number>();
    const over: boolean[] = [];
    for (const candidate of candidates) {
      const { plan, judged, placed } = candidate;
      const subject = subjects.of(candidate);
      const { account } = subject;
      if (!subject.states) {
        const none = partsOf(account).every(({ limits }) => limits.length === 0);
        subject.states = none ? [] : await this.options.limiter.states(account);
      }
      let above = false;
      for (const state of subject.states) {
        const { limit } = state;
        if (limit.meter !== judged.meter || !countsIn(state, plan, placed, judged.at, now)) continue;
        const { accountId, environment, key, customer } = account;
        const whose = { key: key?.id, subject: customer?.id, plan: undefined }[limit.source ?? 'plan'];
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

/** An account with a key and an end customer, for whom uses of a report are counted. */
interface SubjectOfReport {
  readonly number: number;
  readonly account: Account;
  states?: readonly LimitState[];
}

/** Where uses of one report count. Those of one moment count in the same periods. */
class Places {
  #last:
    | (Pick<PlanInForce, 'anchors' | 'ended'> & { readonly at: number; readonly placed: Candidate['placed'] })
    | undefined;

  constructor(
    private readonly now: number,
    private readonly closeAfterMs: number,
  ) {}

  of(at: number, { anchors, ended }: PlanInForce): Candidate['placed'] {
    const last = this.#last;
    if (last?.at === at && last.anchors === anchors && last.ended === ended) return last.placed;
    const placed = placeUse(at, this.now, anchors, this.closeAfterMs, ended);
    this.#last = { at, anchors, ended, placed: { ...placed, id: compositeKey(...placed.periods) } };
    return this.#last.placed;
  }
}

/** Those of one report, each once. Uses that follow each other are mostly for the same. */
class Subjects {
  readonly #all = new Map<string, SubjectOfReport>();
  #last: { readonly of: Candidate; readonly subject: SubjectOfReport } | undefined;

  constructor(
    private readonly now: number,
    private readonly payers: Pick<UsagePayers, 'limitsOf'>,
  ) {}

  get accounts(): Account[] {
    return Array.from(this.#all.values(), ({ account }) => account);
  }

  of(candidate: Candidate): SubjectOfReport {
    if (this.#last && isSameSubject(this.#last.of, candidate)) return this.#last.subject;
    const { payer, plan } = candidate;
    const customer = customerOf(candidate);
    const id = compositeKey(payer.accountId, payer.environment, payer.keyId, customer);
    let subject = this.#all.get(id);
    if (!subject) {
      subject = { number: this.#all.size, account: accountOf(payer, plan, this.now, this.payers, customer) };
      this.#all.set(id, subject);
    }
    this.#last = { of: candidate, subject };
    return subject;
  }
}

const isSameSubject = (a: Candidate, b: Candidate): boolean =>
  a.payer.accountId === b.payer.accountId &&
  a.payer.environment === b.payer.environment &&
  a.payer.keyId === b.payer.keyId &&
  a.subject === b.subject;

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

function repeated({ judged, content }: Candidate, first: Pick<Recent, 'content' | 'refusal'>): Reported {
  if (first.refusal) return rejected(judged.useId, first.refusal);
  if (first.content !== content) return rejected(judged.useId, REUSED);
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

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What the limits have to know: one for all that is counted alike. */
function notedOf(
  stored: readonly (readonly [Candidate, Position])[],
  subjects: Subjects,
  now: number,
): Noted[] {
  const sums = new Map<string, Noted & { readonly amounts: Record<string, number> }>();
  for (const [candidate, position] of stored) {
    const { placed, judged } = candidate;
    const { number, account } = subjects.of(candidate);
    const age = now - judged.at;
    const windows = age < MINUTE_MS ? 'minute' : age < HOUR_MS ? 'hour' : 'none';
    const { day, month, 'billing-period': billing } = placed.counts;
    const present = [day, month, billing].map((counted) => (counted === now ? 1 : 0)).join('');
    const id = `${number} ${position} ${windows} ${present} ${placed.id}`;
    let sum = sums.get(id);
    if (!sum) {
      sum = { ...account, amounts: {}, at: judged.at, counts: placed.counts, record: '', position };
      sums.set(id, sum);
    }
    sum.amounts[judged.meter] = (sum.amounts[judged.meter] ?? 0) + judged.amount;
  }
  return [...sums.values()];
}
