import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Place } from '../support/database.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The server as a child process. */
export interface Product {
  readonly process: ChildProcess;
  /** Its address, once it says that it is ready; undefined when it ended before. */
  readonly url: Promise<string | undefined>;
  readonly exited: Promise<Exit>;
  stdout(): string;
  stderr(): string;
}

const ENTRY = fileURLToPath(new URL('./serveRoot.js', import.meta.url));

/** Starts the server on a place's data, as people do: without NODE_ENV. */
export function spawnProduct(place: Place, root: string, env: NodeJS.ProcessEnv = {}): Product {
  const {
    NODE_ENV: _1,
    DATABASE_URL: _2,
    EVENTSTORE_URL: _3,
    EVENTSTOREDB_URL: _4,
    REDIS_URL: _5,
    ...inherited
  } = process.env;
  const child = spawn(process.execPath, [ENTRY, root], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...inherited,
      DATA_DIR: place.dataDir,
      ...(place.databaseUrl !== undefined && { DATABASE_URL: place.databaseUrl }),
      PORT: '0',
      EMBEDDINGS: 'off',
      // Every registration of a test comes from an address of its own.
      TRUST_PROXY: '1',
      ...env,
    },
  });
  let stdout = '';
  let stderr = '';
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    // 'close' comes after the last output.
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const url = new Promise<string | undefined>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const ready = /Tollgraph is ready at (http:\S+)[\s\S]*\n$/.exec(stdout);
      if (ready) resolve(ready[1]);
    });
    void exited.then(() => resolve(undefined));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return { process: child, url, exited, stdout: () => stdout, stderr: () => stderr };
}

/** The address of a server that must come up. */
export async function ready(product: Product): Promise<string> {
  const url = await product.url;
  if (url === undefined) throw new Error(`the server did not start:\n${product.stderr()}`);
  return url;
}

/** Ends a server where it stands. */
export async function kill(product: Product): Promise<Exit> {
  product.process.kill('SIGKILL');
  return product.exited;
}

/** What a caller sees: an answer that arrived whole, or undefined for a connection that broke. */
export interface Reply {
  readonly status: number;
  readonly data: Record<string, Payload | null> | null | undefined;
  readonly codes: readonly string[];
  /** Seconds, where the answer asks to try again. */
  readonly retryAfter: number | undefined;
}

/** An answer that takes longer counts as none: what this is compared with is patience, not a promise. */
const PATIENCE_MS = 60_000;

/** The fields that these tests look at, of whatever was asked. */
export interface Payload {
  readonly __typename?: string;
  readonly code?: string;
  readonly session?: { readonly sessionToken?: string; readonly refreshToken?: string } | null;
  readonly secret?: string | null;
  readonly user?: { readonly id: string };
  readonly account?: { readonly id: string };
  readonly key?: { readonly id: string };
}

export async function ask(
  url: string,
  query: string,
  { credential, variables = {}, from }: { credential?: string; variables?: object; from?: string } = {},
): Promise<Reply | undefined> {
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
        ...(from !== undefined && { 'x-forwarded-for': from }),
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const { data, errors = [] } = (await response.json()) as {
      data?: Record<string, Payload | null> | null;
      errors?: { extensions: { code: string } }[];
    };
    const retryAfter = response.headers.get('retry-after');
    return {
      status: response.status,
      data,
      codes: errors.map(({ extensions }) => extensions.code),
      retryAfter: retryAfter === null ? undefined : Number(retryAfter),
    };
  } catch {
    return undefined;
  }
}
