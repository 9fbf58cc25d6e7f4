import { on, once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { AnalysisOptions } from './analysis.js';
import type { AnswerHead, CsvName } from './answer.js';
import { AnalysisRefused } from './refused.js';
import { TooLarge } from './unzip.js';
import type { FromWorker, ToWorker, WorkerData } from './worker.js';

/** Of a worker's heap: far above what the worst file takes. */
const MAX_HEAP_MB = 512;
/** For an answer's head, in milliseconds: a hundred times what the largest file takes. */
const DEADLINE_MS = 120_000;

/** An answer whose CSVs are still to come. It holds a thread until `pieces` has been read to the end, or `close`. */
export interface RunningAnswer {
  readonly head: AnswerHead;
  readonly pieces: AsyncGenerator<{ readonly csv: CsvName; readonly json: Uint8Array }>;
  /** Gives the thread back, whether `pieces` was read, begun or neither; may be called at any time and again. */
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
  #busy = 0;
  #closed = false;

  constructor(
    private readonly data: WorkerData,
    private readonly threads: number,
  ) {}

  /**
   * @param bytes are handed over: nobody else may use them afterwards
   * @param left stops the wait for a thread, and the analysis; of an answer that was given, `close` is the end
   * @throws AnalysisRefused, TooLarge, AnalysisFailed, CallerLeft
   */
  async run(
    bytes: Uint8Array<ArrayBuffer>,
    options: Omit<AnalysisOptions, 'rules'>,
    left: AbortSignal,
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
    let held = true;
    const end = (whole: boolean): void => {
      if (!held) return;
      held = false;
      void messages.return?.();
      // Nobody waits for the rest: the thread is stopped rather than asked.
      if (whole) this.#release(worker);
      else this.#discard(worker);
    };
    return { head, pieces: pieces(worker, messages, end), close: () => end(false) };
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

/** @param end is told whether they were read to the end; a generator that never began tells nothing */
async function* pieces(
  worker: Worker,
  messages: AsyncIterator<unknown[]>,
  end: (whole: boolean) => void,
): RunningAnswer['pieces'] {
  let whole = false;
  try {
    for (;;) {
      const message = await next(messages);
      if (message.kind === 'done') break;
      if (message.kind !== 'piece') throw new AnalysisFailed(message.kind);
      yield message;
      send(worker, { kind: 'taken' });
    }
    whole = true;
  } finally {
    end(whole);
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
