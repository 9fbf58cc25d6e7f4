import { on, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { AnswerHead } from './answer.js';
import type { Piece } from './readAhead.js';
import { Ahead, ReadAhead } from './readAhead.js';
import { AnalysisRefused } from './refused.js';
import { TooLarge } from './unzip.js';
import type { FromWorker, RunOptions, ToWorker, WorkerData } from './worker.js';

/** Of a worker's heap: far above what the worst file takes. */
const MAX_HEAP_MB = 512;
/** For an answer's head, in milliseconds: a hundred times what the largest file takes. */
const DEADLINE_MS = 120_000;

/** Bytes of answers that are made before they are read: of one, and of all together. */
const AHEAD = { own: 32 * 1024 * 1024, all: 128 * 1024 * 1024 };

/**
 * An answer whose CSVs are still to come. Where they are long it holds a thread until most of `pieces` has been
 * read; what was made and not read it holds until `close`.
 */
export interface RunningAnswer {
  readonly head: AnswerHead;
  readonly pieces: AsyncGenerator<Piece>;
  /** Gives everything back, whether `pieces` was read, begun or neither; may be called at any time and again. */
  close(): void;
}

/** Whoever asked has left before the answer began. */
export class CallerLeft extends Error {}

/** An analysis failed by our fault. */
export class AnalysisFailed extends Error {}

/** Threads that analyse, one file each at a time; more files wait in order. */
export class AnalysisPool {
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting = new Set<() => void>();
  readonly #ahead: Ahead;
  #busy = 0;
  #closed = false;

  constructor(
    private readonly data: WorkerData,
    private readonly threads: number,
    ahead: typeof AHEAD = AHEAD,
  ) {
    this.#ahead = new Ahead(ahead.own, ahead.all);
  }

  /**
   * @param bytes are handed over: nobody else may use them afterwards
   * @param onProgress is told the part of the file that has been analysed, 0 to 1, now and then
   * @param left stops the wait for a thread, and the analysis; of an answer that was given, `close` is the end
   * @throws AnalysisRefused, TooLarge, AnalysisFailed, CallerLeft
   */
  async run(
    bytes: Uint8Array<ArrayBuffer>,
    options: RunOptions,
    left: AbortSignal,
    onProgress: (part: number) => void = () => {},
  ): Promise<RunningAnswer> {
    await this.#slot(left);
    let worker: Worker;
    try {
      worker = this.#idle.pop() ?? (await this.#start());
    } catch (error) {
      this.#free();
      throw failed(error);
    }
    if (left.aborted) {
      this.#release(worker);
      throw new CallerLeft();
    }
    const messages = on(worker, 'message', { close: ['exit'] });
    let stopped = false;
    const stop = (): void => {
      stopped = true;
      void worker.terminate();
    };
    const timer = setTimeout(stop, DEADLINE_MS);
    left.addEventListener('abort', stop, { once: true });
    send(worker, { kind: 'run', bytes, options }, [bytes.buffer]);
    let first: FromWorker;
    try {
      first = await next(messages);
      for (; first.kind === 'progress'; first = await next(messages)) onProgress(first.part);
      // A message may come yet from a thread that is being stopped.
      if (stopped) throw new AnalysisFailed('a worker ended');
    } catch (error) {
      await messages.return?.();
      this.#discard(worker);
      throw left.aborted ? new CallerLeft() : error;
    } finally {
      clearTimeout(timer);
      left.removeEventListener('abort', stop);
    }
    if (first.kind === 'head') return this.#answer(worker, messages, first.head);
    await messages.return?.();
    this.#release(worker);
    if (first.kind === 'refused') throw new AnalysisRefused(first.message);
    if (first.kind === 'too-large') throw new TooLarge();
    throw new AnalysisFailed(first.kind === 'failed' ? first.error : first.kind);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  #answer(worker: Worker, messages: AsyncIterator<unknown[]>, head: AnswerHead): RunningAnswer {
    const ahead = new ReadAhead(this.#ahead);
    let held = true;
    const end = (whole: boolean): void => {
      if (!held) return;
      held = false;
      void messages.return?.();
      // Nobody waits for the rest: the thread is stopped rather than asked.
      if (whole) this.#release(worker);
      else this.#discard(worker);
    };
    const close = (): void => {
      ahead.fail(new AnalysisFailed('a worker ended'));
      end(false);
    };
    transfer(worker, messages, ahead).then(
      () => {
        end(true);
        ahead.end();
      },
      (error: unknown) => {
        ahead.fail(failed(error));
        end(false);
      },
    );
    return { head, pieces: ahead.read(), close };
  }

  async #slot(left: AbortSignal): Promise<void> {
    if (left.aborted) throw new CallerLeft();
    if (this.#busy < this.threads) {
      this.#busy += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(take);
        reject(new CallerLeft());
      };
      const take = (): void => {
        left.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.add(take);
      left.addEventListener('abort', leave, { once: true });
    });
  }

  #free(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#busy -= 1;
      return;
    }
    this.#waiting.delete(first);
    first();
  }

  #release(worker: Worker): void {
    this.#idle.push(worker);
    worker.unref();
    this.#free();
  }

  #discard(worker: Worker): void {
    void worker.terminate();
    this.#free();
  }

  async #start(): Promise<Worker> {
    if (this.#closed) throw new AnalysisFailed('the pool is closed');
    const worker = new Worker(new URL('worker.js', import.meta.url), {
      workerData: this.data,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
      // It writes nothing; what a library might write stays here.
      stdout: true,
      stderr: true,
    });
    this.#all.add(worker);
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      this.#all.delete(worker);
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    const ended = once(worker, 'exit').then(() => {
      throw new AnalysisFailed('a worker did not start');
    });
    await Promise.race([once(worker, 'message'), ended]);
    ended.catch(() => undefined);
    return worker;
  }
}

/** Takes the pieces of an answer from the thread that makes them. */
async function transfer(worker: Worker, messages: AsyncIterator<unknown[]>, ahead: ReadAhead): Promise<void> {
  for (;;) {
    const message = await next(messages);
    if (message.kind === 'done') return;
    if (message.kind !== 'piece') throw new AnalysisFailed(message.kind);
    await ahead.write(message);
    send(worker, { kind: 'taken' });
  }
}

function send(worker: Worker, message: ToWorker, transfer: ArrayBuffer[] = []): void {
  worker.ref();
  worker.postMessage(message, transfer);
}

/** @throws AnalysisFailed when the worker is gone */
async function next(messages: AsyncIterator<unknown[]>): Promise<FromWorker> {
  const result: IteratorResult<unknown[]> = await messages.next().catch((error: unknown) => {
    throw failed(error);
  });
  if (result.done === true) throw new AnalysisFailed('a worker ended');
  return (result.value as [FromWorker])[0];
}

/** Only the name of an error leaves: its message may hold something of the file. */
function failed(error: unknown): AnalysisFailed {
  return new AnalysisFailed(error instanceof Error ? error.name : 'unknown');
}
