import type { UsageQueries } from '../../../projections/usage/queries.js';
import { BoundedMap } from '../../boundedMap.js';
import type { CommandHandler } from '../../eventsourcing/commandHandler.js';
import { compositeKey } from '../../eventsourcing/compositeKey.js';
import type { Decider } from '../../eventsourcing/decider.js';
import { accept } from '../../eventsourcing/decider.js';
import type { Position, StoredEvent } from '../../eventsourcing/event.js';
import { as } from '../../eventsourcing/event.js';
import type { Policy } from '../../eventsourcing/policy.js';
import { causedBy } from '../../eventsourcing/policy.js';
import type { Limit } from '../../plans/profile.js';
import type { ParkedUseEvent, Threshold, UsageEvent, UsageThresholdEvent, Use } from '../events.js';
import { thresholdStream } from '../events.js';
import type { Anchors } from '../limits/periods.js';
import { countedIn, isFixed, periodAt } from '../limits/periods.js';
import { usesOf } from '../journal/readUses.js';

const NAME = 'watch-usage-thresholds';

/** Counters whose distance to the next threshold is kept: of others it is looked up at their next use. */
const KEPT = 100_000;

interface ThresholdCommand {
  readonly type: 'ReachThreshold' | 'PassThreshold';
  readonly threshold: Threshold;
  readonly used: number;
}

/** What comes first stands for ever: so each threshold is told once, however many processes look. */
export const thresholdDecider: Decider<{ known: boolean }, ThresholdCommand, UsageThresholdEvent> = {
  initial: { known: false },
  evolve: () => ({ known: true }),
  decide: ({ known }, { type, threshold, used }) => {
    if (known) return accept();
    const data = { ...threshold, used };
    return accept(
      type === 'ReachThreshold'
        ? { type: 'UsageThresholdReached', data }
        : { type: 'UsageThresholdPassed', data },
    );
  },
};

/** The limits of an account and, of a key, its own, with the moments from which months count. */
export interface LimitsInForce {
  readonly limits: readonly Limit[];
  readonly anchors: Anchors | undefined;
}

export interface ThresholdsOptions {
  readonly commands: CommandHandler;
  readonly ledger: Pick<UsageQueries, 'counters'>;
  /** Waits until the ledger has seen a position. @throws Outage while it has not */
  readonly ledgerAt: (position: Position) => Promise<unknown>;
  /** Of an account, as of a position or later. */
  readonly limitsOf: (accountId: string, position: Position) => Promise<LimitsInForce>;
  readonly limitsOfKey: (keyId: string) => Promise<readonly Limit[]>;
  readonly percents: readonly number[];
  /** The time by which use is counted, of a moment of the clock (decision 36). */
  readonly usageTimeOf: (at: number) => number;
  /** Batches of the journal behind a position, up to another one; a few of them, where there are many. */
  readonly batchesAfter: (position: Position, upTo: Position) => Promise<readonly StoredEvent[]>;
  /** Events after which an account has other limits: whose it is, by their types. */
  readonly changes: Readonly<Record<string, (event: StoredEvent) => string>>;
}

/** A counter that a limit is held against. */
interface Watched {
  readonly accountId: string;
  readonly keyId: string | null;
  readonly limit: Limit;
  readonly period: string;
}

/**
 * Tells when live use reaches a part of a limit over a day or longer: once for each limit, amount, period and
 * percent, by the ledger. What was used already when a limit came into force is passed over.
 */
export class Thresholds implements Policy {
  readonly name = NAME;
  readonly handles: ReadonlySet<string>;
  /** What may be used until the next threshold, at most. */
  readonly #left = new BoundedMap<number>(KEPT);
  readonly #limits = new BoundedMap<LimitsInForce>(KEPT);
  readonly #keys = new BoundedMap<readonly Limit[]>(KEPT);

  constructor(private readonly options: ThresholdsOptions) {
    this.handles = new Set<string>([
      ...(['UsesRecorded'] satisfies UsageEvent['type'][]),
      ...(['ParkedUseCorrected'] satisfies ParkedUseEvent['type'][]),
      ...Object.keys(options.changes),
    ]);
  }

  async react(event: StoredEvent): Promise<void> {
    const changed = this.options.changes[event.type];
    if (changed) return this.#passOver(event, changed(event));
    const near = new Map<string, Watched>();
    for (const [accountId, use] of usesIn(event)) {
      if (use.environment !== 'live' || use.status === 'refused') continue;
      for (const watched of await this.#watched(accountId, use, event.position)) {
        const id = idOf(watched);
        const left = (this.#left.get(id) ?? 0) - (use.meters[watched.limit.meter] ?? 0);
        this.#left.set(id, left);
        if (left <= 0) near.set(id, watched);
      }
    }
    if (near.size > 0) await this.#look(event, near, 'ReachThreshold');
  }

  /** An account has other limits: what it has used of them already, no use has crossed. */
  async #passOver(event: StoredEvent, accountId: string): Promise<void> {
    this.#limits.delete(accountId);
    const { limits, anchors } = await this.#limitsOf(accountId, event.position);
    const at = this.options.usageTimeOf(Date.parse(event.metadata.at));
    const watched = limits.flatMap((limit): Watched[] =>
      isFixed(limit.window)
        ? [{ accountId, keyId: null, limit, period: periodAt(limit.window, at, anchors).id }]
        : [],
    );
    await this.#look(event, new Map(watched.map((one) => [idOf(one), one])), 'PassThreshold');
  }

  async #watched(accountId: string, use: Use, position: Position): Promise<Watched[]> {
    const { limits, anchors } = await this.#limitsOf(accountId, position);
    const own = use.key === '' ? [] : await this.#limitsOfKey(use.key);
    const watched = (limit: Limit, keyId: string | null): Watched[] => {
      if (!isFixed(limit.window) || !use.meters[limit.meter]) return [];
      const period = countedIn(limit.window, use.periods, anchors);
      return period === undefined ? [] : [{ accountId, keyId, limit, period }];
    };
    return [
      ...limits.flatMap((limit) => watched(limit, null)),
      ...own.flatMap((limit) => watched(limit, use.key)),
    ];
  }

  /** Holds counters against their thresholds, by the ledger. */
  async #look(
    event: StoredEvent,
    counters: ReadonlyMap<string, Watched>,
    type: ThresholdCommand['type'],
  ): Promise<void> {
    const { ledger, ledgerAt, percents, commands } = this.options;
    await ledgerAt(event.position);
    for (const [id, { accountId, keyId, limit, period }] of counters) {
      const subject = { accountId, environment: 'live', keyId: keyId ?? undefined } as const;
      const { amounts, seen } = await ledger.counters(subject, [period]);
      const counted = amounts.of(limit.meter, period);
      // What has crossed a threshold since is not passed over.
      const later =
        type === 'PassThreshold' && counted > 0
          ? await this.#later(event.position, seen, accountId, limit, period)
          : 0;
      const used = counted - later;
      let left = Infinity;
      for (const percent of percents) {
        const amount = partOf(limit.amount, percent);
        if (used < amount) {
          left = amount - used;
          break;
        }
        const { id: name, meter, window, amount: max } = limit;
        const threshold = { accountId, keyId, limit: name, meter, window, max, period, percent };
        const command = { type, threshold, used } as const;
        await commands.handle(thresholdDecider, thresholdStream(threshold), command, causedBy(event, NAME));
      }
      this.#left.set(id, left);
    }
  }

  /** What the ledger has counted of an account behind a position. */
  async #later(
    position: Position,
    seen: Position,
    accountId: string,
    limit: Limit,
    period: string,
  ): Promise<number> {
    let sum = 0;
    for (const batch of await this.options.batchesAfter(position, seen)) {
      for (const [account, { environment, periods, meters }] of usesIn(batch)) {
        if (account !== accountId || environment !== 'live') continue;
        if (limit.window === 'lifetime' || periods.includes(period)) sum += meters[limit.meter] ?? 0;
      }
    }
    return sum;
  }

  async #limitsOf(accountId: string, position: Position): Promise<LimitsInForce> {
    let limits = this.#limits.get(accountId);
    if (!limits) this.#limits.set(accountId, (limits = await this.options.limitsOf(accountId, position)));
    return limits;
  }

  async #limitsOfKey(keyId: string): Promise<readonly Limit[]> {
    let limits = this.#keys.get(keyId);
    if (!limits) this.#keys.set(keyId, (limits = await this.options.limitsOfKey(keyId)));
    return limits;
  }
}

const idOf = ({ accountId, keyId, limit, period }: Watched): string =>
  compositeKey(accountId, keyId, limit.meter, limit.window, limit.amount, period);

/** A percent of a limit, rounded up; exact. */
const partOf = (amount: number, percent: number): number =>
  Number((BigInt(amount) * BigInt(percent) + 99n) / 100n);

/** The uses of an event that may take a counter further. */
function* usesIn(event: StoredEvent): Generator<readonly [accountId: string, use: Use]> {
  if (event.type === ('ParkedUseCorrected' satisfies ParkedUseEvent['type'])) {
    const { account, use } = as<Extract<ParkedUseEvent, { type: 'ParkedUseCorrected' }>>(event).data;
    yield [account, use];
    return;
  }
  let groups;
  try {
    ({ groups } = usesOf(event));
  } catch {
    // What the ledger cannot read counts nothing.
    return;
  }
  for (const { account, uses } of groups) for (const use of uses) yield [account, use];
}
