import type { OverageQueries } from '../../projections/overage/queries.js';
import { Wake } from '../wake.js';
import type { CapWatch } from './capWatch.js';
import type { Closing } from './closing.js';

const LOOK_MS = 30_000;
/** Beyond the time in which use of an ended subscription may be reported: however long nobody has looked. */
const LOOKED_LATE_MS = 30 * 86_400_000;
const AT_ONCE = 4;

export interface OverageWorkerOptions {
  readonly queries: OverageQueries;
  readonly closing: Closing;
  readonly caps: CapWatch;
  /** By which is billed, in milliseconds. */
  readonly now: () => number;
  /** How old a use may be that is reported, in milliseconds. */
  readonly lateWindowMs: () => number;
  readonly onError: (error: unknown) => void;
}

/** Closes billing periods in their time. What fails for one account holds up nobody else. */
export class OverageWorker {
  readonly #wake = new Wake();
  /** When there is next something to do, for accounts whose rows have not changed since. */
  readonly #next = new Map<string, { readonly row: string; readonly at: number }>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: OverageWorkerOptions) {}

  wake(): void {
    this.#wake.call();
  }

  async run(until: AbortSignal): Promise<void> {
    const { onError } = this.options;
    await this.#wake.repeat(until, () => this.work(until), { restMs: LOOK_MS, onError });
  }

  /**
   * Does all that there is, after whoever is at it: two at once would both find a line that is not invoiced.
   * @returns whether something has failed
   */
  work(until?: AbortSignal): Promise<boolean> {
    const done = this.#last.then(() => this.#work(until));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #work(until?: AbortSignal): Promise<boolean> {
    const { queries, closing, caps, now, lateWindowMs } = this.options;
    let failed = false;
    const rows = await queries.open(new Date(now() - lateWindowMs() - LOOKED_LATE_MS));
    const known = new Set(rows.map(({ account_id: id }) => id));
    for (const id of this.#next.keys()) if (!known.has(id)) this.#next.delete(id);
    const settle = async (): Promise<void> => {
      for (let row = rows.pop(); row !== undefined && until?.aborted !== true; row = rows.pop()) {
        const { account_id: id, revision, settings_revision: settings, use_corrected: corrected } = row;
        // Of a subscription that goes on, corrections wait until the period is closed.
        const shown = `${revision}:${settings}:${row.ended_at === null ? '' : corrected}`;
        const next = this.#next.get(id);
        try {
          if (row.cap_rule === 'alert' && row.allowed) await caps.look(id);
          if (next?.row === shown && next.at > now()) continue;
          const at = await closing.settle(id);
          this.#next.set(id, { row: shown, at: at ?? Infinity });
        } catch (error) {
          this.options.onError(error);
          failed = true;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, settle));
    return failed;
  }
}
