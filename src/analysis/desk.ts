import type { AnalysisChanges } from './changes.js';
import type { AnalysisPool } from './pool.js';
import type { RuleSet } from './rules.js';
import type { RuleSets } from './ruleSets.js';
import type { AnalysisSettings } from './settings.js';
import type { AnalysisCredits, AnalysisPayment, StoredAnalyses } from './stored.js';

/** What analyses files, where the profile sells that. */
export interface AnalysisDesk {
  readonly settings: AnalysisSettings;
  /** The service's own. */
  readonly rules: RuleSet;
  /** Those of accounts. */
  readonly ruleSets: RuleSets;
  readonly pool: AnalysisPool;
  readonly paymentRequired: boolean;
  /** Undefined where nobody takes payments: what has to be paid for is refused. */
  readonly payment: AnalysisPayment | undefined;
  /** Undefined where the profile has no credits for it. */
  readonly credits: AnalysisCredits | undefined;
  /** Whether the plan of an account pays for its analyses. */
  readonly included: (accountId: string) => boolean;
  /** Those that outlive a crash. */
  readonly stored: StoredAnalyses;
  readonly changes: AnalysisChanges;
  /** The address that customers use, an origin. */
  readonly publicUrl: string;
}
