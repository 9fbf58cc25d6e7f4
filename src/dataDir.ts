import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { contentHash } from './eventsourcing/ids.js';

/** Another process uses the data directory. */
export class DataDirInUse extends Error {
  constructor(directory: string) {
    super(
      `Another Tollgraph process is using ${directory}. Stop it first, or give this one a directory of its own: DATA_DIR=other npm start`,
    );
    this.name = 'DataDirInUse';
  }
}

export interface DataDirLock {
  release(): Promise<void>;
}

/** A socket's path may have about 104 bytes (unix(7)); a longer one moves to the temporary folder. */
const MAX_SOCKET_PATH = 100;
/** What stands behind the name: a dot, a generation or a random part. */
const SUFFIX_BYTES = 16;

/** The beginning of the names of a directory's sockets. */
export function socketName(directory: string, what: 'lock' | 'admin'): string {
  const absolute = join(resolve(directory), what);
  const fromHere = relative(process.cwd(), absolute);
  const shorter = fromHere.length < absolute.length ? fromHere : absolute;
  return Buffer.byteLength(shorter) + SUFFIX_BYTES <= MAX_SOCKET_PATH
    ? shorter
    : join(tmpdir(), `tollgraph-${contentHash(absolute).slice(0, 16)}`);
}

/**
 * Takes the exclusive lock on a data directory, making the directory where it is missing.
 *
 * The lock is a listening Unix socket: the kernel closes it with the process, however that ends, so
 * that a lock is stale exactly when nobody answers. A file with a process id can't tell that, since
 * ids are reused and containers have their own.
 *
 * Names can't be replaced on condition of what they name, so a lock is never taken over: each holder's
 * has a generation of its own, one above the last. Whoever finds the highest one dead links the next,
 * which only one can; the highest stays, dead or alive, so that generations only grow.
 * @throws DataDirInUse
 */
export async function lockDataDir(directory: string): Promise<DataDirLock> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const name = socketName(directory, 'lock');
  const own = `${name}.${randomBytes(5).toString('hex')}`;
  const server = await listen(own);
  try {
    await claim(own, name, directory);
  } catch (error) {
    await close(server);
    throw error;
  } finally {
    await unlink(own).catch(() => undefined);
  }
  return { release: () => close(server) };
}

/** Gives our listening socket the name of the next generation; linking fails where the name exists. */
async function claim(own: string, name: string, directory: string): Promise<void> {
  for (;;) {
    const last = Math.max(0, ...(await generations(name)));
    if (last > 0) {
      const state = await ask(socket(name, last));
      if (state === 'alive') throw new DataDirInUse(directory);
      // Removed by whoever holds a higher one by now.
      if (state === 'gone') continue;
    }
    try {
      await link(own, socket(name, last + 1));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    const lower = await generations(name);
    if (Math.max(...lower) === last + 1) {
      for (const generation of lower) if (generation <= last) await remove(socket(name, generation));
      return;
    }
    // What we saw was old: others have come and gone, and our name was free again.
    await remove(socket(name, last + 1));
  }
}

const socket = (name: string, generation: number): string => `${name}.${generation}.sock`;

async function generations(name: string): Promise<number[]> {
  const prefix = `${basename(name)}.`;
  return (await readdir(dirname(name)))
    .filter((file) => file.startsWith(prefix))
    .map((file) => /^(\d+)\.sock$/.exec(file.slice(prefix.length))?.[1])
    .flatMap((generation) => (generation === undefined ? [] : [Number(generation)]));
}

const remove = (path: string): Promise<void> => unlink(path).catch(() => undefined);

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Only what the kernel says of a socket without a listener counts as dead. */
function ask(path: string): Promise<'alive' | 'dead' | 'gone'> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('alive');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'ECONNREFUSED' ? 'dead' : code === 'ENOENT' ? 'gone' : 'alive'),
    );
  });
}

/**
 * Names the time of this start, later than that of any start before: whoever started last writes the node's
 * journal, also where the clock has been set back since.
 * @param now milliseconds since the epoch
 */
export async function startTime(directory: string, now: number): Promise<number> {
  const file = join(directory, 'last-start');
  const last = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return '';
  });
  // What cannot be read any more is no time, and the clock decides.
  const start = Math.max(now, (Number.parseInt(last, 10) || 0) + 1);
  await writeFile(`${file}.new`, `${start}\n`);
  await rename(`${file}.new`, file);
  return start;
}

/** The id of this node, made on the first start and kept: journals are named by it (decision 10). */
export async function nodeId(directory: string, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const file = join(directory, 'node-id');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = randomBytes(5).toString('hex');
  // Under its name only when it is whole: a start that is cut short must not leave an empty id.
  await writeFile(`${file}.new`, `${made}\n`);
  await rename(`${file}.new`, file);
  return made;
}
