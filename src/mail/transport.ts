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

/** The mail was not taken, which may pass. */
export class MailNotTaken extends Error {
  /** @param status of the server's answer (RFC 5321, section 4.2); undefined where there was none */
  constructor(
    message: string,
    readonly status?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The mail can never be sent, e.g. since the server knows no such recipient. */
export class MailRefused extends MailNotTaken {}

/** The port to whatever carries mails. */
export interface MailTransport {
  /** @throws MailRefused; any other error says that it may work later */
  send(mail: Mail): Promise<void>;
  close(): void;
}
