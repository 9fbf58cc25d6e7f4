import type { CreditQueries } from '../../projections/credits/queries.js';
import { eachOnce } from '../eachOnce.js';
import { Wake } from '../wake.js';
import type { CreditDesk } from './desk.js';

const BATCH = 100;
const LOOK_MS = 30_000;

export interface CreditWorkerOptions {
  readonly queries: CreditQueries;
  readonly desk: CreditDesk;
  /** By which is billed, in milliseconds. */
  readonly now: () => number;
  readonly closeAfterMs: () => number;
  readonly onError: (error: unknown) => void;
}

/** Finishes purchases and refunds, lets credits expire in their time, and buys more where accounts want that. */
export class CreditWorker {
  readonly #wake = new Wake();

  constructor(private readonly options: CreditWorkerOptions) {}

  wake(): void {
    this.#wake.call();
  }

  async run(until: AbortSignal): Promise<void> {
    const { onError } = this.options;
    await this.#wake.repeat(until, () => this.work(until), { restMs: LOOK_MS, onError });
  }

  /** Does all that there is, each once. @returns whether something has failed */
  async work(until?: AbortSignal): Promise<boolean> {
    const { queries, desk, now, closeAfterMs, onError } = this.options;
    const idsOf = (id: string): string[] => [id];
    const settled = await eachOnce(
      {
        list: (without) => queries.pending(BATCH, without),
        idsOf,
        work: (id) => desk.settle(id),
        onError,
      },
      until,
    );
    const by = new Date(now() - closeAfterMs());
    const expired = await eachOnce(
      {
        list: (without) => queries.expired(by, BATCH, without),
        idsOf,
        work: (id) => desk.expire(id),
        onError,
      },
      until,
    );
    const toppedUp = await eachOnce(
      {
        list: (without) => queries.toppingUp(BATCH, without),
        idsOf,
        work: (id) => desk.topUp(id),
        onError,
      },
      until,
    );
    return settled || expired || toppedUp;
  }
}
