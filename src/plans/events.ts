import type { Profile } from './profile.js';

/** Stream `profile-<name>`: plans are facts, so that a record can cite the version it was made under. */
export type ProfileEvent = {
  readonly type: 'ProfilePublished';
  readonly data: {
    /** SHA-256 of the profile's canonical JSON. */
    readonly hash: string;
    /** 1, 2, 3, … */
    readonly version: number;
    readonly profile: Profile;
  };
};

/** Stream `subscription-<account id>`: the account's plan over time. */
export type SubscriptionEvent =
  | {
      readonly type: 'PlanGranted';
      readonly data: {
        readonly plan: string;
        readonly profileVersion: number;
        readonly grantedBy: string;
        readonly reason: string;
        /** When it ends by itself. ISO 8601; absent: it does not. */
        readonly until?: string;
      };
    }
  | { readonly type: 'SubscriptionEnded'; readonly data: { readonly plan: string; readonly reason: string } };

export const profileStream = (name: string): string => `profile-${name}`;
export const subscriptionStream = (accountId: string): string => `subscription-${accountId}`;
