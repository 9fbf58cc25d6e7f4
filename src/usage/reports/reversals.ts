import type { UsageQueries } from '../../../projections/usage/queries.js';
import type { CommandContext, CommandHandler } from '../../eventsourcing/commandHandler.js';
import type { Refusal } from '../../eventsourcing/decider.js';
import type { Position } from '../../eventsourcing/event.js';
import type { EventStore } from '../../eventsourcing/eventStore.js';
import type { PlanInForce } from '../../plans/profile.js';
import { reversalDecider } from '../decide.js';
import type { Use, UseGroup } from '../events.js';
import { contentOf, useHash, useReversalStream } from '../events.js';
import type { Limiter } from '../limits/limiter.js';
import type { UsagePayers } from './payers.js';
import { changeOf, countsOf } from '../journal/provedUses.js';
import { usesOf } from '../journal/readUses.js';
import { accountOf } from './payers.js';
import { useRecord } from '../journal/useRecord.js';

export type Reversed =
  | {
      readonly kind: 'reversed';
      /** What takes it back. */
      readonly use: Use;
      readonly replayed: boolean;
      readonly position: Position;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface ReversalsOptions {
  readonly store: Pick<EventStore, 'readAll' | 'readAllBackwards'>;
  readonly ledger: Pick<UsageQueries, 'known'>;
  readonly commands: Pick<CommandHandler, 'handle'>;
  readonly limiter: Limiter;
  readonly payers: Pick<UsagePayers, 'limitsOf'>;
  readonly planOf: (accountId: string) => PlanInForce;
  /** Waits until the ledger has seen all that was stored before now. */
  readonly ledgerReached: () => Promise<boolean>;
}

const UNKNOWN: Refusal = {
  code: 'NOT_FOUND',
  message: 'The account has no use with this id that was reported or reserved.',
  field: 'useId',
};
const OPEN: Refusal = {
  code: 'RESERVATION_OPEN',
  message: 'This is a reservation that has not ended. Settle or release it.',
  field: 'useId',
};

/** Enough for one batch, whatever its size. */
const PAGE_BYTES = 1;

/** Takes uses back that should not have been recorded: by an event with a reason, never by an edit. */
export class Reversals {
  constructor(private readonly options: ReversalsOptions) {}

  /**
   * @param now the time by which use is counted
   * @throws Outage: it can be sent again with the same command id
   */
  async reverse(
    accountId: string,
    useId: string,
    action: CommandContext & { readonly reason: string },
    now: number,
  ): Promise<Reversed> {
    const { commands, limiter, payers, planOf } = this.options;
    const use = await this.#find(accountId, useId);
    if ('code' in use) return { kind: 'refused', refusal: use };
    const { environment, key: keyId, at } = use;
    const plan = planOf(accountId);
    const account = accountOf({ accountId, environment, keyId }, plan, now, payers, use.subject);
    const noted = await limiter.announce([account]);
    const done = await commands.handle(
      reversalDecider,
      useReversalStream(useHash(accountId, useId)),
      { type: 'ReverseUse', account: accountId, use: reversalOf(use, action.reason) },
      action,
    );
    if (done.kind === 'refused') {
      noted();
      return done;
    }
    const [event] = done.events;
    const reversal = event ? event.data.use : use;
    const { position, replayed } = done;
    const counts = countsOf(use, now, plan.anchors);
    const record = `${useId}|reversed`;
    // Of a repeat the limits have known, unless nobody could tell them.
    if (!replayed)
      await limiter.note([{ ...account, amounts: changeOf(reversal), at, counts, record, position }]);
    noted();
    return { kind: 'reversed', use: reversal, replayed, position };
  }

  /** The record of a use that counts. */
  async #find(accountId: string, useId: string): Promise<Use | Refusal> {
    const { ledger, ledgerReached } = this.options;
    const hash = useHash(accountId, useId);
    let known = await ledger.known([hash]);
    if (known.every(({ phase }) => phase !== 'final') && (await ledgerReached())) {
      known = await ledger.known([hash]);
    }
    const final = known.find(({ phase }) => phase === 'final');
    if (!final) return known.length > 0 ? OPEN : UNKNOWN;
    const batch = await this.#batchAt(final.position);
    const uses = batch.flatMap(({ account, uses: all }) => (account === accountId ? all : []));
    const use = uses.find(
      (one) => one.id === useId && one.phase === 'final' && contentOf(one) === final.content,
    );
    return use ?? UNKNOWN;
  }

  /** Behind the event before it: positions need not be dense. */
  async #batchAt(position: Position): Promise<readonly UseGroup[]> {
    const { store } = this.options;
    const [before] = await store.readAllBackwards(position, 1);
    const [event] = await store.readAll(before?.position ?? 0, 1, PAGE_BYTES);
    return event?.type === 'UsesRecorded' ? usesOf(event).groups : [];
  }
}

/** The same, with the amounts and the time that count no more. */
function reversalOf(use: Use, reason: string): Use {
  const { late: _late, overLimit: _over, replaces: _replaces, reservation: _terms, ...told } = use;
  return useRecord({ ...told, phase: 'reversed', reason });
}
