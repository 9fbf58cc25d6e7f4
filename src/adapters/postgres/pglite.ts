import { mkdir, readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { Row, Sql, SqlPriority, Statement } from '../../sql/sql.js';
import { SqlError, SqlUnavailable } from '../../sql/sql.js';
import type { WorkerData, WorkerReply, WorkerRequest } from './pgliteWorker.js';

interface Waiting {
  readonly resolve: (rows: Row[][]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Of the worker's young objects, in MB. Each write to a file leaves a copy behind that counts as one of them and
 * is held outside of the heap: with more room for them all of the heap would be collected to be rid of those.
 */
const MAX_YOUNG_MB = 12;

/**
 * Bytes of write-ahead log after which there is a checkpoint: a start reads so much again after a crash, and the
 * disk holds it twice. A checkpoint of so much takes some 20 ms.
 */
const MAX_WAL_BYTES = 16 * 1024 * 1024;

/** Node.js has it; its types do not. */
declare const WebAssembly: { compile(code: Uint8Array): Promise<object> };

let code: Promise<object> | undefined;

/** PGlite's code, compiled once for all databases of this process, and optimized once. */
function compiled(): Promise<object> {
  const file = new URL('pglite.wasm', import.meta.resolve('@electric-sql/pglite'));
  return (code ??= readFile(file).then((bytes) => WebAssembly.compile(bytes)));
}

/**
 * PostgreSQL as WASM in one worker thread: one connection behind a queue (decision 18). Survives a
 * crash of the process; a power cut is not covered, since PGlite does not fsync.
 * @param directory where the database lives; the caller holds the lock on it
 */
export async function openPglite(directory: string, maxWalBytes = MAX_WAL_BYTES): Promise<Sql> {
  await mkdir(directory, { recursive: true });
  const worker = new Worker(new URL('./pgliteWorker.js', import.meta.url), {
    workerData: { directory, maxWalBytes, code: await compiled() } satisfies WorkerData,
    resourceLimits: { maxYoungGenerationSizeMb: MAX_YOUNG_MB },
  });
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let gone: Error | undefined;

  const failAll = (error: Error): void => {
    gone ??= error;
    for (const { reject } of waiting.values()) reject(new SqlUnavailable(error.message, { cause: error }));
    waiting.clear();
  };

  await new Promise<void>((resolve, reject) => {
    worker.on('message', (reply: WorkerReply) => {
      if (reply.kind === 'ready') return resolve();
      if (reply.kind === 'unusable') return reject(new Error(reply.message));
      const entry = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.kind === 'rows') entry?.resolve(reply.rows);
      else entry?.reject(new SqlError(reply.message, reply.code));
    });
    worker.on('error', (error: Error) => {
      reject(error);
      failAll(error);
    });
    worker.on('exit', () => failAll(new Error('the embedded database has stopped')));
  });

  const send = (
    kind: 'statements' | 'script' | 'close',
    statements: readonly Statement[],
    priority: SqlPriority,
  ): Promise<Row[][]> =>
    new Promise((resolve, reject) => {
      if (gone) return reject(new SqlUnavailable(gone.message, { cause: gone }));
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, kind, statements, priority } satisfies WorkerRequest);
    });

  return {
    query: async <R extends object>(
      text: string,
      params: readonly unknown[] = [],
      priority: SqlPriority = 'query',
    ) => (await send('statements', [{ text, params }], priority))[0] as R[],
    transaction: (statements, priority = 'query') => send('statements', statements, priority),
    script: async (text) => void (await send('script', [{ text }], 'query')),
    close: async () => {
      if (gone) return;
      await send('close', [], 'projection');
      await worker.terminate();
    },
  };
}
