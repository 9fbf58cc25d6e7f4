import type { Sealed } from '../secrets/personalData.js';

export type MailKind =
  | 'verify-email'
  | 'invite-member'
  | 'reset-password'
  | 'change-email'
  /** A notice, without a token, to the e-mail that was the user's. */
  | 'email-changed'
  /** A notice to whoever opened the account: nothing could be delivered to one of its webhook endpoints. */
  | 'webhook-disabled';
export type MailFailure = 'erased' | 'expired' | 'refused';

/**
 * Stream `mail-<id>`: one mail, asked for and confirmed (decision 23). Its text and the token in it are made
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
        /** Afterwards it is of no use: the token in it is over. ISO 8601. */
        readonly expiresAt: string;
      };
    }
  | { readonly type: 'MailSent'; readonly data: { readonly userId: string } }
  | {
      readonly type: 'MailFailed';
      readonly data: { readonly userId: string; readonly reason: MailFailure };
    };

export const mailStream = (mailId: string): string => `mail-${mailId}`;
