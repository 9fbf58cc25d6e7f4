import type { AnalysisQueries } from '../../projections/analyses/queries.js';
import type { Clock } from '../clock.js';
import { eachOnce } from '../eachOnce.js';
import { Wake } from '../wake.js';
import type { StoredAnalyses } from './stored.js';

const BATCH = 20;
const LOOK_MS = 60_000;
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
    const { onError } = this.options;
    await this.#wake.repeat(until, () => this.#workAll(until), { restMs: LOOK_MS, onError });
  }

  /** Each once. @returns whether there is something to try again later */
  async #workAll(until: AbortSignal): Promise<boolean> {
    const { stored, queries, alone, clock, onError } = this.options;
    return eachOnce(
      {
        list: (without) => queries.pending(BATCH, without, new Date(clock() - (alone ? 0 : DIRECT_MS))),
        idsOf: (id) => [id],
        work: (id) => stored.work(id, until),
        onError,
      },
      until,
    );
  }
}
