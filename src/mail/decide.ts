import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { MailEvent, MailFailure } from './events.js';

type MailRequested = Extract<MailEvent, { type: 'MailRequested' }>;

export type MailCommand =
  | { readonly type: 'RequestMail'; readonly mail: MailRequested['data'] }
  | { readonly type: 'ConfirmMail' }
  | { readonly type: 'GiveUpMail'; readonly reason: MailFailure };

export interface MailState {
  readonly requested: MailRequested['data'] | undefined;
  readonly done: boolean;
}

export const mailDecider: Decider<MailState, MailCommand, MailEvent> = {
  initial: { requested: undefined, done: false },
  evolve: (state, { type, data }) =>
    type === 'MailRequested' ? { requested: data, done: false } : { ...state, done: true },
  decide: ({ requested, done }, command) => {
    if (command.type === 'RequestMail') {
      return requested ? accept() : accept({ type: 'MailRequested', data: command.mail });
    }
    if (!requested) return refuse('NOT_FOUND', 'There is no such mail.');
    if (done) return accept();
    const { userId } = requested;
    return command.type === 'ConfirmMail'
      ? accept({ type: 'MailSent', data: { userId } })
      : accept({ type: 'MailFailed', data: { userId, reason: command.reason } });
  },
};
