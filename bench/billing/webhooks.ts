import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import Stripe from 'stripe';
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
}

/**
 * Sends signed webhooks to a product in a process of its own, each about another event, and takes the time until
 * each is stored and answered. Nobody answers for Stripe there: what would follow from them is left out.
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
  const child = fork(new URL('../node.js', import.meta.url), [process.cwd()], {
    env,
    // It says that Stripe does not answer.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit');
  try {
    const [{ url }] = (await Promise.race([
      once(child, 'message'),
      exited.then(() => Promise.reject(new Error('the product has ended'))),
    ])) as [{ url: string }];
    await send(url, 0, WARM_UP);
    const began = performance.now();
    const latencies = await send(url, WARM_UP, count);
    const seconds = (performance.now() - began) / 1000;
    return {
      perSecond: count / seconds,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
    };
  } finally {
    if (child.connected) child.send('stop');
    await exited;
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
      const header = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET });
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

const bodyOf = (n: number): string =>
  JSON.stringify({
    id: `evt_bench${n}`,
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
