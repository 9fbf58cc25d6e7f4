import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { EmailEvent } from './events.js';

type EmailRegistered = Extract<EmailEvent, { type: 'EmailRegistered' }>;
type EmailClaimed = Extract<EmailEvent, { type: 'EmailClaimed' }>;
type EmailInvited = Extract<EmailEvent, { type: 'EmailInvited' }>;

export type EmailCommand =
  | {
      readonly type: 'RegisterEmail';
      readonly registration: EmailRegistered['data'];
      /** The time, where registering takes an invitation. */
      readonly invitedAt?: Date | undefined;
    }
  | { readonly type: 'InviteEmail'; readonly invitation: EmailInvited['data'] }
  | { readonly type: 'ClaimEmail'; readonly claim: EmailClaimed['data'] }
  | { readonly type: 'RequestPasswordReset'; readonly at: Date; readonly expiresAt: Date }
  | { readonly type: 'ReleaseEmail'; readonly userId: string };

/** Tokens for a new password that are good at once, for each e-mail. */
const RESETS_AT_ONCE = 3;

export const EMAIL_TAKEN = {
  kind: 'refused',
  refusal: {
    code: 'EMAIL_TAKEN',
    message: 'An account with this e-mail exists already.',
    field: 'email',
  },
} as const;

interface EmailState {
  readonly holder: string | undefined;
  /** Until when somebody may register with it by an invitation. */
  readonly invitedUntil: string | undefined;
  /** When the last tokens for a new password are over, at most RESETS_AT_ONCE. */
  readonly resets: readonly string[];
}

export const emailDecider: Decider<EmailState, EmailCommand, EmailEvent> = {
  initial: { holder: undefined, invitedUntil: undefined, resets: [] },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'EmailRegistered':
      case 'EmailClaimed':
        return { ...state, holder: data.userId, invitedUntil: undefined };
      case 'EmailInvited':
        return { ...state, invitedUntil: data.expiresAt };
      case 'EmailReleased':
        return { ...state, holder: undefined };
      case 'PasswordResetRequested':
        return { ...state, resets: [...state.resets, data.expiresAt].slice(-RESETS_AT_ONCE) };
    }
  },
  decide: ({ holder, invitedUntil, resets }, command) => {
    switch (command.type) {
      case 'RegisterEmail': {
        if (holder !== undefined) return EMAIL_TAKEN;
        const { registration, invitedAt: at } = command;
        if (at && (invitedUntil === undefined || Date.parse(invitedUntil) <= at.getTime())) {
          const message = 'Registering takes an invitation to this e-mail.';
          return refuse('INVITATION_REQUIRED', message, 'email');
        }
        return accept({ type: 'EmailRegistered', data: registration });
      }
      case 'InviteEmail':
        if (holder !== undefined) return EMAIL_TAKEN;
        return accept({ type: 'EmailInvited', data: command.invitation });
      case 'ClaimEmail':
        if (holder === command.claim.userId) return accept();
        return holder === undefined ? accept({ type: 'EmailClaimed', data: command.claim }) : EMAIL_TAKEN;
      case 'RequestPasswordReset': {
        const { at, expiresAt } = command;
        // Without a refusal: nobody is to learn whether somebody else has asked.
        if (resets.filter((end) => Date.parse(end) > at.getTime()).length >= RESETS_AT_ONCE) return accept();
        return accept({ type: 'PasswordResetRequested', data: { expiresAt: expiresAt.toISOString() } });
      }
      case 'ReleaseEmail':
        // Released before, it may be another user's by now.
        if (holder !== command.userId) return accept();
        return accept({ type: 'EmailReleased', data: { userId: command.userId } });
    }
  },
};
