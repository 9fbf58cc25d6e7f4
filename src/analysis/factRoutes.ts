import { z } from 'zod';
import type { Dialect, Route } from '../rest/route.js';
import { anonymous } from '../rest/route.js';
import type { AnalysisDesk } from './desk.js';
import { FORMAT_NAMES } from './formats/recognise.js';
import type { RuleSet } from './rules.js';

/** Calls a minute of each from one address: probes and pages ask often. */
const PER_MINUTE = 120;

const Health = z.object({ status: z.enum(['healthy', 'unhealthy']), payment_enabled: z.boolean() });
const Version = z.object({ version: z.string() });
const Patterns = z.object({
  total_categories: z.int(),
  categories: z.record(
    z.string(),
    z.object({ phrase_patterns: z.int(), token_patterns: z.int(), description: z.string() }),
  ),
  sequences: z.array(z.string()),
  window_size: z.int(),
  languages: z.array(z.string()),
  formats: z.array(z.string()),
});

/** `/health`, `/version` and `/patterns`. */
export function factRoutes(
  { settings, rules, paymentRequired }: AnalysisDesk,
  dialect: Dialect,
  /** What keeps the process from serving; empty when it is ready. */
  problems: () => readonly string[],
  perMinute = PER_MINUTE,
): Route[] {
  const patterns = patternsOf(rules);
  const health = {
    summary: 'Whether the service is healthy, and whether an analysis has to be paid for.',
    answer: Health,
    others: { 503: Health },
  };
  return [
    // Probes come past the proxy.
    anonymous('GET', '/health', { spec: health, perMinute, dialect, plainHttp: true }, () => {
      const healthy = problems().length === 0;
      return {
        status: healthy ? 200 : 503,
        body: { status: healthy ? 'healthy' : 'unhealthy', payment_enabled: paymentRequired },
      };
    }),
    anonymous(
      'GET',
      '/version',
      { spec: { summary: 'The version of the analysis.', answer: Version }, perMinute, dialect },
      () => ({ body: { version: settings.version } }),
    ),
    anonymous(
      'GET',
      '/patterns',
      { spec: { summary: 'What is looked for.', answer: Patterns }, perMinute, dialect },
      () => ({ body: patterns }),
    ),
  ];
}

/** Categories with how many patterns the default language has for them. */
function patternsOf({ categories, sequences, window, languages, defaultLanguage }: RuleSet): object {
  const own = languages.get(defaultLanguage)?.categories;
  return {
    total_categories: categories.size,
    categories: Object.fromEntries(
      [...categories].map(([name, description]) => {
        const { phrases = [], tokens = [] } = own?.get(name) ?? {};
        return [name, { phrase_patterns: phrases.length, token_patterns: tokens.length, description }];
      }),
    ),
    sequences: sequences.map((pair) => pair.join(' -> ')),
    window_size: window,
    languages: [...languages.keys()],
    formats: FORMAT_NAMES,
  };
}
