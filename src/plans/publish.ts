import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { canonicalJson } from '../canonicalJson.js';
import { ConfigError } from '../config.js';
import type { CommandContext, CommandHandler } from '../eventsourcing/commandHandler.js';
import { contentHash } from '../eventsourcing/ids.js';
import { readYamlFile } from '../yamlFile.js';
import { profileDecider } from './decide.js';
import { profileStream } from './events.js';
import { Profile } from './profile.js';

/** @throws ConfigError that names every problem of the file */
export async function readProfile(file: string): Promise<Profile> {
  const read = await readYamlFile(file);
  if (!read) throw new ConfigError([`PROFILE: there is no file ${file}${await othersOf(file)}`]);
  const parsed = Profile.safeParse(withoutConfiguration(read.content));
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map(
        ({ path, message }) => `${read.place(path)}: ${path.join('.') || 'profile'}: ${message}`,
      ),
    );
  }
  return parsed.data;
}

/** The profiles that there are, for whoever has mistyped one. */
async function othersOf(file: string): Promise<string> {
  const files = await readdir(dirname(file)).catch(() => []);
  const names = files.flatMap((name) => /^([a-z][a-z0-9-]*)\.yaml$/.exec(name)?.[1] ?? []);
  return names.length === 0 ? '' : `; there are ${names.sort().join(', ')}`;
}

/** Without what is configuration, read at each start, and decides nothing (decision 28). */
function withoutConfiguration(content: unknown): unknown {
  if (typeof content !== 'object' || content === null) return content;
  const { analysis: _, dailyReport: __, ...facts } = content as Readonly<Record<string, unknown>>;
  return facts;
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
