import { isUtf8 } from 'node:buffer';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { RulesInvalid, readRuleSet } from './rules.js';
import type { RuleSet } from './rules.js';

const SET = 'set.yaml';

/** Reads a rule set: a folder with `set.yaml` and a file for each language. @throws RulesInvalid */
export async function loadRuleSet(folder: string): Promise<RuleSet> {
  const files = await readdir(folder).catch(() => undefined);
  if (!files?.includes(SET)) throw new RulesInvalid([`there is no file ${join(folder, SET)}`]);
  const contents = new Map<string, unknown>();
  for (const file of files.filter((name) => name.endsWith('.yaml')).sort()) {
    const bytes = await readFile(join(folder, file));
    if (!isUtf8(bytes)) throw new RulesInvalid([`${join(folder, file)}: is not UTF-8`]);
    try {
      contents.set(file, parse(bytes.toString()));
    } catch (error) {
      throw new RulesInvalid([`${join(folder, file)}: ${(error as Error).message}`]);
    }
  }
  const set = contents.get(SET);
  contents.delete(SET);
  return readRuleSet(set, contents);
}
