import type { MailKind } from './events.js';

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
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text as HTML shows it, in an element or a quoted attribute. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => ENTITIES[c] as string);

/** Without what would begin another header or line. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** The texts of all mails. */
export const TEMPLATES: Readonly<Record<MailKind, (filling: Filling) => MailContent>> = {
  'verify-email': verifyEmail,
  'invite-member': inviteMember,
  'reset-password': resetPassword,
  'change-email': changeEmail,
  'email-changed': emailChanged,
};

export function contentOf(kind: MailKind, filling: Filling): MailContent {
  return TEMPLATES[kind]({ ...filling, product: oneLine(filling.product) });
}

function verifyEmail({ product, token, expiresAt }: Filling): MailContent {
  const why = `somebody, we hope you, has registered this e-mail with ${product}.`;
  const what = 'To confirm that it is yours, send this token with the mutation verifyEmail:';
  return {
    subject: `${product}: confirm your e-mail`,
    ...withToken(
      GREETING,
      `${why} ${what}`,
      token,
      `It is good until ${expiresAt.toUTCString()}. If it was not you, do nothing.`,
    ),
  };
}

function inviteMember({ product, token, expiresAt }: Filling): MailContent {
  const why = `somebody invites you to work with them in their account at ${product}.`;
  const what =
    'To join, register or sign in with this e-mail, verify it, and send this token with the mutation acceptInvitation:';
  return {
    subject: `${product}: you are invited to an account`,
    ...withToken(
      GREETING,
      `${why} ${what}`,
      token,
      `It is good until ${expiresAt.toUTCString()}. If you don't know what this is about, do nothing.`,
    ),
  };
}

function resetPassword({ product, token, expiresAt }: Filling): MailContent {
  const why = `somebody, we hope you, has forgotten the password of this e-mail at ${product}.`;
  const what = 'To set a new one, send this token with the mutation resetPassword:';
  return {
    subject: `${product}: set a new password`,
    ...withToken(
      GREETING,
      `${why} ${what}`,
      token,
      `It is good once, until ${expiresAt.toUTCString()}. If it was not you, do nothing: the password stays as it is.`,
    ),
  };
}

function changeEmail({ product, token, expiresAt }: Filling): MailContent {
  const why = `somebody, we hope you, wants to use this e-mail with ${product} from now on.`;
  const what = 'To confirm that it is yours, send this token with the mutation confirmEmailChange:';
  return {
    subject: `${product}: confirm your new e-mail`,
    ...withToken(
      GREETING,
      `${why} ${what}`,
      token,
      `It is good until ${expiresAt.toUTCString()}. If it was not you, do nothing.`,
    ),
  };
}

function emailChanged({ product }: Filling): MailContent {
  const what = `your user at ${product} has another e-mail from now on, as somebody, we hope you, has asked for with your password.`;
  return {
    subject: `${product}: your e-mail was changed`,
    ...bodyOf([GREETING, what, 'If it was not you, tell us at once: answer this mail.']),
  };
}

const GREETING = 'Hello,';

function withToken(
  greeting: string,
  what: string,
  token: string,
  until: string,
): Pick<MailContent, 'text' | 'html'> {
  return bodyOf([greeting, what, { token }, until]);
}

function bodyOf(parts: readonly (string | { readonly token: string })[]): Pick<MailContent, 'text' | 'html'> {
  const texts = parts.map((part) => (typeof part === 'string' ? part : part.token));
  const elements = parts.map((part) =>
    typeof part === 'string' ? `<p>${escapeHtml(part)}</p>` : `<p><code>${escapeHtml(part.token)}</code></p>`,
  );
  return {
    text: `${texts.join('\n\n')}\n`,
    html: ['<!doctype html>', '<html lang="en"><body>', ...elements, '</body></html>', ''].join('\n'),
  };
}
