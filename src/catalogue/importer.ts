import { isUtf8 } from 'node:buffer';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import { derivedId } from '../eventsourcing/ids.js';
import { textProblem, tidy } from '../text/text.js';
import { zodText } from '../text/zodText.js';
import { patternDecider } from './decide.js';
import type { PatternContent } from './events.js';
import { CATEGORY, MAX_TAGS, patternHash, patternStream } from './events.js';

const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;

const PatternFile = z.strictObject({
  name: zodText({ min: 3, max: 80 }),
  tier: zodText({ min: 1, max: 100 }),
  tags: z.array(z.string().regex(SLUG)).min(1).max(MAX_TAGS),
  description: zodText({ min: 80, max: 2_000, lines: true }),
  example: z
    .strictObject({
      language: zodText({ min: 1, max: 100 }),
      text: zodText({ min: 1, max: 10_000, lines: true }),
    })
    .optional(),
});

/** A file of the catalogue cannot be read; the message names it and every problem. */
export class PatternFileError extends Error {}

/**
 * Reads `<folder>/<category>/<slug>.yaml`, sorted by path.
 * @throws PatternFileError
 */
export async function readPatternFiles(folder: string, tiers: readonly string[]): Promise<PatternContent[]> {
  const files = (await readdir(folder, { recursive: true })).filter((f) => f.endsWith('.yaml')).sort();
  return Promise.all(
    files.map(async (file) => {
      const parsed = PatternFile.safeParse(parseYaml(await readFile(join(folder, file)), join(folder, file)));
      const problems = parsed.success
        ? []
        : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
      const slug = basename(file, '.yaml');
      // Some file systems write names in another spelling of Unicode.
      const category = tidy(dirname(file));
      const wrongCategory = textProblem('category', category, CATEGORY);
      if (wrongCategory !== undefined) problems.push(`the folder can be no category: ${wrongCategory}`);
      if (!SLUG.test(slug)) problems.push('the file name is not a slug (lower-case words and dashes)');
      if (parsed.success && !tiers.includes(parsed.data.tier)) {
        problems.push(`tier: "${parsed.data.tier}" is none of ${tiers.join(', ')}`);
      }
      if (!parsed.success || problems.length > 0) {
        throw new PatternFileError(`${join(folder, file)}: ${problems.join('; ')}`);
      }
      const { example = null, ...rest } = parsed.data;
      return { slug, category, ...rest, example };
    }),
  );
}

function parseYaml(bytes: Buffer, file: string): unknown {
  if (!isUtf8(bytes)) throw new PatternFileError(`${file}: is not UTF-8`);
  try {
    return parse(bytes.toString());
  } catch (error) {
    throw new PatternFileError(`${file}: ${(error as Error).message}`);
  }
}

/** A pattern's id follows from its slug, so that every installation names it the same. */
export const patternId = (slug: string): string => derivedId('pattern', slug);

/**
 * Publishes what is new and revises what has changed. The command id follows from slug, content and
 * the stream's length: sent again after a crash it is the same, and going back to an earlier content
 * is still a change.
 * @param known content hashes by pattern id, of what is published already
 * @returns how many patterns changed
 */
export async function importPatterns(
  commands: CommandHandler,
  contents: readonly PatternContent[],
  known: ReadonlyMap<string, string>,
  context: Omit<CommandContext, 'commandId' | 'requestHash'>,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<number> {
  const changed = contents.filter((content) => known.get(patternId(content.slug)) !== patternHash(content));
  let done = 0;
  const publish = async (content: PatternContent): Promise<void> => {
    const stream = patternStream(patternId(content.slug));
    const hash = patternHash(content);
    const { length } = await commands.load(stream);
    const commandId = `import:${hash}:${length}`;
    await commands.handle(patternDecider, stream, content, { ...context, commandId, requestHash: hash });
    onProgress(++done, changed.length);
  };
  // In order of the files within each group, so that publication follows it nearly.
  for (let i = 0; i < changed.length; i += IN_FLIGHT) {
    await Promise.all(changed.slice(i, i + IN_FLIGHT).map(publish));
  }
  return changed.length;
}

const IN_FLIGHT = 32;
