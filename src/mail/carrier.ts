import { randomInt, randomUUID } from 'node:crypto';
import { MAILED_RESULT, readMailedResult } from '../analysis/events.js';
import type { Clock, Elapsed } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { mayBePoison } from '../following/poison.js';
import type { Delivery } from '../outgoing/outbox.js';
import { DELIVERED } from '../outgoing/outbox.js';
import type { Carried, Carrier } from '../outgoing/worker.js';
import type { PersonalData } from '../secrets/personalData.js';
import type { SignedTokens } from '../secrets/signedTokens.js';
import type { MailCommand } from './decide.js';
import { mailDecider } from './decide.js';
import type { MailFailure } from './events.js';
import { mailStream } from './events.js';
import { contentOf } from './templates.js';
import type { MailTransport } from './transport.js';
import { MailNotTaken, MailRefused } from './transport.js';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

/** Waits after the first attempts, in milliseconds; afterwards an hour each, so that they go on for three days. */
const WAITS = [5 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE] as const;
const MOST_ATTEMPTS = WAITS.length + 72;
/** Up to a tenth later each time: what failed together does not come back together. */
const JITTER = 0.1;

/** A mail whose time is over is given up after so long, as time passes: the clock may be ahead for a moment. */
const OVER_MS = HOUR;
/** From one look at such a mail to the next. */
const LOOK_MS = MINUTE;

/** Why mails are given up, as the list of deliveries has it. */
const OUTCOMES = {
  EXPIRED: 'expired',
  ERASED: 'erased',
  REFUSED: 'refused',
  EXHAUSTED: 'exhausted',
} as const satisfies Readonly<Record<string, MailFailure>>;
type Outcome = keyof typeof OUTCOMES;
const outcomeOf = (failure: MailFailure): Outcome => failure.toUpperCase() as Uppercase<MailFailure>;

const givenUp = (outcome: Outcome): Carried => ({ kind: 'ended', outcome });

const NAME = 'send-mails';

export interface MailCarrierOptions {
  readonly commands: CommandHandler;
  readonly personal: PersonalData;
  readonly tokens: SignedTokens;
  readonly transport: MailTransport;
  readonly clock: Clock;
  readonly elapsed: Elapsed;
  readonly product: string;
  /** The address that customers use, an origin. */
  readonly publicUrl: string;
  /** What the report of a day says, a paragraph each; undefined where nothing is reported. */
  readonly report?: ((day: string) => Promise<readonly string[]>) | undefined;
  /** The part of a Message-ID behind the @. */
  readonly domain: string;
  /** Told of what the mail server has not taken. */
  readonly onError: (error: unknown) => void;
}

/**
 * Sends mails. Their text and the token in them are made when they are sent. A crash between the sending and its
 * event sends a mail again, under the same Message-ID; while the event cannot be stored, this process does not.
 */
export class MailCarrier implements Carrier {
  readonly longestWaitMs = HOUR * (1 + JITTER);
  /** Mails whose time is over by the clock: since when that is known here, as time passes. */
  readonly #over = new Map<string, number>();
  /** Mails that were sent from here, until that is stored: how many events each had then. */
  readonly #sent = new Map<string, number>();

  constructor(private readonly options: MailCarrierOptions) {}

  /** By their number, and not by the time since the first: a clock that is ahead for a moment gives nothing up. */
  retryMs(_delivery: Delivery, attempts: number): number | undefined {
    if (attempts >= MOST_ATTEMPTS) return undefined;
    const wait = WAITS[attempts - 1] ?? HOUR;
    return wait + randomInt(Math.floor(wait * JITTER));
  }

  /** What cannot be made is tried as often as what is not taken: a later version may be able to. */
  async carry({ id }: Delivery): Promise<Carried> {
    try {
      return await this.#carry(id);
    } catch (error) {
      if (!mayBePoison(error)) throw error;
      this.options.onError(error);
      return { kind: 'failed', failure: 'NOT_MADE' };
    }
  }

  async #carry(id: string): Promise<Carried> {
    const { commands, personal, tokens, transport, clock, product, publicUrl, domain, onError } =
      this.options;
    const history = await commands.load(mailStream(id));
    const { requested, ended } = fold(mailDecider, history);
    // A crash came between the event and the row.
    if (ended) {
      return { kind: 'ended', outcome: ended.failure === undefined ? DELIVERED : outcomeOf(ended.failure) };
    }
    if (!requested) throw new Error('a mail that nobody has asked for');
    if (this.#sent.get(id) === history.length) return { kind: 'delivered' };
    const { kind, userId, subject = userId, expiresAt, threshold } = requested;
    const end = new Date(expiresAt);
    if (end.getTime() <= clock()) return this.#isOver(id);
    this.#over.delete(id);
    const to = await personal.unseal(requested.to);
    if (to === null) return givenUp('ERASED');
    const token = tokens.sign(kind, subject, end);
    const result = kind === MAILED_RESULT ? readMailedResult(subject) : undefined;
    const report = kind === 'daily-report' ? await this.options.report?.(subject) : undefined;
    // The profile reports nothing any more.
    if (kind === 'daily-report' && !report) return givenUp('EXPIRED');
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
      const told = error instanceof MailNotTaken ? error.status : undefined;
      const status = told === undefined ? {} : { status: told };
      if (error instanceof MailRefused) {
        return { kind: 'failed', failure: 'REFUSED', outcome: 'REFUSED' satisfies Outcome, ...status };
      }
      onError(error);
      return { kind: 'failed', failure: 'NOT_TAKEN', ...status };
    }
    this.#sent.set(id, history.length);
    return { kind: 'delivered' };
  }

  /** The clock may be ahead: nothing is given up by what it alone says. */
  #isOver(id: string): Carried {
    const { elapsed } = this.options;
    const since = this.#over.get(id) ?? elapsed();
    this.#over.set(id, since);
    return elapsed() - since >= OVER_MS ? givenUp('EXPIRED') : { kind: 'later', afterMs: LOOK_MS };
  }

  async end({ id }: Delivery, outcome: string): Promise<void> {
    const { commands, clock } = this.options;
    const command: MailCommand =
      outcome === DELIVERED
        ? { type: 'ConfirmMail' }
        : { type: 'GiveUpMail', reason: OUTCOMES[outcome as Outcome] };
    const context = byPolicy(NAME, randomUUID(), { at: clock(), about: id });
    await commands.handle(mailDecider, mailStream(id), command, context);
    this.#over.delete(id);
    this.#sent.delete(id);
  }
}
