import { compositeKey } from '../../eventsourcing/compositeKey.js';
import type { Refusal } from '../../eventsourcing/decider.js';
import type { Position } from '../../eventsourcing/event.js';
import { START } from '../../eventsourcing/event.js';
import type { PlanInForce } from '../../plans/profile.js';
import { contentOf, useHash } from '../events.js';
import type { Journal, ProvedBatch } from '../journal/journal.js';
import type { KnownUses, Recent } from './knownUses.js';
import type { Reporter, UsagePayers } from './payers.js';
import { placeUse } from './placing.js';
import type { Reported, ReportStatus } from './reported.js';
import { rejected, repeated, REUSED } from './reported.js';
import type { Payer, Rules, UnjudgedUse } from './reportedUse.js';
import { judgeUse } from './reportedUse.js';
import type { Candidate, ReportStoreOptions } from './reportStore.js';
import { countedOf, ReportStore } from './reportStore.js';
import type { SubjectIds } from './subjectIds.js';

export interface Report {
  /** In the order of the uses. */
  readonly results: readonly Reported[];
  /** Whether all that could be taken was there already. */
  readonly replayed: boolean;
  /** Of the newest record. */
  readonly position: Position;
}

export interface RecordUsageOptions extends ReportStoreOptions {
  readonly journal: ReportStoreOptions['journal'] & Pick<Journal, 'admit' | 'lastPosition'>;
  readonly known: KnownUses;
  readonly payers: UsagePayers;
  readonly subjects: Pick<SubjectIds, 'of'>;
  readonly planOf: (accountId: string) => PlanInForce;
  readonly rules: () => Omit<Rules, 'now' | 'operator'> & {
    readonly closeAfterMs: number;
    /** Properties that reports go by. */
    readonly reportBy: readonly string[];
  };
}

/**
 * Records what back ends report (decision 12): facts, which no limit refuses. Each use is judged by itself, and
 * stored when this resolves; its id counts once, for ever.
 */
export class RecordUsage {
  readonly #store: ReportStore;

  constructor(private readonly options: RecordUsageOptions) {
    this.#store = new ReportStore(options);
  }

  /** @throws Outage: what was stored counts, and the same uses can be sent again */
  async execute(reporter: Reporter, uses: readonly UnjudgedUse[], now: number): Promise<Report> {
    const { journal, known } = this.options;
    journal.admit();
    const results = new Array<Reported | undefined>(uses.length);
    const candidates = await this.#candidates(reporter, uses, now, results);
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
      const storing = this.#store.store([...fresh.values()], now, results);
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
    const { operator } = reporter;
    const rules = this.options.rules();
    const judged = uses.map((use) => judgeUse(use, { ...rules, now, operator }));
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
        hash: useHash(accountId, one.id),
        content: contentOf(told),
        subject,
        reportBy: rules.reportBy.filter((name) => Object.hasOwn(one.properties ?? {}, name)),
      };
    });
  }
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

const STORED: ReadonlySet<ReportStatus> = new Set(['ACCEPTED', 'PROVISIONAL', 'LATE', 'OVER_LIMIT']);
