import { fork } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SECRET_NAMES } from '../src/config.js';
import { onOwnDatabase } from './events/database.js';
import type { Load, LoadResult } from './load.js';
import type { Key, Node } from './nodes.js';
import { issueKeys, post, startNode, stopNode } from './nodes.js';
import { unreachableLimits } from './profile.js';
import { quantile } from './statistics.js';

/** Below the 60 commands a minute that an account has for itself, when each key is issued and revoked in one. */
const KEYS_PER_ACCOUNT = 20;
/** Calls a second on each node, with keys that nobody revokes. */
const LOAD_PER_SECOND = 200;
const LOAD_SECONDS = 5;
const LOAD_CONNECTIONS = 8;
/** Revocations begin at no particular moment of the followers' rhythm. */
const PAUSE_MS_MAX = 100;
/** A key that is good for so long after its revocation is good for ever. */
const GIVE_UP_MS = 10_000;

const REVOKE = `mutation ($id: ID!) { revokeKey(input: { keyId: $id }) { __typename } }`;
const CALL = JSON.stringify({ query: '{ categories { slug } }' });

export interface RevocationFigures {
  /** From the answer of `revokeKey` on one node to the sending of the last call that another one took, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Revokes keys through one of two API nodes, while their owners call the other one in a tight loop. */
export async function benchRevocation(
  folder: string,
  databaseUrl: string,
  redisUrl: string | undefined,
  revocations: number,
): Promise<RevocationFigures> {
  const root = await unreachableLimits(join(folder, 'root'));
  return onOwnDatabase(databaseUrl, async (_sql, url) => {
    const secrets = SECRET_NAMES.map((name) => [name, randomBytes(32).toString('base64url')] as const);
    const start = (name: string, role: string): Promise<Node> =>
      startNode(root, {
        ...Object.fromEntries(secrets),
        DATA_DIR: join(folder, name),
        DATABASE_URL: url,
        ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
        ROLE: role,
        NODE_ID: name,
        PORT: '0',
        EMBEDDINGS: 'off',
        // Every registration comes from an address of its own: what limits them is not what is measured.
        TRUST_PROXY: '1',
      });
    const nodes = await Promise.all([start('a', 'api'), start('b', 'api'), start('projector', 'projector')]);
    try {
      const [a, b] = nodes;
      return await measure(a.url, b.url, revocations);
    } finally {
      await Promise.all(nodes.map(stopNode));
    }
  });
}

async function measure(a: string, b: string, revocations: number): Promise<RevocationFigures> {
  const keys: Key[] = [];
  const others = await issueKeys(a, 0, 2);
  for (let account = 1; keys.length < revocations; account++) {
    keys.push(...(await issueKeys(a, account, Math.min(KEYS_PER_ACCOUNT, revocations - keys.length))));
  }
  for (const { secret } of [...others, ...keys.slice(-1)]) while (!(await accepts(b, secret)));

  const generators = [a, b].map((url, i) => new Generator(url, (others[i] as Key).secret));
  const delays: number[] = [];
  try {
    for (const key of keys) delays.push(await revoke(a, b, key));
  } finally {
    await Promise.all(generators.map((generator) => generator.stop()));
  }
  return { p50Ms: quantile(delays, 0.5), p99Ms: quantile(delays, 0.99), maxMs: Math.max(...delays) };
}

/** @returns how long the other node went on taking calls after the revocation was answered; 0 when it took none */
async function revoke(a: string, b: string, { id, secret, token }: Key): Promise<number> {
  let answeredAt = Infinity;
  let lastSent = -Infinity;
  const calling = (async () => {
    for (;;) {
      const sent = performance.now();
      if (!(await accepts(b, secret))) break;
      lastSent = sent;
      if (sent - answeredAt > GIVE_UP_MS) throw new Error('a revoked key goes on working');
    }
    if (answeredAt === Infinity && lastSent === -Infinity) throw new Error('a key never worked');
  })();
  const revoking = (async () => {
    await delay(randomInt(PAUSE_MS_MAX));
    const answer = await post(a, JSON.stringify({ query: REVOKE, variables: { id } }), { token });
    answeredAt = performance.now();
    if (!answer.text.includes('RevokeKeyPayload')) throw new Error(`revokeKey answered ${answer.text}`);
  })();
  await Promise.all([calling, revoking]);
  return Math.max(0, lastSent - answeredAt);
}

/** @throws Error for an answer that says neither that the key is good nor that it is not */
async function accepts(url: string, token: string): Promise<boolean> {
  const { status, text } = await post(url, CALL, { token });
  if (status === 200) return true;
  if (status === 401) return false;
  throw new Error(`a call was answered ${status} ${text}`);
}

/** Calls a node steadily, from a process of its own. */
class Generator {
  readonly #process = fork(new URL('./load.js', import.meta.url));
  readonly #running: Promise<void>;
  #stopping = false;

  constructor(url: string, secret: string) {
    this.#running = this.#run({
      url: `${url}/graphql`,
      headers: { authorization: `Bearer ${secret}` },
      body: CALL,
      connections: LOAD_CONNECTIONS,
      seconds: LOAD_SECONDS,
      rate: LOAD_PER_SECOND,
    });
    // Whoever stops it hears of it.
    this.#running.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running.finally(() => this.#process.kill());
  }

  async #run(load: Load): Promise<void> {
    while (!this.#stopping) {
      this.#process.send(load);
      const [result] = (await once(this.#process, 'message')) as [LoadResult];
      if (result.failed > 0) throw new Error(`${result.failed} calls of ${load.url} failed`);
    }
  }
}
