import type { MailKind } from './events.js';

export interface MailContent {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface Filling {
  /** Of the product, as people know it. */
  readonly product: string;
  /** Of the reader; empty where it is not known. */
  readonly name: string;
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

/** Without what would begin another header or line: names are the readers' own. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

const TEMPLATES: Readonly<Record<MailKind, (filling: Filling) => MailContent>> = {
  'verify-email': verifyEmail,
  'invite-member': inviteMember,
};

export function contentOf(kind: MailKind, filling: Filling): MailContent {
  return TEMPLATES[kind]({ ...filling, name: oneLine(filling.name), product: oneLine(filling.product) });
}

function verifyEmail({ product, name, token, expiresAt }: Filling): MailContent {
  const why = `somebody, we hope you, has registered this e-mail with ${product}.`;
  const what = 'To confirm that it is yours, send this token with the mutation verifyEmail:';
  return {
    subject: `${product}: confirm your e-mail`,
    ...withToken(
      greetingOf(name),
      `${why} ${what}`,
      token,
      `It is good until ${expiresAt.toUTCString()}. If it was not you, do nothing.`,
    ),
  };
}

function inviteMember({ product, name, token, expiresAt }: Filling): MailContent {
  const why = `somebody invites you to work with them in their account at ${product}.`;
  const what =
    'To join, register or sign in with this e-mail, verify it, and send this token with the mutation acceptInvitation:';
  return {
    subject: `${product}: you are invited to an account`,
    ...withToken(
      greetingOf(name),
      `${why} ${what}`,
      token,
      `It is good until ${expiresAt.toUTCString()}. If you don't know what this is about, do nothing.`,
    ),
  };
}

const greetingOf = (name: string): string => (name === '' ? 'Hello,' : `Hello ${name},`);

function withToken(
  greeting: string,
  what: string,
  token: string,
  until: string,
): Pick<MailContent, 'text' | 'html'> {
  return {
    text: `${greeting}\n\n${what}\n\n${token}\n\n${until}\n`,
    html: [
      '<!doctype html>',
      '<html lang="en"><body>',
      `<p>${escapeHtml(greeting)}</p>`,
      `<p>${escapeHtml(what)}</p>`,
      `<p><code>${escapeHtml(token)}</code></p>`,
      `<p>${escapeHtml(until)}</p>`,
      '</body></html>',
      '',
    ].join('\n'),
  };
}
