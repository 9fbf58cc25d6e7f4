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
};

export function contentOf(kind: MailKind, filling: Filling): MailContent {
  return TEMPLATES[kind]({ ...filling, name: oneLine(filling.name), product: oneLine(filling.product) });
}

function verifyEmail({ product, name, token, expiresAt }: Filling): MailContent {
  const greeting = name === '' ? 'Hello,' : `Hello ${name},`;
  const why = `somebody, we hope you, has registered this e-mail with ${product}.`;
  const what = 'To confirm that it is yours, send this token with the mutation verifyEmail:';
  const until = `It is good until ${expiresAt.toUTCString()}. If it was not you, do nothing.`;
  return {
    subject: `${product}: confirm your e-mail`,
    text: `${greeting}\n\n${why} ${what}\n\n${token}\n\n${until}\n`,
    html: [
      '<!doctype html>',
      '<html lang="en"><body>',
      `<p>${escapeHtml(greeting)}</p>`,
      `<p>${escapeHtml(`${why} ${what}`)}</p>`,
      `<p><code>${escapeHtml(token)}</code></p>`,
      `<p>${escapeHtml(until)}</p>`,
      '</body></html>',
      '',
    ].join('\n'),
  };
}
