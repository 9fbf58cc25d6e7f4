import { join } from 'node:path';
import { MailQueries } from '../../projections/mails/queries.js';
import type { Config } from '../config.js';
import { Leadership } from '../following/leases.js';
import type { Logger } from '../logger.js';
import type { MailTransport } from '../mail/transport.js';
import { MailWorker } from '../mail/worker.js';
import { SignedTokens } from '../secrets/signedTokens.js';
import type { RunningProjections } from './projections.js';
import type { Shutdown } from '../shutdown.js';
import type { Stores } from './stores.js';

/** Sends mails, in one of the processes that run policies. */
export async function sendMails(
  { models, sql, leases }: RunningProjections,
  { commands, personal, secrets, clock, elapsed, profile }: Stores,
  config: Config,
  report: ((day: string) => Promise<readonly string[]>) | undefined,
  log: Logger,
  shutdown: Shutdown,
): Promise<void> {
  const transport = await openTransport(config);
  const onError = (error: unknown): void => log.error('a mail is not sent yet', error);
  const queries = new MailQueries(sql, models.access('mails'));
  const worker = new MailWorker({
    commands,
    personal,
    tokens: new SignedTokens(secrets.SESSION_KEY),
    transport,
    pending: (limit, without) => queries.pending(limit, without),
    clock,
    elapsed,
    product: profile.product,
    publicUrl: config.publicUrl,
    report,
    domain: /@([A-Za-z0-9.-]+)/.exec(config.mailFrom)?.[1] ?? 'localhost',
    onError,
  });
  models.onChanged('mails', () => worker.wake());
  const leadership = new Leadership({
    leases,
    name: 'mails',
    lead: (_lease, until) => worker.run(until),
    stand: () => Promise.resolve(),
    onError,
  });
  leadership.start();
  shutdown.add('mails', async () => {
    await leadership.stop();
    transport.close();
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
