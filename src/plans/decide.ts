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
    }
  | { readonly type: 'EndSubscription'; readonly reason: string };

export const subscriptionDecider: Decider<
  { plan: string | undefined },
  SubscriptionCommand,
  SubscriptionEvent
> = {
  initial: { plan: undefined },
  evolve: (state, { type, data }) => {
    if (type === 'PlanGranted') return { plan: data.plan };
    // What is paid for stands on the same stream.
    return type === 'SubscriptionEnded' ? { plan: undefined } : state;
  },
  decide: (state, command) => {
    if (command.type === 'EndSubscription') {
      if (state.plan === undefined) return accept();
      return accept({ type: 'SubscriptionEnded', data: { plan: state.plan, reason: command.reason } });
    }
    const { plan, plans, profileVersion, grantedBy, reason } = command;
    if (!plans.includes(plan)) {
      return refuse('PLAN_UNKNOWN', `There is no plan "${plan}"; there are ${plans.join(', ')}.`, 'planId');
    }
    if (state.plan === plan) return accept();
    return accept({ type: 'PlanGranted', data: { plan, profileVersion, grantedBy, reason } });
  },
};
