import type { AnalysisQueries } from '../../projections/analyses/queries.js';
import type { Clock } from '../clock.js';
import { Wake } from '../wake.js';
import type { StoredAnalyses } from './stored.js';

const BATCH = 20;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;
/** What somebody waits for is left to whoever received it for so long: beyond it that process is no more. */
const DIRECT_MS = 180_000;

export interface AnalysisWorkerOptions {
  readonly stored: StoredAnalyses;
  readonly queries: Pick<AnalysisQueries, 'pending'>;
  /** Whether this process alone receives files: what it does not work on itself, nobody does. */
  readonly alone: boolean;
  readonly clock: Clock;
  /** Never with a word of a file. */
  readonly onError: (error: unknown) => void;
}

/**
 * Does the analyses that were asked for, and gives money back. The list of work is the difference between those
 * that were asked for and those that have ended, so a crash forgets none.
 */
export class AnalysisWorker {
  readonly #wake = new Wake();

  constructor(private readonly options: AnalysisWorkerOptions) {}

  /** There may be something to do. */
  wake(): void {
    this.#wake.call();
  }

  /** Works until it is told to stop. */
  async run(until: AbortSignal): Promise<void> {
    let attempt = 0;
    while (!until.aborted) {
      this.#wake.looks();
      let failed: boolean;
      try {
        failed = await this.#workAll(until);
      } catch (error) {
        this.options.onError(error);
        failed = true;
      }
      attempt = failed ? attempt + 1 : 0;
      const wait = failed ? Math.min(RETRY_MS_MIN * 2 ** attempt, RETRY_MS_MAX) : RETRY_MS_MAX;
      await this.#wake.rest(until, wait);
    }
  }

  /** Each once. @returns whether there is something to try again later */
  async #workAll(until: AbortSignal): Promise<boolean> {
    const { stored, queries, alone, clock, onError } = this.options;
    const tried: string[] = [];
    let failed = false;
    while (!until.aborted) {
      const ids = await queries.pending(BATCH, tried, new Date(clock() - (alone ? 0 : DIRECT_MS)));
      if (ids.length === 0) break;
      for (const id of ids) {
        if (until.aborted) break;
        tried.push(id);
        try {
          await stored.work(id, until);
        } catch (error) {
          onError(error);
          failed = true;
        }
      }
    }
    return failed;
  }
}
