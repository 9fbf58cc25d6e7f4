import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder with `profiles/` and `patterns/` of its own. */
export interface Root {
  readonly path: string;
  readonly slugs: readonly string[];
  /** Changes the text of every pattern, so that the next start has a catalogue to load. */
  revise(revision: number): Promise<void>;
  remove(): Promise<void>;
}

/** The shipped profile, with `amount` requests in the free plan, points enough, and the first few patterns. */
export async function makeRoot({ patterns, amount }: { patterns: number; amount: number }): Promise<Root> {
  const path = await mkdtemp(join(tmpdir(), 'tollgraph-root-'));
  const profile = await readFile(join('profiles', 'specql.yaml'), 'utf8');
  const [before, free, ...after] = profile.split(/(?=^ {2}- id: )/m);
  const raised = (_limit: string, meter: string, window: string): string =>
    `meter: ${meter}${window} amount: ${meter === 'cost' ? amount * 1_000 : amount} }`;
  await mkdir(join(path, 'profiles'));
  await writeFile(
    join(path, 'profiles', 'specql.yaml'),
    [before, free?.replaceAll(/meter: (\w+)(.*) amount: \d+ \}/g, raised), ...after].join(''),
  );
  const files: string[] = [];
  for (const file of (await readdir('patterns', { recursive: true })).sort()) {
    if (!file.endsWith('.yaml') || files.length === patterns) continue;
    const text = await readFile(join('patterns', file), 'utf8');
    if (!/^tier: community$/m.test(text)) continue;
    await mkdir(join(path, 'patterns', dirname(file)), { recursive: true });
    await cp(join('patterns', file), join(path, 'patterns', file));
    files.push(file);
  }
  return {
    path,
    slugs: files.map((file) => file.slice(file.lastIndexOf('/') + 1, -'.yaml'.length)),
    revise: async (revision) => {
      for (const file of files) {
        const original = await readFile(join('patterns', file), 'utf8');
        await writeFile(
          join(path, 'patterns', file),
          original.replace(/^name: (.*)$/m, (_line, name: string) => `name: ${name} ${revision}`),
        );
      }
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** A folder with the profiles that ship and an empty catalogue. */
export async function rootWithoutPatterns(): Promise<Pick<Root, 'path' | 'remove'>> {
  const path = await mkdtemp(join(tmpdir(), 'tollgraph-root-'));
  await cp('profiles', join(path, 'profiles'), { recursive: true });
  await mkdir(join(path, 'patterns'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
