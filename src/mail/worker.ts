import { randomUUID } from 'node:crypto';
import { MAILED_RESULT, readMailedResult } from '../analysis/events.js';
import type { Clock, Elapsed } from '../clock.js';
import { eachOnce } from '../eachOnce.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import { byPolicy } from '../eventsourcing/policy.js';
import type { PersonalData } from '../secrets/personalData.js';
import type { SignedTokens } from '../secrets/signedTokens.js';
import { Wake } from '../wake.js';
import type { MailCommand } from './decide.js';
import { mailDecider } from './decide.js';
import { mailStream } from './events.js';
import { contentOf } from './templates.js';
import type { MailTransport } from './transport.js';
import { MailRefused } from './transport.js';

const BATCH = 20;
/** A mail whose time is over is given up after so long, as time passes: the clock may be ahead for a moment. */
const OVER_MS = 3_600_000;

export interface MailWorkerOptions {
  readonly commands: CommandHandler;
  readonly personal: PersonalData;
  readonly tokens: SignedTokens;
  readonly transport: MailTransport;
  /** Mails that were asked for and are not done, the oldest first. */
  readonly pending: (limit: number, without: readonly string[]) => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly elapsed: Elapsed;
  readonly product: string;
  /** The address that customers use, an origin. */
  readonly publicUrl: string;
  /** What the report of a day says, a paragraph each; undefined where nothing is reported. */
  readonly report?: ((day: string) => Promise<readonly string[]>) | undefined;
  /** The part of a Message-ID behind the @. */
  readonly domain: string;
  readonly onError: (error: unknown) => void;
}

/**
 * Sends what was asked for. The list of work is the difference between mails that were asked for and those
 * that are done, so a crash forgets none; one between the sending and its confirmation sends the mail again,
 * under the same Message-ID.
 */
export class MailWorker {
  readonly #wake = new Wake();
  /** Mails whose time is over by the clock: since when that is known here, as time passes. */
  readonly #over = new Map<string, number>();

  constructor(private readonly options: MailWorkerOptions) {}

  /** There may be something to do. */
  wake(): void {
    this.#wake.call();
  }

  /** Works until it is told to stop. */
  async run(until: AbortSignal): Promise<void> {
    const { onError } = this.options;
    await this.#wake.repeat(until, () => this.sendAll(until), { onError });
  }

  /** Sends all that there is, each once. @returns whether there is something to try again later */
  async sendAll(until: AbortSignal): Promise<boolean> {
    const { pending, onError } = this.options;
    let later = false;
    const work = async (id: string): Promise<void> => {
      if (!(await this.#deliver(id))) later = true;
    };
    const list = (without: readonly string[]) => pending(BATCH, without);
    const failed = await eachOnce({ list, idsOf: (id: string) => [id], work, onError }, until);
    return failed || later;
  }

  /** @returns whether it is done with, one way or the other */
  async #deliver(id: string): Promise<boolean> {
    const { commands, personal, tokens, transport, clock, elapsed, product, publicUrl, domain } =
      this.options;
    const history = await commands.load(mailStream(id));
    const { requested, done } = fold(mailDecider, history);
    // The read model may be behind.
    if (!requested || done) return true;
    const { kind, userId, subject = userId, expiresAt, threshold } = requested;
    const end = new Date(expiresAt);
    if (end.getTime() <= clock()) {
      const since = this.#over.get(id) ?? elapsed();
      this.#over.set(id, since);
      return elapsed() - since >= OVER_MS && this.#finish(id, { type: 'GiveUpMail', reason: 'expired' });
    }
    const to = await personal.unseal(requested.to);
    if (to === null) return this.#finish(id, { type: 'GiveUpMail', reason: 'erased' });
    const token = tokens.sign(kind, subject, end);
    const result = kind === MAILED_RESULT ? readMailedResult(subject) : undefined;
    const report = kind === 'daily-report' ? await this.options.report?.(subject) : undefined;
    // The profile reports nothing any more.
    if (kind === 'daily-report' && !report)
      return this.#finish(id, { type: 'GiveUpMail', reason: 'expired' });
    const content = contentOf(kind, {
      product,
      token,
      link: result && `${publicUrl}/v1/analyses/${result.id}/result?as=pdf&token=${token}`,
      expiresAt: end,
      threshold,
      report,
    });
    const date = new Date(history[0]?.metadata.at ?? clock());
    try {
      await transport.send({ messageId: `<${id}@${domain}>`, to, date, ...content });
    } catch (error) {
      if (!(error instanceof MailRefused)) throw error;
      return this.#finish(id, { type: 'GiveUpMail', reason: 'refused' });
    }
    return this.#finish(id, { type: 'ConfirmMail' });
  }

  async #finish(id: string, command: MailCommand): Promise<true> {
    const { commands, clock } = this.options;
    const context = byPolicy('send-mails', randomUUID(), { at: clock(), about: id });
    await commands.handle(mailDecider, mailStream(id), command, context);
    this.#over.delete(id);
    return true;
  }
}
