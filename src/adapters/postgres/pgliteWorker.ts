import { parentPort, workerData } from 'node:worker_threads';
import type { QueryOptions } from '@electric-sql/pglite';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { vector } from '@electric-sql/pglite-pgvector';
import type { Row, SqlPriority, Statement } from '../../sql/sql.js';
import { Checkpoints } from './checkpoints.js';
import { PreparedStatements } from './preparedStatements.js';

export interface WorkerData {
  readonly directory: string;
  readonly maxWalBytes: number;
  /** PGlite's code, compiled. */
  readonly code: object;
}

export interface WorkerRequest {
  readonly id: number;
  readonly kind: 'statements' | 'script' | 'close';
  readonly statements: readonly Statement[];
  readonly priority: SqlPriority;
}

export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unusable'; readonly message: string }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: Row[][] }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string };

const port = parentPort;
if (!port) throw new Error('pgliteWorker runs in a worker thread');
const reply = (message: WorkerReply): void => port.postMessage(message);

const queues: Record<SqlPriority, WorkerRequest[]> = { journal: [], query: [], projection: [] };
const next = (): WorkerRequest | undefined =>
  queues.journal.shift() ?? queues.query.shift() ?? queues.projection.shift();

const INT8 = 20;
const TEXT = 25;

/** Characters above which a text is worth encoding here. */
const LONG = 1_000;

/**
 * A long text as bytes, which PGlite sends in binary, for this type the same. Of a string it would first
 * count the bytes one character after the other, which for a batch of the journal takes longer than to
 * store it.
 */
const serializers: QueryOptions['serializers'] = {
  [TEXT]: (value: unknown) => {
    const string = value instanceof Date ? value.toISOString() : String(value);
    return string.length < LONG ? string : (Buffer.from(string) as unknown as string);
  },
};

const { directory, maxWalBytes, code } = workerData as WorkerData;

async function open(): Promise<PGlite> {
  return PGlite.create({
    dataDir: directory,
    pgliteWasmModule: code,
    extensions: { vector, pg_trgm },
    parsers: { [INT8]: Number },
  });
}

async function run(db: PGlite, prepared: PreparedStatements, request: WorkerRequest): Promise<Row[][]> {
  const { kind, statements, priority } = request;
  if (kind === 'script') {
    for (const { text } of statements) await db.exec(text);
    return [];
  }
  // What somebody asks is planned for what they ask; what comes all the time is planned once.
  const rows = await prepared.run(statements, priority === 'query');
  if (rows) return rows;
  const [only] = statements;
  if (statements.length === 1 && only) {
    return [(await db.query<Row>(only.text, [...(only.params ?? [])], { serializers })).rows];
  }
  return db.transaction(async (tx) => {
    const all: Row[][] = [];
    for (const { text, params = [] } of statements) {
      all.push((await tx.query<Row>(text, [...params], { serializers })).rows);
    }
    return all;
  });
}

/** Serves the queues until they are empty; one statement list at a time. */
async function serve(db: PGlite, prepared: PreparedStatements, checkpoints: Checkpoints): Promise<void> {
  for (let request = next(); request; request = next()) {
    const began = performance.now();
    try {
      if (request.kind === 'close') {
        await db.close();
        reply({ kind: 'rows', id: request.id, rows: [] });
        return;
      }
      reply({ kind: 'rows', id: request.id, rows: await run(db, prepared, request) });
    } catch (error) {
      const { code = 'XX000', message } = error as { code?: string; message: string };
      reply({ kind: 'failed', id: request.id, code, message });
    }
    await checkpoints.after(performance.now() - began);
  }
}

try {
  const db = await open();
  const prepared = new PreparedStatements(db);
  const checkpoints = new Checkpoints(db, maxWalBytes);
  let serving: Promise<void> | undefined;
  port.on('message', (request: WorkerRequest) => {
    queues[request.priority].push(request);
    serving ??= serve(db, prepared, checkpoints).finally(() => (serving = undefined));
  });
  reply({ kind: 'ready' });
} catch (error) {
  reply({ kind: 'unusable', message: (error as Error).message });
}
