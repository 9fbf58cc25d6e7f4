import type { Sealed } from '../secrets/personalData.js';

export type MailKind =
  | 'verify-email'
  | 'invite-member'
  | 'reset-password'
  | 'change-email'
  /** A notice, without a token, to the e-mail that was the user's. */
  | 'email-changed'
  /** A notice to whoever opened the account: nothing could be delivered to one of its webhook endpoints. */
  | 'webhook-disabled'
  /** To the same: what is tried is soon paid for, until `expiresAt`. */
  | 'trial-ending'
  /** To the same: a payment has failed, and the plan stays in force until `expiresAt`. */
  | 'payment-failed'
  /** To the same: the plan is lost at `expiresAt` unless it is paid. */
  | 'grace-ending'
  /** To the same: the card has had its trial with another account, so nothing has begun. */
  | 'trial-refused'
  /** To the same: a second subscription was ended and paid back. */
  | 'duplicate-ended'
  | 'plan-suspended'
  | 'plan-restored'
  /** To an operator: the figures of a day, which is its subject (`2026-11-28`). Without a token. */
  | 'daily-report'
  /** To an operator: a customer disputes a payment, or that was decided. Without a token. */
  | 'dispute-opened'
  | 'dispute-won'
  | 'dispute-lost'
  /** To an operator: a bank asks about a payment. Without a token. */
  | 'inquiry-opened'
  /** To an operator: what was given back has not reached the customer. Without a token. */
  | 'refund-failed'
  /** Asks whoever reads it to register; without a token. */
  | 'invite-user'
  /** A notice to a user whom an operator has brought in from another system. */
  | 'user-imported'
  /** A notice to whoever opened the account: an analysis has ended. */
  | 'analysis-ended'
  /** A notice to whoever opened the account: it has reached a part of a limit. */
  | 'usage-threshold';

/** What a notice of a threshold names: words of the profile, and none of a customer. */
export interface MailedThreshold {
  readonly limit: string;
  readonly percent: number;
}

export type MailFailure = 'erased' | 'expired' | 'refused' | 'exhausted';

/**
 * Stream `mail-<id>`: one mail, asked for and confirmed (decisions 23 and 33). Its text and the token in it are made
 * when it is sent, and the address stays sealed.
 */
export type MailEvent =
  | {
      readonly type: 'MailRequested';
      readonly data: {
        readonly kind: MailKind;
        /** Whose data the address is: of a user, or of an invitation to who is none yet. */
        readonly userId: string;
        /** What the token in it is about; the user where it is left out. */
        readonly subject?: string;
        readonly to: Sealed;
        /** Was filled once. Nobody is called by a name any more: whoever registers writes it, in whoever's e-mail. */
        readonly name?: Sealed | null;
        /** Of a notice of a threshold. */
        readonly threshold?: MailedThreshold;
        /** Afterwards it is of no use: the token in it is over. ISO 8601. */
        readonly expiresAt: string;
      };
    }
  | { readonly type: 'MailSent'; readonly data: { readonly userId: string } }
  | {
      readonly type: 'MailFailed';
      readonly data: { readonly userId: string; readonly reason: MailFailure };
    }
  /** An operator has asked for it once more; who and why stand in the metadata. */
  | { readonly type: 'MailReplayed'; readonly data: { readonly userId: string } };

export const mailStream = (mailId: string): string => `mail-${mailId}`;
