import { compositeKey } from '../../eventsourcing/compositeKey.js';
import type { Position } from '../../eventsourcing/event.js';
import { START } from '../../eventsourcing/event.js';
import type { PlanInForce } from '../../plans/profile.js';
import type { Use } from '../events.js';
import type { Journal } from '../journal/journal.js';
import type { KnownUses } from './knownUses.js';
import type { Account, Limiter, LimitState, Noted } from '../limits/limiter.js';
import { partsOf } from '../limits/limiter.js';
import type { UsagePayers } from './payers.js';
import { accountOf } from './payers.js';
import { isFixed, periodAt } from '../limits/periods.js';
import type { Placed } from './placing.js';
import type { Reported } from './reported.js';
import { repeated, RESERVED } from './reported.js';
import type { JudgedUse, Payer } from './reportedUse.js';
import { useRecord } from '../journal/useRecord.js';

/** A use that is to be stored. */
export interface Candidate {
  /** In its report. */
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

/** What one report has to store. */
interface Storing {
  readonly fresh: readonly Candidate[];
  /** When it came, milliseconds since the epoch. */
  readonly now: number;
  /** Of the report. */
  readonly results: (Reported | undefined)[];
  /** Of the call that brought it, where that is traced. */
  readonly traceparent: string | undefined;
  /** With the newest position of what was stored, now or before. */
  readonly resolve: (position: Position) => void;
  readonly reject: (error: unknown) => void;
}

/** A use of a report. */
interface Told {
  readonly candidate: Candidate;
  readonly report: Storing;
}

/** One that is in the journal. */
interface Stored extends Told {
  readonly position: Position;
}

/** Uses of a report that shares a turn: for those of a larger one the others would wait. */
const MAX_SHARED = 50;

/** Accounts, keys and end customers whose limits are looked at together. */
const LOOKED_AT_ONCE = 50;

export interface ReportStoreOptions {
  readonly journal: Pick<Journal, 'recordAll' | 'traceparent'>;
  readonly limiter: Limiter;
  readonly known: Pick<KnownUses, 'ledgerKnows' | 'correct' | 'add'>;
  readonly payers: Pick<UsagePayers, 'limitsOf'>;
  /** Whether no other node can have stored what the ledger has not: what it knows is then all. */
  readonly complete: () => Promise<boolean>;
}

/**
 * Stores what reports say. Those that come in one turn of the event loop are stored together and share what that
 * costs: one look at the ledger, one at the limits, one announcement. What one of them meets does not hinder the
 * others, unless it is everybody's: the ledger, the store or the shared limits are away.
 */
export class ReportStore {
  #storing: Storing[] = [];

  constructor(private readonly options: ReportStoreOptions) {}

  /**
   * @param now when they were reported, milliseconds since the epoch
   * @param results of the report, which are filled in
   * @returns the newest position of what was stored, now or before
   * @throws Outage where some of them could not be stored, or not for certain
   */
  store(fresh: readonly Candidate[], now: number, results: (Reported | undefined)[]): Promise<Position> {
    return new Promise((resolve, reject) => {
      const { traceparent } = this.options.journal;
      const report: Storing = { fresh, now, results, traceparent, resolve, reject };
      if (fresh.length > MAX_SHARED) void this.#storeTurn([report]);
      else if (this.#storing.push(report) === 1) {
        setImmediate(() => void this.#storeTurn(this.#storing.splice(0)));
      }
    });
  }

  async #storeTurn(reports: readonly Storing[]): Promise<void> {
    try {
      await this.#storeAll(reports);
    } catch (error) {
      for (const { reject } of reports) reject(error);
    }
  }

  async #storeAll(reports: readonly Storing[]): Promise<void> {
    const { journal, known, limiter } = this.options;
    const complete = await this.options.complete();
    const newest = new Map<Storing, Position>();
    const unseen = await this.#unseen(reports, newest);
    const now = Math.max(...reports.map((report) => report.now));
    const subjects = new Subjects(now, this.options.payers);
    const unknown = await this.#looked(unseen, subjects);
    const over = overLimit(unknown, subjects, now);
    const accounts = new Set(unknown.map(({ candidate }) => subjects.of(candidate).account));
    const announced = await limiter.announce([...accounts]);
    const outcomes = await journal.recordAll(
      unknown.map(({ candidate, report: { traceparent } }, i) => ({
        account: candidate.payer.accountId,
        use: useOf(candidate, over[i] === true),
        traceparent,
      })),
    );
    // Of a report that is torn some may be stored: they count, and are duplicates when they come again.
    const stored: Stored[] = [];
    const lost = new Map<Storing, Error>();
    for (const [i, { candidate, report }] of unknown.entries()) {
      const outcome = outcomes[i] as Position | Error;
      if (outcome instanceof Error) {
        if (!lost.has(report)) lost.set(report, outcome);
        continue;
      }
      const plain = complete ? 'ACCEPTED' : 'PROVISIONAL';
      const status = over[i] === true ? 'OVER_LIMIT' : candidate.placed.late ? 'LATE' : plain;
      const { place, judged, placed } = candidate;
      report.results[place] = { useId: judged.useId, status, late: placed.late, refusal: null };
      stored.push({ candidate, report, position: outcome });
      newest.set(report, Math.max(newest.get(report) ?? START, outcome));
    }
    const remember = (torn: (report: Storing) => boolean): void => {
      for (const { candidate, report, position } of stored) {
        if (torn(report)) known.add([candidate], Promise.resolve(position));
      }
    };
    try {
      await limiter.note(notedOf(stored, subjects));
    } catch (error) {
      remember(() => true);
      throw error;
    }
    remember((report) => lost.has(report));
    if (lost.size === 0) announced();
    for (const report of reports) {
      const error = lost.get(report);
      if (error) report.reject(error);
      else report.resolve(newest.get(report) ?? START);
    }
  }

  /**
   * What the ledger does not know: all else is repeated, which its reports are told.
   * @param newest filled with the newest position of each report
   */
  async #unseen(reports: readonly Storing[], newest: Map<Storing, Position>): Promise<readonly Told[]> {
    const { known } = this.options;
    const inLedger = await known.ledgerKnows(reports.flatMap(({ fresh }) => fresh.map(({ hash }) => hash)));
    const byHash = new Map<string, (typeof inLedger)[number]>();
    for (const phase of inLedger) {
      const before = byHash.get(phase.hash);
      if (before?.phase !== 'final') byHash.set(phase.hash, phase);
    }
    const unseen: Told[] = [];
    for (const report of reports) {
      let position: Position = START;
      for (const candidate of report.fresh) {
        const first = byHash.get(candidate.hash);
        if (!first) {
          unseen.push({ candidate, report });
          continue;
        }
        const refusal = first.phase === 'final' ? undefined : RESERVED;
        known.correct(candidate.hash, { content: first.content, refusal });
        report.results[candidate.place] = repeated(candidate, { content: first.content, refusal });
        position = Math.max(position, first.position);
      }
      newest.set(report, position);
    }
    return unseen;
  }

  /**
   * Looks where the limits stand of all that is counted for, and ends the reports of those where nobody can tell.
   * @returns what is left
   */
  async #looked(told: readonly Told[], subjects: Subjects): Promise<readonly Told[]> {
    const { limiter } = this.options;
    const all = [...new Set(told.map(({ candidate }) => subjects.of(candidate)))];
    const look = async (subject: SubjectOfReport): Promise<void> => {
      const { account } = subject;
      if (partsOf(account).every(({ limits }) => limits.length === 0)) return;
      try {
        subject.states = await limiter.states(account);
      } catch (error) {
        subject.problem = { error };
      }
    };
    const failed = new Set<Storing>();
    for (let i = 0; i < all.length; i += LOOKED_AT_ONCE) {
      const some = all.slice(i, i + LOOKED_AT_ONCE);
      await Promise.all(some.map(look));
      if (!some.some(({ problem }) => problem)) continue;
      for (const { candidate, report } of told) {
        const { problem } = subjects.of(candidate);
        if (!problem) continue;
        failed.add(report);
        report.reject(problem.error);
      }
      // Of an outage each of them would wait.
      if (told.every(({ report }) => failed.has(report))) break;
    }
    return failed.size === 0 ? told : told.filter(({ report }) => !failed.has(report));
  }
}

/** Which uses stand above a limit, as far as this node knows at that moment. */
function overLimit(told: readonly Told[], subjects: Subjects, now: number): boolean[] {
  /** By limit, what is used with the uses before. */
  const used = new Map<string, number>();
  return told.map(({ candidate }) => {
    const { plan, judged, placed } = candidate;
    const { account, states } = subjects.of(candidate);
    let above = false;
    for (const state of states) {
      const { limit } = state;
      if (limit.meter !== judged.meter || !countsIn(state, plan, placed, judged.at, now)) continue;
      const { accountId, environment, key, customer } = account;
      const whose = { key: key?.id, subject: customer?.id, plan: undefined }[limit.source ?? 'plan'];
      const name = compositeKey(accountId, environment, limit.source, whose, limit.id);
      const after = (used.get(name) ?? state.used) + judged.amount;
      used.set(name, after);
      above ||= after > limit.amount;
    }
    return above;
  });
}

/** An account with a key and an end customer, for whom uses of a report are counted. */
interface SubjectOfReport {
  readonly number: number;
  readonly account: Account;
  /** Where its limits stand. */
  states: readonly LimitState[];
  /** Why nobody can tell. */
  problem?: { readonly error: unknown };
}

/** Those of one report, each once. Uses that follow each other are mostly for the same. */
class Subjects {
  readonly #all = new Map<string, SubjectOfReport>();
  #last: { readonly of: Candidate; readonly subject: SubjectOfReport } | undefined;

  constructor(
    private readonly now: number,
    private readonly payers: Pick<UsagePayers, 'limitsOf'>,
  ) {}

  of(candidate: Candidate): SubjectOfReport {
    if (this.#last && isSameSubject(this.#last.of, candidate)) return this.#last.subject;
    const { payer, plan } = candidate;
    const customer = customerOf(candidate);
    const id = compositeKey(payer.accountId, payer.environment, payer.keyId, customer);
    let subject = this.#all.get(id);
    if (!subject) {
      const account = accountOf(payer, plan, this.now, this.payers, customer);
      subject = { number: this.#all.size, account, states: [] };
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

/** The end customer that a use is counted for; undefined where the plan limits none. */
const customerOf = ({ plan, subject }: Candidate): string | undefined =>
  plan.plan.subjectLimits ? subject : undefined;

/** What a use adds, or what it says of a meter whose uses do not add up. */
export const countedOf = ({ meter, amount, reading }: JudgedUse): Pick<Use, 'meters' | 'readings'> =>
  reading ? { meters: {}, readings: { [meter]: reading } } : { meters: { [meter]: amount } };

const useOf = ({ judged, payer, plan, placed, subject, reportBy }: Candidate, over: boolean): Use =>
  useRecord({
    ...judged.call,
    at: judged.at,
    environment: payer.environment,
    id: judged.id,
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
function notedOf(stored: readonly Stored[], subjects: Subjects): Noted[] {
  const sums = new Map<string, Noted & { readonly amounts: Record<string, number> }>();
  for (const { candidate, report, position } of stored) {
    const { now } = report;
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
