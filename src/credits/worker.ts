import type { CreditQueries } from '../../projections/credits/queries.js';
import { Wake } from '../wake.js';
import type { CreditDesk } from './desk.js';

const BATCH = 100;
const LOOK_MS = 30_000;
const RETRY_MS_MAX = 60_000;

export interface CreditWorkerOptions {
  readonly queries: CreditQueries;
  readonly desk: CreditDesk;
  /** By which is billed, in milliseconds. */
  readonly now: () => number;
  readonly closeAfterMs: () => number;
  readonly onError: (error: unknown) => void;
}

/** Finishes purchases and refunds, and lets credits expire in their time. */
export class CreditWorker {
  readonly #wake = new Wake();

  constructor(private readonly options: CreditWorkerOptions) {}

  wake(): void {
    this.#wake.call();
  }

  async run(until: AbortSignal): Promise<void> {
    let failures = 0;
    while (!until.aborted) {
      this.#wake.looks();
      const failed = await this.work(until).catch((error: unknown) => {
        this.options.onError(error);
        return true;
      });
      failures = failed ? failures + 1 : 0;
      await this.#wake.rest(until, failed ? Math.min(1_000 * 2 ** failures, RETRY_MS_MAX) : LOOK_MS);
    }
  }

  /** Does all that there is, each once. @returns whether something has failed */
  async work(until?: AbortSignal): Promise<boolean> {
    const { queries, desk, now, closeAfterMs } = this.options;
    const settled = await this.#each(
      (without) => queries.pending(BATCH, without),
      (id) => desk.settle(id),
      until,
    );
    const by = new Date(now() - closeAfterMs());
    const expired = await this.#each(
      (without) => queries.expired(by, BATCH, without),
      (id) => desk.expire(id),
      until,
    );
    return settled || expired;
  }

  async #each(
    list: (without: readonly string[]) => Promise<readonly string[]>,
    work: (accountId: string) => Promise<unknown>,
    until: AbortSignal | undefined,
  ): Promise<boolean> {
    const tried: string[] = [];
    let failed = false;
    while (until?.aborted !== true) {
      const waiting = await list(tried);
      if (waiting.length === 0) break;
      for (const id of waiting) {
        tried.push(id);
        await work(id).catch((error: unknown) => {
          this.options.onError(error);
          failed = true;
        });
      }
    }
    return failed;
  }
}
