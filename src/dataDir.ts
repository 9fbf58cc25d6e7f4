import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
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

function socketPath(directory: string): string {
  const absolute = join(resolve(directory), 'lock.sock');
  const fromHere = relative(process.cwd(), absolute);
  const shorter = fromHere.length < absolute.length ? fromHere : absolute;
  return Buffer.byteLength(shorter) <= MAX_SOCKET_PATH
    ? shorter
    : join(tmpdir(), `tollgraph-${contentHash(absolute).slice(0, 16)}.sock`);
}

/**
 * Takes the exclusive lock on a data directory, making the directory where it is missing.
 *
 * The lock is a listening Unix socket: the kernel closes it with the process, however that ends, so
 * that a lock is stale exactly when nobody answers. A file with a process id can't tell that, since
 * ids are reused and containers have their own.
 * @throws DataDirInUse
 */
export async function lockDataDir(directory: string): Promise<DataDirLock> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = socketPath(directory);
  const own = `${path.slice(0, -'.sock'.length)}${randomBytes(3).toString('hex')}`;
  const server = await listen(own);
  try {
    await claim(own, path, directory);
  } catch (error) {
    await close(server);
    throw error;
  } finally {
    await unlink(own).catch(() => undefined);
  }
  return {
    release: async () => {
      await unlink(path).catch(() => undefined);
      await close(server);
    },
  };
}

/** Gives our listening socket the lock's name; linking fails where the name exists. */
async function claim(own: string, path: string, directory: string): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      return await link(own, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const before = await stat(path).catch(() => undefined);
    if (await answers(path)) throw new DataDirInUse(directory);
    if (!before) continue;
    // Nobody answers: move the dead socket away, and put it back if somebody was faster than we.
    const stale = `${own}.stale`;
    await rename(path, stale).catch(() => undefined);
    const moved = await stat(stale).catch(() => undefined);
    if (moved && moved.ino !== before.ino) await link(stale, path).catch(() => undefined);
    await unlink(stale).catch(() => undefined);
  }
  throw new DataDirInUse(directory);
}

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

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Only what the kernel says of a socket without a listener counts as dead.
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
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
