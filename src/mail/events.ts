import type { Sealed } from '../secrets/personalData.js';

export type MailKind = 'verify-email';
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
        readonly userId: string;
        readonly to: Sealed;
        readonly name: Sealed;
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
