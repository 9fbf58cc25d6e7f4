import { Worker } from 'node:worker_threads';
import type { Embedder } from '../../catalogue/embedder.js';
import type { EmbedReply, EmbedRequest } from './minilmWorker.js';

/** Cosine of the right answers has its 5th percentile at .18, the best off-topic hit is at most .19. */
const MIN_SIMILARITY = 0.2;

/**
 * all-MiniLM-L6-v2 from an npm package, as WASM in one long-lived worker: the package's own pool would
 * load the model anew for each large call and block the event loop for small ones.
 */
export async function openMiniLm(): Promise<Embedder> {
  const worker = new Worker(new URL('./minilmWorker.js', import.meta.url));
  const waiting = new Map<number, { resolve: (v: Float32Array[]) => void; reject: (e: Error) => void }>();
  let nextId = 0;
  let gone: Error | undefined;
  const fail = (error: Error): void => {
    gone = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const ready = new Promise<{ id: string; dimensions: number }>((resolve, reject) => {
    worker.on('message', (reply: EmbedReply) => {
      if (reply.kind === 'ready') return resolve(reply);
      const entry = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.kind === 'vectors') entry?.resolve(reply.vectors);
      else entry?.reject(new Error(reply.message));
    });
    worker.on('error', (error: Error) => {
      reject(error);
      fail(error);
    });
    worker.on('exit', () => fail(new Error('the embedding worker has stopped')));
  });
  const { id, dimensions } = await ready;
  worker.unref();

  return {
    id,
    dimensions,
    minSimilarity: MIN_SIMILARITY,
    embed: (texts) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(gone);
        const request: EmbedRequest = { id: nextId++, texts };
        waiting.set(request.id, { resolve, reject });
        worker.postMessage(request);
      }),
    close: async () => void (await worker.terminate()),
  };
}
