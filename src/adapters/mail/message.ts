import type { SendMailOptions } from 'nodemailer';
import type { Mail } from '../../mail/transport.js';

/** A mail as nodemailer takes it; nothing of it is read from a file or fetched. */
export function messageOf({ messageId, to, subject, text, html, date }: Mail, from: string): SendMailOptions {
  return {
    from,
    // No list and no name, whatever stands in it.
    to: { name: '', address: to },
    subject,
    text,
    html,
    date,
    messageId,
    // RFC 3834: no holiday replies.
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
