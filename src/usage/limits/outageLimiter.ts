import type { Account, Asked, Limiter, LimitState, Noted, Take } from './limiter.js';
import type { Subject } from '../events.js';
import { LimitsUnavailable, partsOf } from './limiter.js';
import type { MissedSubjects } from './missedSubjects.js';

/**
 * What an outage of the shared limiter means. `allow`: calls are held against limits of this node alone, so
 * that several nodes may let through as many times the amount. `deny`: they are refused as an outage.
 * Undefined: calls that may change something are denied, the others allowed.
 */
export type OutagePolicy = 'allow' | 'deny' | undefined;

export interface OutageOptions {
  /** Others may count for it, and it may be away. */
  readonly shared: Limiter;
  /** Makes the limiter of one outage. */
  readonly local: () => Limiter;
  readonly policy: OutagePolicy;
  /** Whose uses the shared counters don't know of, also those that an earlier process of this node has left. */
  readonly missed: MissedSubjects;
  /** Told of every call that an outage has decided. */
  readonly onCall: (decision: 'allowed' | 'denied') => void;
}

/** The shared limiter, and while it is away what the configuration says. */
export class OutageLimiter implements Limiter {
  #local: Limiter | undefined;
  #forgetting: Promise<void> | undefined;

  constructor(private readonly options: OutageOptions) {}

  async take(asked: Asked): Promise<Take> {
    const { shared, policy, missed, onCall } = this.options;
    try {
      if (missed.size > 0) await this.#forget();
      return await shared.take(asked);
    } catch (error) {
      if (!(error instanceof LimitsUnavailable)) throw error;
      if (policy === 'deny' || (policy === undefined && asked.writes)) {
        onCall('denied');
        throw error;
      }
      const take = await this.#limiter().take(asked);
      if (take.kind === 'taken') await missed.add(subjectsIn(asked));
      onCall('allowed');
      return take;
    }
  }

  async states(account: Account): Promise<readonly LimitState[]> {
    try {
      if (this.options.missed.size > 0) await this.#forget();
      return await this.options.shared.states(account);
    } catch (error) {
      if (!(error instanceof LimitsUnavailable) || this.options.policy === 'deny') throw error;
      return this.#limiter().states(account);
    }
  }

  /** While the shared limiter is away, what is noted is loaded by whoever comes next. */
  async announce(accounts: readonly Account[]): Promise<() => void> {
    try {
      return await this.options.shared.announce(accounts);
    } catch (error) {
      if (!(error instanceof LimitsUnavailable)) throw error;
      // Before anything is stored: should this process end, the next one of this node knows.
      await this.options.missed.add(accounts.flatMap(subjectsIn));
      return () => undefined;
    }
  }

  /** What is not counted while the shared limiter is away is loaded by whoever comes next. */
  async note(noted: readonly Noted[]): Promise<void> {
    try {
      await this.options.shared.note(noted);
    } catch (error) {
      if (!(error instanceof LimitsUnavailable)) throw error;
      await this.#local?.note(noted);
      await this.options.missed.add(noted.flatMap(subjectsIn));
    }
  }

  /** Now, or once the shared limiter is back. */
  async forget(subject: Subject): Promise<void> {
    await this.#local?.forget(subject);
    try {
      await this.options.shared.forget(subject);
    } catch (error) {
      if (!(error instanceof LimitsUnavailable)) throw error;
      await this.options.missed.add([subject]);
    }
  }

  /** Has the counters loaded anew that do not know of all uses, if the shared limiter is there. */
  async recover(): Promise<void> {
    if (this.options.missed.size === 0) return;
    try {
      await this.#forget();
    } catch (error) {
      if (!(error instanceof LimitsUnavailable)) throw error;
    }
  }

  #limiter(): Limiter {
    return (this.#local ??= this.options.local());
  }

  /** Once for all that wait: what this node has let through alone is loaded with everything else. */
  #forget(): Promise<void> {
    return (this.#forgetting ??= this.#forgetMissed().finally(() => (this.#forgetting = undefined)));
  }

  async #forgetMissed(): Promise<void> {
    const { shared, missed } = this.options;
    for (const subject of missed) {
      await shared.forget(subject);
      await missed.delete(subject);
    }
    // The next outage begins with what was spent until then.
    this.#local = undefined;
  }
}

/** Whose counters there are: of the account, and of its key where that has limits of its own. */
const subjectsIn = (account: Account): Subject[] => partsOf(account).map(({ subject }) => subject);
