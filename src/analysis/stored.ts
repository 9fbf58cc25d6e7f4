import { createHash, randomUUID } from 'node:crypto';
import type { Blobs } from '../blobs/blobs.js';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import { contentHash, derivedId } from '../eventsourcing/ids.js';
import { byPolicy } from '../eventsourcing/policy.js';
import type { AnswerHead } from './answer.js';
import { wholeAnswer } from './answerJson.js';
import type { AnalysisChanges } from './changes.js';
import type { AnalysisCommand, AnalysisState } from './decide.js';
import { analysisDecider } from './decide.js';
import type { AnalysisFailure, Counts, FileFacts, PaidByCredits, ReadAs, RulesRef } from './events.js';
import { analysisStream } from './events.js';
import type { AnalysisPool } from './pool.js';
import { AnalysisFailed } from './pool.js';
import { AnalysisRefused } from './refused.js';
import type { FoundRules, RuleSets } from './ruleSets.js';
import type { AnalysisSettings } from './settings.js';
import { TooLarge } from './unzip.js';
import type { RunOptions } from './worker.js';

/** Of a result as JSON, in bytes: six times the largest file. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024;

type Request = NonNullable<AnalysisState['request']>;

/** Analyses of one file that failed, and were paid back in credits. */
const MAX_ATTEMPTS = 20;

/** How long a result is kept once it was fetched, in milliseconds. */
const FETCHED_MS = 900_000;

/** Takes payments for analyses: for one, or for several at once. */
export interface AnalysisPayment {
  /** A payment for one. */
  create(): Promise<{ readonly id: string; readonly clientSecret: string }>;
  /** A page on which one for several is made: where live cards are entered. */
  openPage(page: {
    readonly quantity: number;
    readonly name: string;
    readonly paidUrl: string;
    readonly unpaidUrl: string;
  }): Promise<{ readonly id: string; readonly url: string | null }>;
  /** Where a page stands, with the payment once it is made; undefined for one that is none of ours. */
  page(id: string): Promise<
    | {
        readonly status: 'open' | 'complete' | 'expired';
        readonly intent: string | null;
        readonly quantity: number;
      }
    | undefined
  >;
  /** `paid`, or another word for where it stands; undefined for one that is none of ours. */
  statusOf(intent: string): Promise<string | undefined>;
  /** For how many analyses it is good, those among them for which it was used. */
  quantity(intent: string): Promise<number>;
  /** Whether it was used for what has this hash, or for less than it pays for. */
  usable(intent: string, hash: string): Promise<boolean>;
  /** Gives back what was paid for what has this hash. @returns the id of the refund */
  giveBack(intent: string, hash: string): Promise<string>;
  /** @returns whether it pays for what has this hash */
  use(intent: string, hash: string): Promise<boolean>;
}

/** Pays for analyses of accounts with their prepaid credits. */
export interface AnalysisCredits {
  /** Credits that one costs. */
  readonly price: number;
  /** Whether an account has so many. */
  covers(accountId: string, amount: number): Promise<boolean>;
  /** Pays for one analysis, once. @returns whether there were enough credits */
  spend(accountId: string, analysisId: string, amount: number): Promise<boolean>;
  giveBack(accountId: string, analysisId: string): Promise<void>;
}

/** Who pays for an analysis whose file came with a call. */
export type Payer = { readonly intent: string } | { readonly credits: PaidByCredits };

export interface StoredAnalysesOptions {
  readonly commands: CommandHandler;
  readonly blobs: Blobs;
  readonly pool: AnalysisPool;
  /** Undefined where nobody takes payments. */
  readonly payment: AnalysisPayment | undefined;
  /** Undefined where the profile has no credits for it. */
  readonly credits: AnalysisCredits | undefined;
  readonly ruleSets: Pick<RuleSets, 'version'>;
  readonly settings: Pick<AnalysisSettings, 'keepSeconds'>;
  readonly clock: Clock;
  readonly changes: AnalysisChanges;
}

/**
 * Analyses that outlive a crash: the file lies in the blob port until it is analysed, the result until it was
 * fetched, neither longer than the profile says. Whoever has paid gets the result, or the money back, and the
 * events say which.
 */
export class StoredAnalyses {
  /** Those that a call of this process works on: it ends them itself. */
  readonly #direct = new Set<string>();
  #onLeft = (): void => undefined;

  constructor(private readonly options: StoredAnalysesOptions) {}

  async state(id: string): Promise<AnalysisState> {
    return fold(analysisDecider, await this.options.commands.load(analysisStream(id)));
  }

  /**
   * Takes a paid file of somebody who waits for the answer. The same file of the same payer is the same analysis,
   * but for one that failed and was paid back in credits.
   * @returns its id and where it stands; undefined where the payment was used for other files, or there are no
   * credits
   */
  async begin(
    payer: Payer,
    bytes: Uint8Array,
    readAs: ReadAs,
    ruleSet: RulesRef | null,
  ): Promise<{ readonly id: string; readonly state: AnalysisState } | undefined> {
    const { blobs, payment } = this.options;
    const hash = hashOf(bytes);
    const intent = 'intent' in payer ? payer.intent : null;
    if (intent !== null && payment && !(await payment.usable(intent, hash))) return undefined;
    const { id, state: known } = await this.#known(payer, hash);
    if (known.ended) return { id, state: known };
    this.#direct.add(id);
    try {
      const file = await this.#put(fileOf(id), id, bytes);
      const credits = 'credits' in payer ? payer.credits : null;
      const request = { accountId: null, intent, credits, readAs, ruleSet, notify: false, file };
      await this.#send(id, { type: 'RequestAnalysis', ...request });
      if (!(await this.#pay(id, request, file))) {
        await this.fail(id, 'payment');
        return undefined;
      }
      return { id, state: await this.state(id) };
    } catch (error) {
      this.#direct.delete(id);
      await blobs.shred([fileOf(id)]).catch(() => undefined);
      throw error;
    }
  }

  /** Whether a file was taken from its payer before, and is analysed or about to be. */
  async isBegun(payer: Payer, bytes: Uint8Array): Promise<boolean> {
    const { state } = await this.#known(payer, hashOf(bytes));
    return state.request !== undefined && state.ended !== 'failed';
  }

  async #known(payer: Payer, hash: string): Promise<{ readonly id: string; readonly state: AnalysisState }> {
    for (let attempt = 0; ; attempt++) {
      const id =
        'intent' in payer
          ? derivedId('analysis', payer.intent, hash)
          : derivedId('analysis', payer.credits.accountId, hash, String(attempt));
      const state = await this.state(id);
      if ('intent' in payer || state.ended !== 'failed') return { id, state };
      // One file that fails again and again is not looked for without end.
      if (attempt === MAX_ATTEMPTS) return { id: randomUUID(), state: analysisDecider.initial };
    }
  }

  /** Uses what pays for an analysis; again it changes nothing. @returns whether it is paid */
  async #pay(
    id: string,
    { accountId, intent, credits }: Pick<Request, 'accountId' | 'intent' | 'credits'>,
    file: FileFacts,
  ): Promise<boolean> {
    const { payment, credits: desk } = this.options;
    if (intent !== null) return (await payment?.use(intent, paidFor(id, accountId, file))) ?? false;
    if (!credits) return true;
    return (await desk?.spend(credits.accountId, id, credits.amount)) ?? false;
  }

  /** The call that worked on it has ended: what is not done is worked on like any other. */
  leave(id: string): void {
    if (this.#direct.delete(id)) this.#onLeft();
  }

  /** Calls back when there may be something left to do. */
  onLeft(listener: () => void): void {
    this.#onLeft = listener;
  }

  /** Takes the file of an analysis that was asked for. @returns a refusal's code, or undefined */
  async receive(id: string, bytes: Uint8Array): Promise<string | undefined> {
    const { file: known, request, deleted } = await this.state(id);
    const hash = hashOf(bytes);
    if (!request || deleted) return 'NOT_FOUND';
    if (known) return known.hash === hash ? undefined : 'FILE_RECEIVED';
    const file = await this.#put(`${fileOf(id)} ${hash}`, id, bytes);
    const sent = await this.#send(id, { type: 'ReceiveFile', file });
    return sent.kind === 'refused' ? sent.refusal.code : undefined;
  }

  /** Does what is to be done with an analysis: analyses it, or gives the money back. @throws Outage */
  async work(id: string, until: AbortSignal): Promise<void> {
    if (this.#direct.has(id)) return;
    const state = await this.state(id);
    if (state.refund === 'due') return this.#giveBack(id, state);
    if (!state.file || state.ended || state.deleted) return;
    const { blobs, pool, changes, ruleSets } = this.options;
    const { request } = state;
    if (!request) return;
    const { accountId, readAs, ruleSet } = request;
    if (!(await this.#pay(id, request, state.file))) return this.fail(id, 'payment');
    const name = accountId === null ? fileOf(id) : `${fileOf(id)} ${state.file.hash}`;
    const body = await blobs.get(name);
    if (body === null) return this.fail(id, 'file_lost');
    let own: FoundRules | undefined;
    if (ruleSet && !(own = await ruleSets.version(ruleSet))) return this.fail(id, 'rules_deleted');
    let head: AnswerHead;
    let result: FileFacts | null = null;
    try {
      // Its bytes go to a thread.
      const options = { ...readAs, own } as RunOptions;
      const running = await pool.run(new Uint8Array(body), options, until, (part) =>
        changes.progressed(id, part),
      );
      ({ head } = running);
      // Whoever has no account has left, and sends the file again where the answer is still wanted.
      if (accountId === null) running.close();
      else result = await this.#put(resultOf(id), id, await wholeAnswer(running, MAX_RESULT_BYTES));
    } catch (error) {
      if (until.aborted) return;
      const reason = reasonOf(error);
      if (reason === undefined) throw error;
      return this.fail(id, reason);
    } finally {
      changes.progressed(id, undefined);
    }
    await this.complete(id, head, result);
  }

  /** Ends an analysis: what was found is told in numbers, and the file shredded. */
  async complete(id: string, head: AnswerHead, result: FileFacts | null): Promise<void> {
    const { rules_version: rulesVersion } = head['read_as'] as { readonly rules_version: number };
    await this.#send(id, { type: 'CompleteAnalysis', counts: countsOf(head), result, rulesVersion });
    await this.#forgetFile(id);
    // Nothing is kept of what was deleted meanwhile.
    if ((await this.state(id)).deleted) await this.forget(id);
  }

  async fail(id: string, reason: AnalysisFailure): Promise<void> {
    await this.#send(id, { type: 'FailAnalysis', reason });
    await this.#forgetFile(id);
  }

  /** The answer as JSON; null once it was fetched, or its time is over. */
  result(id: string): Promise<Buffer | null> {
    return this.options.blobs.get(resultOf(id));
  }

  /** The result was fetched: it is kept for a while yet, for a download that broke. */
  async fetched(id: string): Promise<void> {
    const { blobs, clock } = this.options;
    await blobs.expireBy(resultOf(id), clock() + FETCHED_MS);
  }

  /** Shreds all that there is of an analysis. */
  async forget(id: string): Promise<void> {
    await this.options.blobs.shredSubject(id);
  }

  async #giveBack(id: string, { request, file }: AnalysisState): Promise<void> {
    const { payment, credits } = this.options;
    let refund: string;
    if (request?.credits && credits) {
      const { accountId, amount } = request.credits;
      await credits.giveBack(accountId, id);
      refund = `credits:${amount}`;
    } else if (request?.intent != null && file && payment) {
      refund = await payment.giveBack(request.intent, paidFor(id, request.accountId, file));
    } else return;
    await this.#send(id, { type: 'RecordRefund', refund });
  }

  async #forgetFile(id: string): Promise<void> {
    const { file } = await this.state(id);
    await this.options.blobs.shred([fileOf(id), ...(file ? [`${fileOf(id)} ${file.hash}`] : [])]);
    this.#direct.delete(id);
  }

  #put(name: string, subject: string, bytes: Uint8Array): Promise<FileFacts> {
    const { blobs, clock, settings } = this.options;
    return blobs.put(name, bytes, { subject, expiresAt: clock() + settings.keepSeconds * 1000 });
  }

  #send(id: string, command: AnalysisCommand) {
    const { commands, clock } = this.options;
    const context = byPolicy('analyses', randomUUID(), { at: clock(), about: id });
    return commands.handle(analysisDecider, analysisStream(id), command, context);
  }
}

const fileOf = (id: string): string => `analysis ${id} file`;
const resultOf = (id: string): string => `analysis ${id} result`;

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * What a payment is used for: this file, whose analysis it names where there is no account; otherwise this
 * analysis. Another one of the same file may fail, and would give back what the first one was paid with.
 */
export const paidFor = (id: string, accountId: string | null, { hash }: Pick<FileFacts, 'hash'>): string =>
  accountId === null ? hash : contentHash(JSON.stringify([accountId, id]));

/** Why there is no result; undefined for what may go otherwise the next time. */
export function reasonOf(error: unknown): AnalysisFailure | undefined {
  if (error instanceof AnalysisRefused) return 'unreadable';
  if (error instanceof TooLarge) return 'too_large';
  if (error instanceof AnalysisFailed) return 'internal';
  return undefined;
}

function countsOf(head: AnswerHead): Counts {
  return {
    entries: head['total_entries'] as number,
    events: head['total_events'] as number,
    patterns: copied(head['unique_patterns']),
    sequences: copied(head['sequence_counts']),
  };
}

/** What comes of a thread may be another realm's, which no event may hold. */
const copied = (counts: unknown): Counts['patterns'] => Object.fromEntries(Object.entries(counts as object));
