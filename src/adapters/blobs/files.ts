import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore } from '../../blobs/store.js';

/** Under its name a body is whole: until then it has another. */
const PARTIAL = '.partial';

/** Bodies as files of one folder, for one process that has it alone. */
export async function blobFiles(folder: string): Promise<BlobStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const pathOf = (id: string): string => join(folder, id);
  return {
    write: async (id, body) => {
      const partial = `${pathOf(id)}.${randomBytes(5).toString('hex')}${PARTIAL}`;
      const file = await open(partial, 'wx', 0o600);
      try {
        await file.writeFile(body);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(partial, pathOf(id));
    },
    read: (id) =>
      readFile(pathOf(id)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      }),
    remove: (id) => rm(pathOf(id), { force: true }),
    olderThan: async (time, after, limit) => {
      const old: string[] = [];
      for (const name of (await readdir(folder)).sort()) {
        if (old.length >= limit) break;
        if (name <= after) continue;
        const found = await stat(pathOf(name)).catch(() => undefined);
        if (!found || found.mtimeMs >= time) continue;
        old.push(name);
      }
      return old;
    },
  };
}
