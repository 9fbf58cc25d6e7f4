import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { MailEvent, MailFailure } from './events.js';

type MailRequested = Extract<MailEvent, { type: 'MailRequested' }>;

export type MailCommand =
  | { readonly type: 'RequestMail'; readonly mail: MailRequested['data'] }
  | { readonly type: 'ConfirmMail' }
  | { readonly type: 'GiveUpMail'; readonly reason: MailFailure }
  /** @param now milliseconds since the epoch */
  | { readonly type: 'ReplayMail'; readonly now: number };

export interface MailState {
  readonly requested: MailRequested['data'] | undefined;
  /** How it has ended, without a failure where it was sent; undefined while it is to be sent. */
  readonly ended: { readonly failure: MailFailure | undefined } | undefined;
}

export const mailDecider: Decider<MailState, MailCommand, MailEvent> = {
  initial: { requested: undefined, ended: undefined },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'MailRequested':
        return { requested: data, ended: undefined };
      case 'MailReplayed':
        return { ...state, ended: undefined };
      case 'MailSent':
        return { ...state, ended: { failure: undefined } };
      case 'MailFailed':
        return { ...state, ended: { failure: data.reason } };
    }
  },
  decide: ({ requested, ended }, command) => {
    if (command.type === 'RequestMail') {
      return requested ? accept() : accept({ type: 'MailRequested', data: command.mail });
    }
    if (!requested) return refuse('NOT_FOUND', 'There is no mail with this id.');
    const { userId, expiresAt } = requested;
    switch (command.type) {
      case 'ReplayMail':
        if (!ended) return refuse('MAIL_PENDING', 'This mail is on its way.');
        if (ended.failure === 'erased') return refuse('NOT_FOUND', 'There is no mail with this id.');
        if (Date.parse(expiresAt) <= command.now) {
          return refuse('MAIL_EXPIRED', 'What this mail offers is over: it has to be asked for anew.');
        }
        return accept({ type: 'MailReplayed', data: { userId } });
      case 'ConfirmMail':
        return ended ? accept() : accept({ type: 'MailSent', data: { userId } });
      case 'GiveUpMail':
        return ended ? accept() : accept({ type: 'MailFailed', data: { userId, reason: command.reason } });
    }
  },
};
