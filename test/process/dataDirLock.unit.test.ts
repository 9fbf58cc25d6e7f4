import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { DataDirInUse, lockDataDir, nodeId } from '../../src/dataDir.js';

let directory: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tollgraph-lock-'));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  await rm(directory, { recursive: true, force: true });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Another process that takes the lock and then holds it; its answer is `locked` or the error's name. */
async function holder(of: string): Promise<{ child: ChildProcess; answer: string }> {
  const script = `
    const { lockDataDir } = await import(process.argv[1]);
    await lockDataDir(process.argv[2]).then(() => console.log('locked'), (error) => console.log(error.name));
    setInterval(() => {}, 1000);`;
  const built = new URL('../../src/dataDir.js', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, built, of], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [answer] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, answer };
}

const STARTERS = 8;

/** A thread that asks for the lock at the same moment as the others. */
class Starter {
  readonly #worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     let lock;
     parentPort.on('message', async ({ directory, gate }) => {
       if (!directory) return parentPort.postMessage(await lock?.release());
       const { lockDataDir } = await import(workerData.module);
       Atomics.add(gate, 0, 1);
       while (Atomics.load(gate, 0) < workerData.starters);
       lock = await lockDataDir(directory).catch(() => undefined);
       parentPort.postMessage(lock !== undefined);
     });`,
    {
      eval: true,
      workerData: {
        module: new URL('../../src/dataDir.js', import.meta.url).href,
        starters: STARTERS,
      },
    },
  );

  /** Whether it was given. */
  async lock(of: string, gate: Int32Array): Promise<boolean> {
    this.#worker.postMessage({ directory: of, gate });
    const [given] = (await once(this.#worker, 'message')) as [boolean];
    return given;
  }

  async release(): Promise<void> {
    this.#worker.postMessage({});
    await once(this.#worker, 'message');
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

describe('a data directory', () => {
  it('has one holder; who comes second is told what to do', async () => {
    const lock = await lockDataDir(directory);
    const refused = await lockDataDir(directory).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DataDirInUse);
    expect((refused as Error).message).toMatch(
      new RegExp(`is using ${directory}\\. Stop it first, or .*DATA_DIR=`),
    );
    await lock.release();
  });

  it('has one holder among processes', async () => {
    const lock = await lockDataDir(directory);
    expect((await holder(directory)).answer).toBe('DataDirInUse');
    await lock.release();
  });

  it('is taken over from a process that was killed', async () => {
    const { child, answer } = await holder(directory);
    expect(answer).toBe('locked');
    await expect(lockDataDir(directory)).rejects.toThrow(DataDirInUse);
    await kill(child);
    expect(await readdir(directory)).toEqual(['lock.1.sock']);
    const lock = await lockDataDir(directory);
    await expect(lockDataDir(directory)).rejects.toThrow(DataDirInUse);
    expect(await readdir(directory)).toEqual(['lock.2.sock']);
    await lock.release();
    await (await lockDataDir(directory)).release();
  });

  // The race: one starter takes over the dead lock, another, who saw it dead too, moves the new one away,
  // and a third finds the name free. It takes threads to meet it.
  it('goes to one of many that find the lock of a killed process at once', async () => {
    const starters = Array.from({ length: STARTERS }, () => new Starter());
    try {
      for (let round = 0; round < 15; round++) {
        await kill((await holder(directory)).child);
        const gate = new Int32Array(new SharedArrayBuffer(4));
        const given = await Promise.all(starters.map((starter) => starter.lock(directory, gate)));
        expect(given.filter(Boolean)).toHaveLength(1);
        await expect(lockDataDir(directory)).rejects.toThrow(DataDirInUse);
        await Promise.all(starters.map((starter) => starter.release()));
      }
    } finally {
      await Promise.all(starters.map((starter) => starter.end()));
    }
  });

  it('is made where it is missing, for its owner only', async () => {
    const missing = join(directory, 'a', 'b');
    const lock = await lockDataDir(missing);
    expect((await stat(missing)).mode & 0o777).toBe(0o700);
    await lock.release();
  });

  it('may have a path longer than a socket’s', async () => {
    const [long, other] = [
      join(directory, 'x'.repeat(120), 'data'),
      join(directory, 'y'.repeat(120), 'data'),
    ];
    const lock = await lockDataDir(long);
    await expect(lockDataDir(long)).rejects.toThrow(DataDirInUse);
    expect((await holder(long)).answer).toBe('DataDirInUse');
    // Long paths that differ are different locks.
    const others = await lockDataDir(other);
    await others.release();
    await lock.release();
    await (await lockDataDir(long)).release();
  });
});

describe('the id of a node', () => {
  it('is the one that is given, which then is not written down', async () => {
    expect(await nodeId(directory, 'n1')).toBe('n1');
    expect(await readdir(directory)).toEqual([]);
  });

  it('stays while a given one is used for a time', async () => {
    const made = await nodeId(directory, undefined);
    expect(await nodeId(directory, 'n1')).toBe('n1');
    expect(await nodeId(directory, undefined)).toBe(made);
    expect(await readFile(join(directory, 'node-id'), 'utf8')).toBe(`${made}\n`);
  });

  it('differs from directory to directory', async () => {
    const other = await mkdtemp(join(directory, 'other-'));
    expect(await nodeId(other, undefined)).not.toBe(await nodeId(directory, undefined));
  });
});
