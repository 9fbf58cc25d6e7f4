import { InvalidInput } from '../graphql/kit/refusals.js';
import type { Event } from './analysis.js';
import { Analysis } from './analysis.js';
import { AnalysisRefused } from './refused.js';
import type { RuleSet } from './rules.js';
import { MAX_SHOWN, RuleSetTrial, RuleSetTrialEvent, RuleSetTrialHit } from './ruleSetTypes.js';
import { AnalysisCount } from './types.js';

/** What rules find in a short text. */
export function tried(rules: RuleSet, sample: string): RuleSetTrial | InvalidInput {
  const events: Event[] = [];
  const analysis = new Analysis({ rules }, { event: (event) => events.push(event) });
  try {
    analysis.push(Buffer.from(sample));
    const { summary, languages, entries } = analysis.end();
    return Object.assign(new RuleSetTrial(), {
      languages,
      entryCount: entries,
      events: events.slice(0, MAX_SHOWN).map(({ text, hits }) =>
        Object.assign(new RuleSetTrialEvent(), {
          text,
          hits: hits.map(({ category, strength }) =>
            Object.assign(new RuleSetTrialHit(), { category, phrase: strength === 'PHRASE' }),
          ),
        }),
      ),
      sequences: summary.sequences.map(([name, count]) =>
        Object.assign(new AnalysisCount(), { name, count }),
      ),
    });
  } catch (error) {
    if (error instanceof AnalysisRefused) return new InvalidInput(error.message, 'sample');
    throw error;
  }
}
