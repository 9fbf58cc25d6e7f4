import { mailDecider } from '../../src/mail/decide.js';
import type { MailEvent } from '../../src/mail/events.js';
import { given } from '../eventsourcing/given.js';

const data = {
  kind: 'verify-email',
  userId: 'u1',
  to: 'v1:u1:e',
  expiresAt: '2026-11-29T12:00:00.000Z',
} as const;
const requested: MailEvent = { type: 'MailRequested', data };
const sent: MailEvent = { type: 'MailSent', data: { userId: 'u1' } };
const failed: MailEvent = { type: 'MailFailed', data: { userId: 'u1', reason: 'refused' } };

it('a mail is asked for once', () => {
  given(mailDecider).when({ type: 'RequestMail', mail: data }).then(requested);
  given(mailDecider, requested).when({ type: 'RequestMail', mail: data }).then();
});

it('a mail that was asked for is sent or given up, once', () => {
  given(mailDecider, requested).when({ type: 'ConfirmMail' }).then(sent);
  given(mailDecider, requested).when({ type: 'GiveUpMail', reason: 'refused' }).then(failed);
  for (const end of [sent, failed]) {
    given(mailDecider, requested, end).when({ type: 'ConfirmMail' }).then();
    given(mailDecider, requested, end).when({ type: 'GiveUpMail', reason: 'expired' }).then();
    given(mailDecider, requested, end).when({ type: 'RequestMail', mail: data }).then();
  }
});

it('a mail that has ended is sent once more where an operator asks for it, while it is good for anything', () => {
  const now = Date.parse(data.expiresAt) - 1;
  const replayed: MailEvent = { type: 'MailReplayed', data: { userId: 'u1' } };
  for (const end of [sent, failed]) {
    given(mailDecider, requested, end).when({ type: 'ReplayMail', now }).then(replayed);
    given(mailDecider, requested, end, replayed).when({ type: 'ConfirmMail' }).then(sent);
    given(mailDecider, requested, end, replayed, end).when({ type: 'ConfirmMail' }).then();
    given(mailDecider, requested, end)
      .when({ type: 'ReplayMail', now: now + 1 })
      .thenRefused('MAIL_EXPIRED');
  }
  given(mailDecider, requested).when({ type: 'ReplayMail', now }).thenRefused('MAIL_PENDING');
  given(mailDecider, requested, failed, replayed)
    .when({ type: 'ReplayMail', now })
    .thenRefused('MAIL_PENDING');
  const erased: MailEvent = { type: 'MailFailed', data: { userId: 'u1', reason: 'erased' } };
  given(mailDecider, requested, erased).when({ type: 'ReplayMail', now }).thenRefused('NOT_FOUND');
});

it('a mail that nobody asked for is neither', () => {
  given(mailDecider).when({ type: 'ReplayMail', now: 0 }).thenRefused('NOT_FOUND');
  given(mailDecider).when({ type: 'ConfirmMail' }).thenRefused('NOT_FOUND');
  given(mailDecider).when({ type: 'GiveUpMail', reason: 'expired' }).thenRefused('NOT_FOUND');
});
