import type { Clock, Elapsed } from '../clock.js';
import type { Config } from '../config.js';
import type { Logger } from '../logger.js';

/** Tells how far a step of the start has got. */
export type OnProgress = (step: string, done: number, total: number) => void;

export interface StartOptions {
  readonly config: Config;
  /** The folder that holds `profiles/` and `patterns/`. */
  readonly root: string;
  readonly log: Logger;
  readonly onProgress?: OnProgress;
  /** What time it is, by the clock and since some moment; the system's by default. */
  readonly time?: { readonly clock: Clock; readonly elapsed: Elapsed };
  /** Makes the account to try things out with; never in production. */
  readonly demo?: boolean;
  /** By which the payment service bills, where that is not the clock above. */
  readonly billingClock?: Clock;
  /** Where the patterns are, if not under `root`; null for an empty catalogue. */
  readonly patterns?: string | null;
}
