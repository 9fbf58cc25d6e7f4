import { join } from 'node:path';
import type { Config } from '../config.js';
import type { Logger } from '../logger.js';
import { MailCarrier } from '../mail/carrier.js';
import type { MailTransport } from '../mail/transport.js';
import { SignedTokens } from '../secrets/signedTokens.js';
import type { Shutdown } from '../shutdown.js';
import type { Stores } from './stores.js';

/** What sends mails. @param report what the report of a day says; undefined where nothing is reported */
export async function createMailCarrier(
  { commands, personal, secrets, clock, elapsed, profile }: Stores,
  config: Config,
  report: ((day: string) => Promise<readonly string[]>) | undefined,
  log: Logger,
  shutdown: Shutdown,
): Promise<MailCarrier> {
  const transport = await openTransport(config);
  shutdown.add('mails', () => transport.close());
  return new MailCarrier({
    commands,
    personal,
    tokens: new SignedTokens(secrets.SESSION_KEY),
    transport,
    clock,
    elapsed,
    product: profile.product,
    publicUrl: config.publicUrl,
    report,
    domain: /@([A-Za-z0-9.-]+)/.exec(config.mailFrom)?.[1] ?? 'localhost',
    onError: (error) => log.error('a mail is not sent yet', error),
  });
}

/** Loaded where mails are sent. */
async function openTransport({ smtpUrl, mailFrom, dataDir }: Config): Promise<MailTransport> {
  if (smtpUrl === undefined) {
    const { mailFiles } = await import('../adapters/mail/files.js');
    return mailFiles(join(dataDir, 'mail'), mailFrom);
  }
  const { smtp } = await import('../adapters/mail/smtp.js');
  return smtp(smtpUrl, mailFrom);
}
