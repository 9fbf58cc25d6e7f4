import nodemailer from 'nodemailer';
import type { MailTransport } from '../../mail/transport.js';
import { MailNotTaken, MailRefused } from '../../mail/transport.js';
import { messageOf } from './message.js';

const TIMEOUT_MS = 10_000;

/** Mails over SMTP, one connection after the other. */
export function smtp(url: string, from: string): MailTransport {
  const transport = nodemailer.createTransport({
    url,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  });
  return {
    send: async (mail) => {
      try {
        await transport.sendMail(messageOf(mail, from));
      } catch (error) {
        const { code, responseCode } = error as { code?: string; responseCode?: number };
        // The recipient alone is at fault, for good (RFC 5321, section 4.2.1); all else may pass.
        if (code === 'EENVELOPE' && (responseCode ?? 0) >= 500) {
          throw new MailRefused('the mail server refuses the recipient', responseCode, { cause: error });
        }
        const why = `${code ?? 'unknown'} ${responseCode ?? ''}`.trim();
        throw new MailNotTaken(`the mail server does not take the mail: ${why}`, responseCode);
      }
    },
    close: () => transport.close(),
  };
}
