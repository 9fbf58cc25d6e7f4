import type { AnalysisPool } from './pool.js';
import type { RuleSet } from './rules.js';
import type { AnalysisSettings } from './settings.js';

/** What analyses files, where the profile sells that. */
export interface AnalysisDesk {
  readonly settings: AnalysisSettings;
  readonly rules: RuleSet;
  readonly pool: AnalysisPool;
  readonly paymentRequired: boolean;
  /** Undefined where nobody takes payments: what has to be paid for is refused. */
  readonly payment: AnalysisPayment | undefined;
}

/** Takes a payment for one analysis. */
export interface AnalysisPayment {
  create(): Promise<{ readonly id: string; readonly clientSecret: string }>;
  /** `paid`, or another word for where it stands; undefined for one that is none of ours. */
  statusOf(intent: string): Promise<string | undefined>;
  /** @returns whether it is free for the file with this hash */
  use(intent: string, hash: string): Promise<boolean>;
}
