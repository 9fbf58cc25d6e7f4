import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import nodemailer from 'nodemailer';
import type { MailTransport } from '../../mail/transport.js';
import { messageOf } from './message.js';

/**
 * Mails as files, for development: `<folder>/<mail id>.eml` for mail programs, and `.txt` for people and scripts, who
 * copy a token from it, which the encoding of a mail would break into lines. Each is there whole or not at all.
 */
export function mailFiles(folder: string, from: string): MailTransport {
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
  return {
    send: async (mail) => {
      const { message } = await transport.sendMail(messageOf(mail, from));
      const name = (/^<([^@]+)@/.exec(mail.messageId)?.[1] ?? '').replace(/[^A-Za-z0-9-]/g, '');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const { to, subject, text } = mail;
      // A mail that is seen as such can be read as well.
      for (const [ending, content] of [
        ['txt', `To: ${to}\nSubject: ${subject}\n\n${text}`],
        ['eml', message as Buffer],
      ] as const) {
        const file = join(folder, `${name}.${ending}`);
        await writeFile(`${file}.new`, content, { mode: 0o600 });
        await rename(`${file}.new`, file);
      }
    },
    close: () => transport.close(),
  };
}
