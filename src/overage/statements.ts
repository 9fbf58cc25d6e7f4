import type { BilledUse, BilledUseQueries } from '../../projections/billedUse/queries.js';
import type { OverUse, UseSoFar } from '../credits/events.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { profileStream, subscriptionStream } from '../plans/events.js';
import { wholeOf } from '../money/whole.js';
import type { Profile } from '../plans/profile.js';
import { metersOf } from '../plans/profile.js';
import { periodAt } from '../usage/limits/periods.js';
import type { OverageState } from './decide.js';
import { capOf, overageDecider, paidFor, wasAllowed } from './decide.js';
import type { RatedLine, UsedThen } from './events.js';
import { overageStream } from './events.js';
import type { PaidByCredits, UsedOf } from './rate.js';
import { cappedAt, overOf, rateLines } from './rate.js';
import type { BillingPeriod, PaidLife } from './terms.js';
import { livesOf, partBefore, partsOfPeriod, periodOfLife } from './terms.js';

const DAY_MS = 86_400_000;
const MOST = BigInt(Number.MAX_SAFE_INTEGER);
/** How long a new version of the profile may be unknown here, in milliseconds: periods are closed half an hour after their end. */
const VERSIONS_MS = 5_000;

/** Units of overage that credits have paid, once they have been looked at. */
export type CreditsOf = (accountId: string, soFar: UseSoFar) => Promise<PaidByCredits>;

export interface StatementsOptions {
  readonly commands: CommandHandler;
  readonly ledger: BilledUseQueries;
  readonly profile: () => Profile;
  /** By which is billed, in milliseconds. */
  readonly now: () => number;
}

/** All that an account is billed by. */
export interface Account {
  readonly accountId: string;
  readonly lives: readonly PaidLife[];
  readonly state: OverageState;
}

/** A billing period of a subscription. */
export interface Running {
  readonly life: PaidLife;
  readonly period: BillingPeriod;
}

/** What a period has come to. */
export interface Statement extends Running {
  readonly use: BilledUse;
  readonly lines: readonly RatedLine[];
}

const iso = (at: number): string => new Date(at).toISOString();

/** Rates what accounts have used above what their plans include, from the ledger and from what they pay by. */
export class Statements {
  #versions: { readonly readAt: number; readonly events: Promise<readonly StoredEvent[]> } | undefined;

  constructor(private readonly options: StatementsOptions) {}

  async account(accountId: string): Promise<Account> {
    const { commands } = this.options;
    const [history, settings, profiles] = await Promise.all([
      commands.load(subscriptionStream(accountId)),
      commands.load(overageStream(accountId)),
      this.#profiles(),
    ]);
    return { accountId, lives: livesOf(history, profiles), state: fold(overageDecider, settings) };
  }

  /** The subscription that is paid for now, and its period; undefined where nothing is, or it is tried. */
  running({ lives }: Account): Running | undefined {
    const life = lives.at(-1);
    if (!life || life.endedAt !== undefined) return undefined;
    return { life, period: periodOfLife(life, this.options.now()) };
  }

  /**
   * What was used in periods, all of one moment, with the days that credits may have expired on.
   * @param closed others that are looked at again
   */
  read(accountId: string, open: readonly Running[], closed: readonly Running[] = []): Promise<BilledUse> {
    const days = open.flatMap(({ period: { from, to } }) => daysFrom(Date.parse(from), Date.parse(to)));
    const parts = [...open, ...closed].flatMap(({ life, period }) => partsOfPeriod(life, period.id));
    return this.options.ledger.of(accountId, [...new Set([...parts, ...days])]);
  }

  /** The lines of a period; none where overage is not paid for. */
  rate(
    { state }: Account,
    life: PaidLife,
    period: BillingPeriod,
    use: BilledUse,
    credits: PaidByCredits,
  ): RatedLine[] {
    if (!wasAllowed(state, period)) return [];
    const meters = metersOf(this.options.profile());
    const lines = rateLines(life, period, usedOf(use), credits, meters, (meter, part) =>
      paidFor(state, period, meter, part),
    );
    const cap = capOf(state, period);
    return cap?.currency === life.currency ? cappedAt(lines, cap.amount) : lines;
  }

  /** What was used until now in the period that runs. */
  async usedSoFar(accountId: string): Promise<UsedThen[]> {
    const running = this.running(await this.account(accountId));
    if (!running) return [];
    const { life, period } = running;
    const use = await this.read(accountId, [running]);
    return overOf(life, period.id, usedOf(use)).flatMap(({ meter, part, used }) =>
      used > 0n ? [{ meter, part, amount: wholeOf(used) }] : [],
    );
  }

  /** What credits may pay for in a period that is open, and what they have paid too much for in others. */
  soFar(life: PaidLife, period: BillingPeriod, use: BilledUse, closed: readonly Running[] = []): UseSoFar {
    const uses = this.#overUses(life, period, use);
    return this.#asOf(use, [...uses, ...this.correctable(closed, use).uses]);
  }

  /** What credits have paid too much for in periods that are closed. */
  correctable(closed: readonly Running[], use: BilledUse): UseSoFar {
    const uses = closed.flatMap(({ life, period }) => this.#overUses(life, period, use));
    return this.#asOf(
      use,
      uses.map((over) => ({ ...over, closed: true as const })),
    );
  }

  #asOf(use: BilledUse, uses: readonly OverUse[]): UseSoFar {
    return { uses, asOf: use.seen, now: iso(this.options.now()) };
  }

  #overUses(life: PaidLife, period: BillingPeriod, use: BilledUse): OverUse[] {
    const rates = this.options.profile().credits?.meters ?? {};
    const now = this.options.now();
    const over = overOf(life, period.id, usedOf(use));
    return over.flatMap(({ meter, part, over: units }, place) => {
      const rate = rates[meter];
      if (rate === undefined) return [];
      return [
        {
          part,
          meter,
          until: period.to,
          // There are never so many credits.
          over: Number(units < MOST ? units : MOST),
          rate,
          overFrom: (expiresAt: string): number => {
            // The latest use is that of the latest price: what was used from then on is taken from there back.
            const days = daysFrom(Math.max(Date.parse(expiresAt), Date.parse(period.from)), now + 1);
            let late = days.reduce((sum, day) => sum + use.amount(meter, day), 0n);
            for (const later of over.slice(place + 1)) {
              if (later.meter === meter) late = late > later.used ? late - later.used : 0n;
            }
            return Number(late < units ? late : units);
          },
        },
      ];
    });
  }

  /** What credits may pay for in the periods that are open. */
  async open(accountId: string): Promise<UseSoFar> {
    const account = await this.account(accountId);
    const now = this.options.now();
    const running = this.running(account);
    if (!running) return { uses: [], asOf: 0, now: iso(now) };
    const { life, period } = running;
    const before = periodOfLife(life, Date.parse(period.from) - 1);
    const open = [before, period].filter(
      ({ id }, place) => !account.state.closed.has(id) && (place === 1 || id !== period.id),
    );
    const use = await this.read(
      accountId,
      open.map((one) => ({ life, period: one })),
    );
    return {
      uses: open.flatMap((one) => this.soFar(life, one, use).uses),
      asOf: use.seen,
      now: iso(now),
    };
  }

  /** What the running period has come to so far. @param credits what they have paid, without drawing more */
  async draft(accountId: string, credits: CreditsOf): Promise<Statement | undefined> {
    const account = await this.account(accountId);
    const running = this.running(account);
    return running && this.soFarOf(account, running, credits);
  }

  /** The same of an account that is known, and of the period that runs. */
  async soFarOf(account: Account, { life, period }: Running, credits: CreditsOf): Promise<Statement> {
    const use = await this.read(account.accountId, [{ life, period }]);
    const paid = await credits(account.accountId, this.soFar(life, period, use));
    return { life, period, use, lines: this.rate(account, life, period, use, paid) };
  }

  /** Its versions, each with the whole profile: where many accounts are billed they are read now and then. */
  #profiles(): Promise<readonly StoredEvent[]> {
    const now = performance.now();
    if (!this.#versions || now - this.#versions.readAt > VERSIONS_MS) {
      const events = this.options.commands.load(profileStream(this.options.profile().name));
      this.#versions = { readAt: now, events };
      // What could not be read is read again.
      events.catch(() => (this.#versions = undefined));
    }
    return this.#versions.events;
  }
}

export const usedOf =
  (use: Pick<BilledUse, 'amount'>): UsedOf =>
  (meter, part) => {
    const before = partBefore(part);
    return use.amount(meter, part) + (before === undefined ? 0n : use.amount(meter, before));
  };

/** The ids of the days from one moment on, up to another. */
function daysFrom(from: number, to: number): string[] {
  const ids: string[] = [];
  for (let at = Math.floor(from / DAY_MS) * DAY_MS; at < to; at += DAY_MS) ids.push(periodAt('day', at).id);
  return ids;
}
