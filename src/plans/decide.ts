import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { ProfileEvent, SubscriptionEvent } from './events.js';
import type { Profile } from './profile.js';

export interface PublishProfile {
  readonly hash: string;
  readonly profile: Profile;
}

interface Published {
  readonly version: number;
  readonly hash: string | undefined;
}

export const profileDecider: Decider<Published, PublishProfile, ProfileEvent> = {
  initial: { version: 0, hash: undefined },
  evolve: (_state, { data }) => ({ version: data.version, hash: data.hash }),
  decide: (state, { hash, profile: content }) =>
    state.hash === hash
      ? accept()
      : accept({
          type: 'ProfilePublished',
          data: { hash, version: state.version + 1, profile: content },
        }),
};

export type SubscriptionCommand =
  | {
      /** An operator gives an account a plan without payment. */
      readonly type: 'GrantPlan';
      readonly plan: string;
      /** The plans of the profile's version below. */
      readonly plans: readonly string[];
      readonly profileVersion: number;
      readonly grantedBy: string;
      readonly reason: string;
      /** When it ends by itself. */
      readonly until?: Date | undefined;
      /** Now, where it has an end. */
      readonly at?: Date;
    }
  | { readonly type: 'EndSubscription'; readonly reason: string }
  /** Ends what was granted for a time that is over. */
  | { readonly type: 'EndGrant'; readonly at: Date };

/** How long a plan can be granted for that ends by itself, in milliseconds. */
export const MAX_GRANT_MS = 5 * 366 * 86_400_000;

interface Granted {
  readonly plan: string | undefined;
  readonly until: string | undefined;
}

export const subscriptionDecider: Decider<Granted, SubscriptionCommand, SubscriptionEvent> = {
  initial: { plan: undefined, until: undefined },
  evolve: (state, { type, data }) => {
    if (type === 'PlanGranted') return { plan: data.plan, until: data.until };
    // What is paid for stands on the same stream.
    return type === 'SubscriptionEnded' ? { plan: undefined, until: undefined } : state;
  },
  decide: (state, command) => {
    if (command.type === 'EndSubscription') {
      if (state.plan === undefined) return accept();
      return accept({ type: 'SubscriptionEnded', data: { plan: state.plan, reason: command.reason } });
    }
    if (command.type === 'EndGrant') {
      const { plan, until } = state;
      if (plan === undefined || until === undefined || Date.parse(until) > command.at.getTime())
        return accept();
      return accept({ type: 'SubscriptionEnded', data: { plan, reason: 'it was granted until then' } });
    }
    const { plan, plans, profileVersion, grantedBy, reason, until, at } = command;
    if (!plans.includes(plan)) {
      return refuse('PLAN_UNKNOWN', `There is no plan "${plan}"; there are ${plans.join(', ')}.`, 'planId');
    }
    const ahead = until && at ? until.getTime() - at.getTime() : 1;
    if (ahead <= 0 || ahead > MAX_GRANT_MS) {
      return refuse('INVALID_INPUT', '"until" must be in the future, and at most five years.', 'until');
    }
    const end = until?.toISOString();
    if (state.plan === plan && state.until === end) return accept();
    return accept({
      type: 'PlanGranted',
      data: { plan, profileVersion, grantedBy, reason, ...(end !== undefined && { until: end }) },
    });
  },
};
