/** A mail, ready to be sent. */
export interface Mail {
  /** The same however often it is sent: those who get it twice can tell (RFC 5322, section 3.6.4). */
  readonly messageId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly date: Date;
}

/** The mail can never be sent, e.g. since the server knows no such recipient. */
export class MailRefused extends Error {}

/** The port to whatever carries mails. */
export interface MailTransport {
  /** @throws MailRefused; any other error says that it may work later */
  send(mail: Mail): Promise<void>;
  close(): void;
}
