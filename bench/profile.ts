import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A root folder whose profiles have limits that are checked at every call and never reached, in the free plan at
 * least.
 * @returns the folder
 */
export async function unreachableLimits(folder: string): Promise<string> {
  await mkdir(join(folder, 'profiles'), { recursive: true });
  for (const file of await readdir('profiles')) {
    const yaml = await readFile(join('profiles', file), 'utf8');
    await writeFile(
      join(folder, 'profiles', file),
      yaml.replace(/amount: (10|100|1000) }/g, 'amount: 1000000000 }'),
    );
  }
  await cp('patterns', join(folder, 'patterns'), { recursive: true });
  return folder;
}
