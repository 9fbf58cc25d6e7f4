import type { AccountEvent, EmailEvent, UserEvent } from '../accounts/events.js';
import { accountStream, IMPORTED_BY, mailedSubject } from '../accounts/events.js';
import type { AnalysisEvent } from '../analysis/events.js';
import { MAILED_RESULT, mailedResult } from '../analysis/events.js';
import type { BillingEvent } from '../billing/events.js';
import { TRIAL_USED } from '../billing/events.js';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import type { StoredEvent } from '../eventsourcing/event.js';
import { as } from '../eventsourcing/event.js';
import { derivedId } from '../eventsourcing/ids.js';
import type { Policy } from '../eventsourcing/policy.js';
import { causedBy } from '../eventsourcing/policy.js';
import type { Outbox } from '../outgoing/outbox.js';
import type { PersonalData } from '../secrets/personalData.js';
import type { TeamEvent } from '../teams/events.js';
import { invitationSubject } from '../teams/events.js';
import type { UsageThresholdEvent } from '../usage/events.js';
import type { WebhookEndpointEvent } from '../webhooks/events.js';
import type { MailCommand } from './decide.js';
import { mailDecider } from './decide.js';
import { mailFor } from './deliveries.js';
import type { MailEvent, MailKind } from './events.js';
import { mailStream } from './events.js';
import { emailOf } from './recipient.js';

/** How long an e-mail may be verified, in milliseconds. */
export const VERIFY_MS = 7 * 24 * 3_600_000;
/** How long a notice that could not be sent is still worth sending, in milliseconds. */
const NOTICE_MS = 7 * 24 * 3_600_000;

type Requested = Extract<MailCommand, { type: 'RequestMail' }>['mail'];
type EmailRegistered = Extract<EmailEvent, { type: 'EmailRegistered' }>;
type EmailInvited = Extract<EmailEvent, { type: 'EmailInvited' }>;
type PasswordResetOffered = Extract<UserEvent, { type: 'PasswordResetOffered' }>;
type EmailChangeRequested = Extract<UserEvent, { type: 'EmailChangeRequested' }>;
type EmailChanged = Extract<UserEvent, { type: 'EmailChanged' }>;
type MemberInvited = Extract<TeamEvent, { type: 'MemberInvited' }>;

type Of<T extends AboutPayment['type']> = Extract<AboutPayment, { type: T }>;
type WebhookEndpointDisabled = Extract<WebhookEndpointEvent, { type: 'WebhookEndpointDisabled' }>;

type AboutPayment = Extract<
  BillingEvent,
  {
    type:
      | 'TrialEnding'
      | 'PaymentOverdue'
      | 'GraceEnding'
      | 'AccessSuspended'
      | 'AccessRestored'
      | 'DuplicateSubscriptionEnded'
      | 'PaidSubscriptionEnded';
  }
>;

type AnalysisEnded = Extract<AnalysisEvent, { type: 'AnalysisCompleted' | 'AnalysisFailed' }>;
type UsageThresholdReached = Extract<UsageThresholdEvent, { type: 'UsageThresholdReached' }>;

type Asking =
  | AnalysisEnded
  | AboutPayment
  | EmailRegistered
  | EmailInvited
  | PasswordResetOffered
  | EmailChangeRequested
  | EmailChanged
  | MemberInvited
  | WebhookEndpointDisabled
  | UsageThresholdReached;

/** What is asked for; undefined where there is nobody to write to. */
type Request = (
  event: StoredEvent,
  commands: CommandHandler,
) => Requested | undefined | Promise<Requested | undefined>;

/** What came from another system is a notice, and not a question. */
const registered: Request = (event) =>
  event.metadata.caller === IMPORTED_BY ? noticeOfImport(event) : verification(event);

const REQUESTS: { readonly [T in Asking['type']]: Request } = {
  EmailRegistered: registered,
  EmailInvited: invitationToRegister,
  PasswordResetOffered: passwordReset,
  EmailChangeRequested: emailChange,
  EmailChanged: noticeOfChange,
  MemberInvited: invitation,
  WebhookEndpointDisabled: noticeOfDisabling,
  TrialEnding: (event, commands) => {
    const { trialEndsAt, cancelled } = as<Of<'TrialEnding'>>(event).data;
    return cancelled ? undefined : toOwner('trial-ending', event.streamId, trialEndsAt, commands);
  },
  PaymentOverdue: (event, commands) =>
    toOwner('payment-failed', event.streamId, as<Of<'PaymentOverdue'>>(event).data.graceEndsAt, commands),
  GraceEnding: (event, commands) =>
    toOwner('grace-ending', event.streamId, as<Of<'GraceEnding'>>(event).data.graceEndsAt, commands),
  PaidSubscriptionEnded: (event, commands) =>
    as<Of<'PaidSubscriptionEnded'>>(event).data.reason === TRIAL_USED
      ? toOwner('trial-refused', event.streamId, noticeEnd(event), commands)
      : undefined,
  DuplicateSubscriptionEnded: (event, commands) =>
    toOwner('duplicate-ended', event.streamId, noticeEnd(event), commands),
  AccessSuspended: (event, commands) => toOwner('plan-suspended', event.streamId, noticeEnd(event), commands),
  AccessRestored: (event, commands) => toOwner('plan-restored', event.streamId, noticeEnd(event), commands),
  AnalysisCompleted: noticeOfAnalysis,
  AnalysisFailed: noticeOfAnalysis,
  UsageThresholdReached: noticeOfThreshold,
};

/**
 * Whoever registers is asked by mail whether the e-mail is theirs, unless an OIDC issuer has said so; so is
 * whoever changes it or has forgotten the password. Whoever is invited is told, and so is the e-mail that was
 * a user's before, and the owner of an account whose webhook endpoint was disabled, whose payment is due, whose
 * analysis has ended, where that was asked for, or that has reached a part of a limit.
 */
export function requestMails(commands: CommandHandler): Policy {
  const name = 'request-mails';
  return {
    name,
    handles: new Set(Object.keys(REQUESTS)),
    react: async (event) => {
      if (event.type === 'EmailRegistered' && event.metadata.caller?.startsWith('identity:')) return;
      const mail = await REQUESTS[event.type as Asking['type']](event, commands);
      if (!mail) return;
      await commands.handle(
        mailDecider,
        mailStream(derivedId('mail', event.id)),
        { type: 'RequestMail', mail },
        causedBy(event, name),
      );
    },
  };
}

/** What was requested is sent like all that leaves (decision 33). */
export function askForMails(
  commands: CommandHandler,
  outbox: Pick<Outbox, 'ask' | 'askAgain'>,
  clock: Clock,
): Policy {
  return {
    name: 'ask-for-mails',
    handles: new Set<MailEvent['type']>(['MailRequested', 'MailReplayed']),
    react: async (event) => {
      const history = await commands.load(event.stream);
      const [requested] = history;
      // It may have ended long ago: the list does not have to know it any more, or never did.
      if (!requested || fold(mailDecider, history).ended) return;
      const now = new Date(clock());
      if (event.type === 'MailRequested') await outbox.ask([mailFor(requested)], now);
      // The list may have forgotten it, or not heard yet that it had ended.
      else await outbox.askAgain(mailFor(requested), event.id, now);
    },
  };
}

/** The e-mail of an invitation to register is erased once its mail is sent, or never will be. */
export function eraseInvitedUser(commands: CommandHandler, personal: PersonalData): Policy {
  return {
    name: 'erase-invited-user',
    handles: new Set<MailEvent['type']>(['MailSent', 'MailFailed']),
    react: async (event) => {
      const { requested } = fold(mailDecider, await commands.load(event.stream));
      if (requested?.kind === 'invite-user') await personal.erase([requested.userId]);
    },
  };
}

function verification(event: StoredEvent): Requested {
  const { userId, email } = as<EmailRegistered>(event).data;
  const expiresAt = new Date(Date.parse(event.metadata.at) + VERIFY_MS).toISOString();
  return { kind: 'verify-email', userId, to: email, expiresAt };
}

function invitationToRegister(event: StoredEvent): Requested {
  const { invitationId, email, expiresAt } = as<EmailInvited>(event).data;
  return { kind: 'invite-user', userId: invitationId, to: email, expiresAt };
}

function noticeOfImport(event: StoredEvent): Requested {
  const { userId, email } = as<EmailRegistered>(event).data;
  const expiresAt = new Date(Date.parse(event.metadata.at) + NOTICE_MS).toISOString();
  return { kind: 'user-imported', userId, to: email, expiresAt };
}

function passwordReset(event: StoredEvent): Requested {
  const { email, emailHash, epoch, expiresAt } = as<PasswordResetOffered>(event).data;
  const userId = event.streamId;
  const subject = mailedSubject({ userId, epoch, emailHash });
  return { kind: 'reset-password', userId, subject, to: email, expiresAt };
}

function emailChange(event: StoredEvent): Requested {
  const { email, emailHash, epoch, expiresAt } = as<EmailChangeRequested>(event).data;
  const userId = event.streamId;
  const subject = mailedSubject({ userId, epoch, emailHash });
  return { kind: 'change-email', userId, subject, to: email, expiresAt };
}

function noticeOfChange(event: StoredEvent): Requested {
  const { previous } = as<EmailChanged>(event).data;
  return { kind: 'email-changed', userId: event.streamId, to: previous, expiresAt: noticeEnd(event) };
}

function invitation(event: StoredEvent): Requested {
  const { invitationId, email, expiresAt } = as<MemberInvited>(event).data;
  const subject = invitationSubject(event.streamId, invitationId);
  return { kind: 'invite-member', userId: invitationId, subject, to: email, expiresAt };
}

function noticeOfDisabling(event: StoredEvent, commands: CommandHandler): Promise<Requested | undefined> {
  const { accountId } = as<WebhookEndpointDisabled>(event).data;
  return toOwner('webhook-disabled', accountId, noticeEnd(event), commands);
}

async function noticeOfAnalysis(
  event: StoredEvent,
  commands: CommandHandler,
): Promise<Requested | undefined> {
  const [first] = await commands.load(event.stream);
  const request = first && as<AnalysisEvent>(first);
  if (request?.type !== 'AnalysisRequested' || !request.data.notify) return undefined;
  const { accountId } = request.data;
  if (accountId === null) return undefined;
  const mail = await toOwner(MAILED_RESULT, accountId, noticeEnd(event), commands);
  const ended = as<AnalysisEnded>(event);
  if (!mail || ended.type === 'AnalysisFailed' || ended.data.result === null) return mail;
  return { ...mail, subject: mailedResult(event.streamId, accountId) };
}

async function noticeOfThreshold(
  event: StoredEvent,
  commands: CommandHandler,
): Promise<Requested | undefined> {
  const { accountId, limit, percent } = as<UsageThresholdReached>(event).data;
  const mail = await toOwner('usage-threshold', accountId, noticeEnd(event), commands);
  return mail && { ...mail, threshold: { limit, percent } };
}

/** Until when a notice is worth sending. */
const noticeEnd = (event: StoredEvent): string =>
  new Date(Date.parse(event.metadata.at) + NOTICE_MS).toISOString();

/** To whoever opened an account, at the e-mail that they have now. */
async function toOwner(
  kind: MailKind,
  accountId: string,
  expiresAt: string,
  commands: CommandHandler,
): Promise<Requested | undefined> {
  const [opened] = await commands.load(accountStream(accountId));
  if (!opened) return undefined;
  const { ownerId: userId } = as<Extract<AccountEvent, { type: 'AccountOpened' }>>(opened).data;
  const to = await emailOf(commands, userId);
  return to === undefined ? undefined : { kind, userId, to, expiresAt };
}
