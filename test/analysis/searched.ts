import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files under a folder that hold one of these words, as they are or in UTF-16, with the word. */
export async function filesWith(folder: string, words: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    for (const word of words) {
      if (bytes.includes(word) || bytes.includes(Buffer.from(word, 'utf16le'))) {
        found.push(`${join(entry.parentPath, entry.name)}: ${word}`);
      }
    }
  }
  return found;
}

/** Has temporary files of this process go to a folder of their own. */
export async function ownTemporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const before = process.env['TMPDIR'];
  const path = await mkdtemp(join(tmpdir(), 'tollgraph-tmp-'));
  process.env['TMPDIR'] = path;
  return {
    path,
    remove: async () => {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
      await rm(path, { recursive: true });
    },
  };
}
