import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import type { Document } from 'yaml';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { canonicalJson } from '../canonicalJson.js';
import { ConfigError } from '../config.js';
import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import { contentHash } from '../eventsourcing/ids.js';
import { profileDecider } from './decide.js';
import { profileStream } from './events.js';
import { Profile } from './profile.js';

/** @throws ConfigError that names every problem of the file */
export async function readProfile(file: string): Promise<Profile> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch {
    throw new ConfigError([`PROFILE: there is no file ${file}`]);
  }
  if (!isUtf8(bytes)) throw new ConfigError([`${file}: is not UTF-8`]);
  const lines = new LineCounter();
  const document = parseDocument(bytes.toString(), { lineCounter: lines });
  const [problem] = document.errors;
  if (problem) throw new ConfigError([`${file}: ${problem.message}`]);
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    throw new ConfigError([`${file}: ${(error as Error).message}`]);
  }
  const parsed = Profile.safeParse(withoutConfiguration(content));
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map(({ path, message }) => {
        const line = lineOf(document, lines, path);
        const place = line === undefined ? file : `${file}:${line}`;
        return `${place}: ${path.join('.') || 'profile'}: ${message}`;
      }),
    );
  }
  return parsed.data;
}

/** Without what is configuration, read at each start, and decides nothing (decision 28). */
function withoutConfiguration(content: unknown): unknown {
  if (typeof content !== 'object' || content === null) return content;
  const { analysis: _, ...facts } = content as Readonly<Record<string, unknown>>;
  return facts;
}

/** The line of the value at a path, or of what is to hold it; undefined for the whole file. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

/** Publishes the profile where its content differs from what was published last (decision 5). */
export async function publishProfile(
  commands: CommandHandler,
  profile: Profile,
  context: Omit<CommandContext, 'commandId' | 'requestHash'>,
): Promise<void> {
  const hash = contentHash(canonicalJson(profile));
  const stream = profileStream(profile.name);
  // Going back to an earlier content is a change too, so the command id holds the stream's length.
  const { length } = await commands.load(stream);
  await commands.handle(
    profileDecider,
    stream,
    { hash, profile },
    {
      ...context,
      commandId: `publish:${hash}:${length}`,
      requestHash: hash,
    },
  );
}
