import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Stripe from 'stripe';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { openPostgres } from '../../src/adapters/postgres/pg.js';
import { openPglite } from '../../src/adapters/postgres/pglite.js';
import { stripeEventStream } from '../../src/billing/events.js';
import { quantile } from '../statistics.js';

const SECRET = 'whsec_benchbenchbenchbenchbenchbench';
const IN_FLIGHT = 32;
const WARM_UP = 200;
/** As much as an invoice with a few lines. */
const PADDING = 'x'.repeat(4_000);

export interface WebhookFigures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the webhooks that were answered while the process was killed, those that are not stored. */
  readonly lost: number;
}

const KILLS = 3;
/** How long a process takes webhooks before it is killed, in milliseconds. */
const LIVES_MS = { min: 300, max: 1_200 };

/**
 * Sends signed webhooks to a product in a process of its own, each about another event, and takes the time until
 * each is stored and answered. Nobody answers for Stripe there: what would follow from them is left out. Afterwards
 * the process is killed while it takes more of them, and each that was answered is looked up.
 */
export async function benchWebhooks(
  dataDir: string,
  databaseUrl: string | undefined,
  count: number,
): Promise<WebhookFigures> {
  const {
    DATABASE_URL: _1,
    REDIS_URL: _2,
    EVENTSTOREDB_URL: _3,
    EVENTSTORE_URL: _4,
    ...inherited
  } = process.env;
  const env = {
    ...inherited,
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    DATA_DIR: dataDir,
    PORT: '0',
    EMBEDDINGS: 'off',
    STRIPE_SECRET_KEY: 'sk_test_bench',
    STRIPE_API_BASE: 'http://127.0.0.1:9',
    STRIPE_WEBHOOK_SECRET: SECRET,
  };
  const running = await started(env);
  let figures: Omit<WebhookFigures, 'lost'>;
  try {
    const { url } = running;
    await send(url, 0, WARM_UP);
    const began = performance.now();
    const latencies = await send(url, WARM_UP, count);
    const seconds = (performance.now() - began) / 1000;
    figures = {
      perSecond: count / seconds,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
    };
  } finally {
    await running.stop();
  }
  const answered = await sendOverKills(env, WARM_UP + count);
  return { ...figures, lost: await missing(answered, dataDir, databaseUrl) };
}

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly url: string;
  stop(): Promise<void>;
}

async function started(env: NodeJS.ProcessEnv): Promise<Running> {
  const child = fork(new URL('../node.js', import.meta.url), [process.cwd()], {
    env,
    // It says that Stripe does not answer.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit');
  const [{ url }] = (await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error('the product has ended'))),
  ])) as [{ url: string }];
  return {
    child,
    exited,
    url,
    stop: async () => {
      if (child.connected) child.send('stop');
      await exited;
    },
  };
}

/** @returns which of those were answered that were sent while the process was killed, and started again */
async function sendOverKills(env: NodeJS.ProcessEnv, from: number): Promise<string[]> {
  const answered: string[] = [];
  let next = from;
  for (let kill = 0; kill < KILLS; kill++) {
    const { child, exited, url } = await started(env);
    const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
    let ended = false;
    const sender = async (): Promise<void> => {
      while (!ended) {
        const n = next++;
        try {
          if ((await deliver(agent, url, n)) === 200) answered.push(idOf(n));
        } catch {
          // It is gone, and so is the answer: whether the event is stored is not known.
          ended = true;
        }
      }
    };
    const senders = Array.from({ length: IN_FLIGHT }, sender);
    await delay(randomInt(LIVES_MS.min, LIVES_MS.max));
    child.kill('SIGKILL');
    await Promise.all(senders);
    await exited;
    agent.destroy();
  }
  return answered;
}

/** How many events of those are not stored. */
async function missing(
  ids: readonly string[],
  dataDir: string,
  databaseUrl: string | undefined,
): Promise<number> {
  const sql =
    databaseUrl === undefined ? await openPglite(join(dataDir, 'postgres')) : await openPostgres(databaseUrl);
  try {
    const store = await PostgresEventStore.open(sql);
    let lost = 0;
    for (const id of ids) {
      const [received] = await store.readStream(stripeEventStream(id));
      if (received?.type !== 'StripeEventReceived') lost++;
    }
    return lost;
  } finally {
    await sql.close();
  }
}

/** @returns how long each has taken, in milliseconds */
async function send(url: string, from: number, count: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const latencies: number[] = [];
  let next = from;
  const sender = async (): Promise<void> => {
    while (next < from + count) {
      const payload = bodyOf(next++);
      const header = signed(payload);
      const sent = performance.now();
      const status = await post(agent, `${url}/webhooks/stripe`, payload, header);
      if (status !== 200) throw new Error(`a webhook was answered with ${status}`);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
  agent.destroy();
  return latencies;
}

const signed = (payload: string): string =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET });

function deliver(agent: Agent, url: string, n: number): Promise<number> {
  const payload = bodyOf(n);
  return post(agent, `${url}/webhooks/stripe`, payload, signed(payload));
}

const idOf = (n: number): string => `evt_bench${n}`;

const bodyOf = (n: number): string =>
  JSON.stringify({
    id: idOf(n),
    object: 'event',
    // Nothing follows from it.
    type: 'customer.updated',
    created: 1_800_000_000,
    livemode: false,
    api_version: '2026-10-28.endive',
    data: { object: { object: 'customer', id: `cus_bench${n % 1_000}`, description: PADDING } },
  });

function post(agent: Agent, url: string, body: string, signature: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'stripe-signature': signature,
        },
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
