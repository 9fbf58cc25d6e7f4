import { escapeHtml } from '../text/html.js';
import type { MailedThreshold, MailKind } from './events.js';

export interface MailContent {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * All that stands in a mail beside the texts below, and none of it comes from whoever asked for the mail:
 * anybody may enter somebody else's e-mail, and would write to them in our name. The token is made of ids.
 */
export interface Filling {
  /** Of the profile, as people know the product. */
  readonly product: string;
  readonly token: string;
  readonly expiresAt: Date;
  readonly threshold?: MailedThreshold | undefined;
  /** Of ours, with the token in it. */
  readonly link?: string | undefined;
  /** What a report says, a paragraph each. */
  readonly report?: readonly string[] | undefined;
}

/** Without what would begin another header or line. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** The texts of all mails. */
export const TEMPLATES: Readonly<Record<MailKind, (filling: Filling) => MailContent>> = {
  'verify-email': verifyEmail,
  'invite-member': inviteMember,
  'reset-password': resetPassword,
  'change-email': changeEmail,
  'email-changed': emailChanged,
  'webhook-disabled': webhookDisabled,
  'trial-ending': trialEnding,
  'trial-refused': trialRefused,
  'duplicate-ended': duplicateEnded,
  'payment-failed': paymentFailed,
  'grace-ending': graceEnding,
  'plan-suspended': planSuspended,
  'plan-restored': planRestored,
  'daily-report': dailyReport,
  'dispute-opened': disputeOpened,
  'dispute-won': disputeWon,
  'dispute-lost': disputeLost,
  'inquiry-opened': inquiryOpened,
  'refund-failed': refundFailed,
  'invite-user': inviteUser,
  'user-imported': userImported,
  'analysis-ended': analysisEnded,
  'usage-threshold': usageThreshold,
};

export function contentOf(kind: MailKind, filling: Filling): MailContent {
  return TEMPLATES[kind]({ ...filling, product: oneLine(filling.product) });
}

function verifyEmail({ product, token, expiresAt }: Filling): MailContent {
  const why = `Someone, hopefully you, signed up for ${product} with this e-mail.`;
  const what = 'To confirm that it is yours, pass this token to the mutation verifyEmail:';
  return {
    subject: `${product}: confirm your e-mail`,
    ...withToken(
      GREETING,
      `${why} ${what}`,
      token,
      `${expiry(expiresAt)} If this wasn't you, ignore this e-mail.`,
    ),
  };
}

function inviteMember({ product, token, expiresAt }: Filling): MailContent {
  const why = `You have been invited to join an account at ${product}.`;
  const what =
    'To accept, sign up or sign in with this e-mail, verify it, and pass this token to the mutation acceptInvitation:';
  return {
    subject: `${product}: you have been invited to an account`,
    ...withToken(
      GREETING,
      `${why} ${what}`,
      token,
      `${expiry(expiresAt)} If you weren't expecting this, ignore this e-mail.`,
    ),
  };
}

function resetPassword({ product, token, expiresAt }: Filling): MailContent {
  const why = `Someone, hopefully you, asked to reset your password at ${product}.`;
  const what = 'To choose a new one, pass this token to the mutation resetPassword:';
  return {
    subject: `${product}: reset your password`,
    ...withToken(
      GREETING,
      `${why} ${what}`,
      token,
      `It can be used once. ${expiry(expiresAt)} If this wasn't you, ignore this e-mail: your password stays the same.`,
    ),
  };
}

function changeEmail({ product, token, expiresAt }: Filling): MailContent {
  const why = `Someone, hopefully you, asked to change the e-mail of their user at ${product} to this one.`;
  const what = 'To confirm that it is yours, pass this token to the mutation confirmEmailChange:';
  return {
    subject: `${product}: confirm your new e-mail`,
    ...withToken(
      GREETING,
      `${why} ${what}`,
      token,
      `${expiry(expiresAt)} If this wasn't you, ignore this e-mail.`,
    ),
  };
}

function emailChanged({ product }: Filling): MailContent {
  const what = `The e-mail of your user at ${product} was changed to another one, with your password.`;
  return {
    subject: `${product}: your e-mail was changed`,
    ...bodyOf([GREETING, what, "If this wasn't you, reply to this e-mail at once."]),
  };
}

function webhookDisabled({ product }: Filling): MailContent {
  const what = `Events could not be delivered to a webhook endpoint of your account at ${product}, so no more are sent to it.`;
  const how =
    'Look at its deliveries, fix the receiver, and enable the endpoint with updateWebhookEndpoint. What was given up can be sent again with replayWebhookDeliveries.';
  return {
    subject: `${product}: a webhook endpoint was disabled`,
    ...bodyOf([GREETING, what, how]),
  };
}

/** How to pay, in all mails about payments. */
const PAY = 'To change the card or pay the open invoice, open the billing portal with openBillingPortal.';

function trialEnding({ product, expiresAt }: Filling): MailContent {
  const what = `The trial of your plan at ${product} ends on ${expiresAt.toUTCString()}. Then it continues, and its price is charged to your card.`;
  const how = 'If you do not want that, cancel it before then with cancelSubscription.';
  return { subject: `${product}: your trial ends soon`, ...bodyOf([GREETING, what, how]) };
}

function trialRefused({ product }: Filling): MailContent {
  const what = `Your trial at ${product} has not begun: the card has been used for a trial before, and each card gives one. Nothing was charged.`;
  const how = 'To subscribe without a trial, call startCheckout once more.';
  return { subject: `${product}: your trial has not begun`, ...bodyOf([GREETING, what, how]) };
}

function duplicateEnded({ product }: Filling): MailContent {
  const what = `Your account at ${product} was subscribed twice. The second subscription has been ended, and what was paid for it is being returned. The first one goes on.`;
  return { subject: `${product}: your second subscription has been ended`, ...bodyOf([GREETING, what]) };
}

function paymentFailed({ product, expiresAt }: Filling): MailContent {
  const what = `A payment for your plan at ${product} has failed. It is tried again, and your plan stays in force until ${expiresAt.toUTCString()}.`;
  return { subject: `${product}: a payment has failed`, ...bodyOf([GREETING, what, PAY]) };
}

function graceEnding({ product, expiresAt }: Filling): MailContent {
  const what = `An invoice for your plan at ${product} is still open. If it is not paid by ${expiresAt.toUTCString()}, the limits of the default plan hold from then on.`;
  return { subject: `${product}: your plan is about to be suspended`, ...bodyOf([GREETING, what, PAY]) };
}

function planSuspended({ product }: Filling): MailContent {
  const what = `Your plan at ${product} is suspended, since it was not paid: the limits of the default plan hold.`;
  const how = `Nothing is lost: the plan is back as soon as it is paid. ${PAY}`;
  return { subject: `${product}: your plan is suspended`, ...bodyOf([GREETING, what, how]) };
}

function planRestored({ product }: Filling): MailContent {
  const what = `Thank you: the invoice for your plan at ${product} is paid, and the plan is in force again.`;
  return { subject: `${product}: your plan is back`, ...bodyOf([GREETING, what]) };
}

function dailyReport({ product, report = [] }: Filling): MailContent {
  return {
    subject: `${product}: the figures of a day`,
    ...bodyOf([GREETING, `This is how ${product} has done.`, ...report]),
  };
}

/** Where all of it stands, in mails about disputes. */
const DISPUTES = 'Which payment it is, and of whom, stands in operator { disputes }.';

function disputeOpened({ product }: Filling): MailContent {
  const what = `A customer of ${product} disputes a payment: their bank has taken the money back until it has decided.`;
  const how =
    'Answer with evidence at the payment service before the deadline, or the dispute is lost. What was bought with a single payment is taken back until then; a plan stays in force.';
  return { subject: `${product}: a payment is disputed`, ...bodyOf([GREETING, what, how, DISPUTES]) };
}

function disputeWon({ product }: Filling): MailContent {
  const what = `A dispute about a payment at ${product} was won: the money is back, and so is what was bought with it.`;
  return { subject: `${product}: a dispute was won`, ...bodyOf([GREETING, what, DISPUTES]) };
}

function disputeLost({ product }: Filling): MailContent {
  const what = `A dispute about a payment at ${product} was lost: the customer keeps the money.`;
  return { subject: `${product}: a dispute was lost`, ...bodyOf([GREETING, what, DISPUTES]) };
}

function inquiryOpened({ product }: Filling): MailContent {
  const what = `The bank of a customer of ${product} asks about a payment. It has taken no money yet.`;
  const how =
    'Answer at the payment service before the deadline, or give the payment back: otherwise it may become a dispute. Until then everything stays as it is.';
  return { subject: `${product}: a bank asks about a payment`, ...bodyOf([GREETING, what, how, DISPUTES]) };
}

function refundFailed({ product }: Filling): MailContent {
  const what = `A refund at ${product} has failed: the money is back on your account at the payment service, and the customer does not have it.`;
  const how =
    'Credits and payments that the refund had taken back are good again. Give the money back another way, or take back what was bought. Which refund it is, and why it failed, stands in operator { auditLog }: RefundFailed.';
  return { subject: `${product}: a refund has failed`, ...bodyOf([GREETING, what, how]) };
}

function inviteUser({ product }: Filling): MailContent {
  const what = `You have been invited to ${product}. To accept, sign up with this e-mail within 30 days: registerUser takes it.`;
  return {
    subject: `${product}: you have been invited`,
    ...bodyOf([GREETING, what, "If you weren't expecting this, ignore this e-mail."]),
  };
}

function userImported({ product }: Filling): MailContent {
  const what = `Your account at ${product} has moved to another system. What you have stays as it was: your keys go on working, and so does your plan.`;
  const how =
    'Your old password did not move. To sign in, ask for a new one with requestPasswordReset and this e-mail; the next e-mail says how to go on.';
  return { subject: `${product}: your account has moved`, ...bodyOf([GREETING, what, how]) };
}

function analysisEnded({ product, link }: Filling): MailContent {
  const what = `An analysis that your account at ${product} has asked for has ended.`;
  const how =
    'Read it with myAnalyses: it says what was found, or why it failed, and has a link to the result while that is kept.';
  const report = 'A report in numbers, without a word of the file, stands there while it is kept:';
  const secret = 'Whoever has this link can read it. deleteAnalysis ends it at once.';
  const parts = link === undefined ? [] : [report, { link }, secret];
  return { subject: `${product}: your analysis has ended`, ...bodyOf([GREETING, what, ...parts, how]) };
}

function usageThreshold({ product, threshold }: Filling): MailContent {
  const { percent = 0, limit = '' } = threshold ?? {};
  const what = `Your account at ${product} has used ${percent} % of its limit ${oneLine(limit)}.`;
  const how =
    'Account.limits says where it stands and when it is reset, Account.usageThresholds which thresholds were reached.';
  return {
    subject: `${product}: ${percent} % of a limit is used`,
    ...bodyOf([GREETING, what, how]),
  };
}

const GREETING = 'Hello,';

const expiry = (at: Date): string => `It expires on ${at.toUTCString()}.`;

function withToken(
  greeting: string,
  what: string,
  token: string,
  until: string,
): Pick<MailContent, 'text' | 'html'> {
  return bodyOf([greeting, what, { token }, until]);
}

type Part = string | { readonly token: string } | { readonly link: string };

function bodyOf(parts: readonly Part[]): Pick<MailContent, 'text' | 'html'> {
  const texts = parts.map((part) =>
    typeof part === 'string' ? part : 'link' in part ? part.link : part.token,
  );
  const elements = parts.map((part) => {
    if (typeof part === 'string') return `<p>${escapeHtml(part)}</p>`;
    if ('token' in part) return `<p><code>${escapeHtml(part.token)}</code></p>`;
    const link = escapeHtml(part.link);
    return `<p><a href="${link}">${link}</a></p>`;
  });
  return {
    text: `${texts.join('\n\n')}\n`,
    html: ['<!doctype html>', '<html lang="en"><body>', ...elements, '</body></html>', ''].join('\n'),
  };
}
