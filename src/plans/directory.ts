import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import type { ProfileEvent, SubscriptionEvent } from './events.js';
import type { PlanInForce, Profile } from './profile.js';
import { DEMO_ACCOUNT } from './profile.js';

interface AccountPlan {
  /** Null once its subscription has ended. */
  readonly plan: string | null;
  readonly revision: number;
}

/** The published profile and each account's plan, in memory: a projection like the key cache. */
export class PlanDirectory {
  #published: ProfileEvent['data'] | undefined;
  #byId = new Map<string, PlanInForce>();
  readonly #accounts = new Map<string, AccountPlan>();

  apply(stored: StoredEvent): void {
    if (stored.type === 'ProfilePublished') {
      const { data } = as<ProfileEvent>(stored);
      if (data.version >= (this.#published?.version ?? 0)) this.#publish(data);
    } else if (stored.type === 'PlanGranted') {
      const { plan } = as<Extract<SubscriptionEvent, { type: 'PlanGranted' }>>(stored).data;
      this.load([{ accountId: stored.streamId, plan, revision: stored.revision }]);
    } else if (stored.type === 'SubscriptionEnded') {
      this.load([{ accountId: stored.streamId, plan: null, revision: stored.revision }]);
    }
  }

  load(accounts: Iterable<AccountPlan & { readonly accountId: string }>): void {
    for (const { accountId, plan, revision } of accounts) {
      // The same again may be what it was corrected to.
      if ((this.#accounts.get(accountId)?.revision ?? -1) <= revision) {
        this.#accounts.set(accountId, { plan, revision });
      }
    }
  }

  get profile(): Profile {
    return this.#current.profile;
  }

  get version(): number {
    return this.#current.version;
  }

  planOf(accountId: string): PlanInForce {
    const granted = accountId.startsWith(DEMO_ACCOUNT)
      ? this.profile.demo?.plan
      : this.#accounts.get(accountId)?.plan;
    // A plan that a newer profile no longer has falls back to the default one.
    const plan =
      (granted != null ? this.#byId.get(granted) : undefined) ?? this.#byId.get(this.profile.defaultPlan);
    return plan as PlanInForce;
  }

  get #current(): ProfileEvent['data'] {
    if (!this.#published) throw new Error('no profile has been published');
    return this.#published;
  }

  #publish(data: ProfileEvent['data']): void {
    this.#published = data;
    this.#byId = new Map(data.profile.plans.map((plan) => [plan.id, { plan, version: data.version }]));
  }
}
