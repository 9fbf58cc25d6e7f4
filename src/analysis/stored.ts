import { createHash, randomUUID } from 'node:crypto';
import type { Blobs } from '../blobs/blobs.js';
import type { Clock } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { fold } from '../eventsourcing/decider.js';
import { contentHash, derivedId } from '../eventsourcing/ids.js';
import type { AnswerHead } from './answer.js';
import { wholeAnswer } from './answerJson.js';
import type { AnalysisChanges } from './changes.js';
import type { AnalysisCommand, AnalysisState } from './decide.js';
import { analysisDecider } from './decide.js';
import type { AnalysisFailure, Counts, FileFacts, ReadAs } from './events.js';
import { analysisStream } from './events.js';
import type { AnalysisPool } from './pool.js';
import { AnalysisFailed } from './pool.js';
import { AnalysisRefused } from './refused.js';
import type { AnalysisSettings } from './settings.js';
import { TooLarge } from './unzip.js';

/** Of a result as JSON, in bytes: six times the largest file. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024;

/** How long a result is kept once it was fetched, in milliseconds. */
const FETCHED_MS = 900_000;

type PoolOptions = Parameters<AnalysisPool['run']>[1];

/** Takes a payment for one analysis. */
export interface AnalysisPayment {
  create(): Promise<{ readonly id: string; readonly clientSecret: string }>;
  /** `paid`, or another word for where it stands; undefined for one that is none of ours. */
  statusOf(intent: string): Promise<string | undefined>;
  /** Whether it was used for nothing yet, or for the file with this hash. */
  usable(intent: string, hash: string): Promise<boolean>;
  /** Gives it back. @returns the id of the refund */
  giveBack(intent: string): Promise<string>;
  /** @returns whether it is free for the file with this hash */
  use(intent: string, hash: string): Promise<boolean>;
}

export interface StoredAnalysesOptions {
  readonly commands: CommandHandler;
  readonly blobs: Blobs;
  readonly pool: AnalysisPool;
  /** Undefined where nobody takes payments. */
  readonly payment: AnalysisPayment | undefined;
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
   * Takes a paid file of somebody who waits for the answer. The same file with the same payment is the same
   * analysis.
   * @returns its id and whether it is to be worked on; undefined where the payment was used for another file
   */
  async begin(
    intent: string,
    bytes: Uint8Array,
    readAs: ReadAs,
  ): Promise<{ readonly id: string; readonly state: AnalysisState } | undefined> {
    const { blobs, payment } = this.options;
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (payment && !(await payment.usable(intent, hash))) return undefined;
    const id = derivedId('analysis', intent, hash);
    const known = await this.state(id);
    if (known.ended) return { id, state: known };
    this.#direct.add(id);
    try {
      const file = await this.#put(fileOf(id), id, bytes);
      await this.#send(id, { type: 'RequestAnalysis', accountId: null, intent, readAs, notify: false, file });
      if (payment && !(await payment.use(intent, hash))) {
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
    const hash = createHash('sha256').update(bytes).digest('hex');
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
    const { payment, blobs, pool, changes } = this.options;
    const { accountId, intent, readAs } = state.request as NonNullable<AnalysisState['request']>;
    if (intent !== null && !(await payment?.use(intent, paidFor(accountId, state.file)))) {
      return this.fail(id, 'payment');
    }
    const name = accountId === null ? fileOf(id) : `${fileOf(id)} ${state.file.hash}`;
    const body = await blobs.get(name);
    if (body === null) return this.fail(id, 'file_lost');
    let head: AnswerHead;
    let result: FileFacts | null = null;
    try {
      // Its bytes go to a thread.
      const running = await pool.run(new Uint8Array(body), readAs as PoolOptions, until, (part) =>
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
    await this.#send(id, { type: 'CompleteAnalysis', counts: countsOf(head), result });
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

  async #giveBack(id: string, { request }: AnalysisState): Promise<void> {
    const { payment } = this.options;
    if (!payment || request?.intent == null) return;
    const refund = await payment.giveBack(request.intent);
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
    return commands.handle(analysisDecider, analysisStream(id), command, {
      commandId: randomUUID(),
      caller: 'policy:analyses',
      requestHash: contentHash(JSON.stringify(command)),
      at: new Date(clock()),
      environment: 'live',
      correlationId: id,
    });
  }
}

const fileOf = (id: string): string => `analysis ${id} file`;
const resultOf = (id: string): string => `analysis ${id} result`;

/** What a payment is used for: this file, and where there is an account, of this one. */
export const paidFor = (accountId: string | null, { hash }: Pick<FileFacts, 'hash'>): string =>
  accountId === null ? hash : contentHash(JSON.stringify([accountId, hash]));

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
