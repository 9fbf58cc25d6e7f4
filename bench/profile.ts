import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A root folder whose free plan has limits that are checked at every call and never reached.
 * @returns the folder
 */
export async function unreachableLimits(folder: string): Promise<string> {
  await mkdir(join(folder, 'profiles'), { recursive: true });
  const yaml = await readFile('profiles/specql.yaml', 'utf8');
  await writeFile(
    join(folder, 'profiles', 'specql.yaml'),
    yaml.replace(/amount: (10|1000) }/g, 'amount: 1000000000 }'),
  );
  await cp('patterns', join(folder, 'patterns'), { recursive: true });
  return folder;
}
