import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConfigError } from '../config.js';
import { METER_ID } from '../plans/meters.js';
import { zodText } from '../text/zodText.js';

/** Files that are asked for, or paid for, at once. */
export const MAX_FILES = 20;

/** What a profile says under `analysis`: configuration, read at each start, and no part of the published plans. */
const AnalysisSettings = z.strictObject({
  /** A folder under `rules/`. */
  rules: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** Of files that are taken, with the dot. */
  extensions: z.array(z.string().regex(/^\.[a-z0-9]{1,10}$/)).min(1),
  /** The largest file, in bytes; of a zip, what is in it. */
  maxBytes: z
    .number()
    .int()
    .min(1)
    .max(64 * 1024 * 1024),
  /** For one analysis, in minor units of the currency. */
  price: z.strictObject({ amount: z.number().int().positive(), currency: z.string().regex(/^[a-z]{3}$/) }),
  /** Of the profile: counts analyses. */
  meter: z.string().regex(METER_ID).default('analyses'),
  /** The feature of plans that pay for analyses; left out, each is paid for by itself. */
  includedIn: zodText({ min: 1, max: 100 }).optional(),
  /** How long files and results are kept at most, in seconds. */
  keepSeconds: z
    .number()
    .int()
    .min(60)
    .max(30 * 86_400)
    .default(86_400),
  /** Whether a result is forgotten a quarter of an hour after it was first fetched. */
  untilFetched: z.boolean().default(true),
  /** Of the analysis, as `/version` tells it. */
  version: zodText({ min: 1, max: 100 }),
  branding: z.strictObject({
    title: zodText({ min: 1, max: 100 }),
    generator: zodText({ min: 1, max: 200 }),
    link: z.url({ protocol: /^https?$/ }),
  }),
});
export type AnalysisSettings = z.infer<typeof AnalysisSettings>;

/** The settings in a profile's file; undefined where it sells no analysis. @throws ConfigError */
export async function readAnalysisSettings(file: string): Promise<AnalysisSettings | undefined> {
  const bytes = await readFile(file);
  if (!isUtf8(bytes)) throw new ConfigError([`${file}: is not UTF-8`]);
  const content = parse(bytes.toString()) as { analysis?: unknown } | null;
  if (content?.analysis === undefined) return undefined;
  const parsed = AnalysisSettings.safeParse(content.analysis);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map((issue) => `${file}: ${['analysis', ...issue.path].join('.')}: ${issue.message}`),
  );
}
