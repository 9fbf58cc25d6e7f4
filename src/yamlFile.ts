import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { ConfigError } from './config.js';

/** A file of YAML, and where in it what stands. */
export interface YamlFile {
  readonly file: string;
  readonly content: unknown;
  /** `<file>:<line>` of the value at a path, or of what is to hold it. */
  place(path: readonly PropertyKey[]): string;
}

/**
 * @returns undefined where there is no such file
 * @throws ConfigError that names the file
 */
export async function readYamlFile(file: string): Promise<YamlFile | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError([`${file}: cannot be read: ${(error as Error).message}`]);
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
  return {
    file,
    content,
    place: (path) => {
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true);
        if (isNode(node) && node.range) return `${file}:${lines.linePos(node.range[0]).line}`;
      }
      return file;
    },
  };
}
