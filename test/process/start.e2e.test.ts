import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { allEvents, foldJournal } from '../crash/facts.js';
import { randomFrom, Traffic } from '../crash/traffic.js';
import type { Place } from '../support/database.js';
import { freshPlace, openSql } from '../support/database.js';
import type { Product } from './product.js';
import { ask, kill, ready, spawnProduct } from './product.js';
import type { Root } from './root.js';
import { makeRoot } from './root.js';
import { until } from '../support/until.js';

const KEY = /sk_test_[0-9A-Za-z]{32}/;

/** Fastify's 72 seconds: a shutdown that waits for idle connections to time out hangs this long. */
const LESS_THAN_KEEP_ALIVE_MS = 60_000;

let root: Root;
let place: Place;
const running = new Set<Product>();

beforeAll(async () => {
  root = await makeRoot({ patterns: 3, amount: 1_000_000 });
});
afterAll(() => root.remove());
beforeEach(async () => {
  place = await freshPlace();
});
afterEach(async () => {
  for (const product of running) await kill(product);
  running.clear();
  await place.remove();
});

function run(env: NodeJS.ProcessEnv = {}, folder = root.path): Product {
  const product = spawnProduct(place, folder, env);
  running.add(product);
  return product;
}

async function stop(product: Product): Promise<void> {
  product.process.kill('SIGTERM');
  expect(await product.exited).toEqual({ code: 0, signal: null });
}

/** Those of mails are left out: what one start has asked for, the next may send. */
async function storedEvents() {
  const sql = await openSql(place);
  try {
    const events = await allEvents(await PostgresEventStore.open(sql));
    return events.filter(({ type }) => !type.startsWith('Mail'));
  } finally {
    await sql.close();
  }
}

/** Starts what must be refused: exit code 1, one sentence, no stack. */
async function refusal(env: NodeJS.ProcessEnv = {}): Promise<string> {
  const product = run(env);
  expect(await product.url).toBeUndefined();
  expect(await product.exited).toEqual({ code: 1, signal: null });
  expect(product.stderr()).not.toMatch(/^\s+at /m);
  return product.stderr();
}

describe('a first start', () => {
  it('prints a demo key, and curl lines that work as printed', async () => {
    // The lines name patterns that ship.
    const product = run({}, process.cwd());
    await ready(product);
    const key = KEY.exec(product.stdout())?.[0];
    expect(key).toBeDefined();

    const commands = product.stdout().match(/^ {2}curl [^\n]*\\\n[^\n]*$/gm) ?? [];
    expect(commands.length).toBe(5);
    for (const command of commands) {
      const { stdout } = await promisify(execFile)('sh', ['-c', command]);
      const answer = JSON.parse(stdout) as { errors?: unknown };
      expect(answer.errors).toBeUndefined();
      expect(JSON.stringify(answer)).not.toContain('"code"');
    }
    // What was done over curl shows on the meter, as the lines promise.
    const usage = await ask(await ready(product), '{ account { usage { calls } } }', {
      credential: key,
    });
    expect(usage?.data?.['account']).toMatchObject({ usage: { calls: '3' } });
  });

  it('makes no demo account in production', async () => {
    const names = ['KEY_PEPPER', 'EMAIL_HASH_KEY', 'MASTER_KEY', 'SESSION_KEY'];
    const secrets = Object.fromEntries(names.map((name) => [name, randomBytes(32).toString('base64url')]));
    const product = run({ NODE_ENV: 'production', ...secrets });
    await ready(product);
    expect(product.stdout()).not.toMatch(KEY);
    await stop(product);
    const types = new Set((await storedEvents()).map(({ type }) => type));
    expect(types).not.toContain('EmailRegistered');
    expect(types).not.toContain('KeyIssued');
  });

  it('that fails for a taken port names PORT, and leaves the demo key to the next start', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      const before = await readdir(place.dataDir).catch(() => []);
      expect(await refusal({ PORT: String(port) })).toContain(
        'PORT: another process is listening there already',
      );
      // Told before the start's work, which would have begun there.
      expect(await readdir(place.dataDir).catch(() => [])).toEqual(before);
    } finally {
      other.close();
    }
    const product = run();
    await ready(product);
    expect(product.stdout()).toMatch(KEY);
  });
});

describe('a later start', () => {
  it('adds no event and prints no demo key', async () => {
    const first = run();
    await ready(first);
    await stop(first);
    const before = (await storedEvents()).length;

    const second = run();
    await ready(second);
    expect(second.stdout()).not.toMatch(KEY);
    await stop(second);
    expect((await storedEvents()).length).toBe(before);
  });

  it('on other secrets or another profile is refused with a sentence that names what to restore', async () => {
    const first = run();
    await ready(first);
    await stop(first);

    const pepper = randomBytes(32).toString('base64url');
    const changed = await refusal({ KEY_PEPPER: pepper });
    expect(changed).toContain('KEY_PEPPER is not the one these data were made with');
    expect(changed).not.toContain(pepper);
    expect(await refusal({ PROFILE: 'nowhere' })).toContain('PROFILE: there is no file');
  });
});

describe('a configuration that cannot be used', () => {
  it('is refused with every variable at fault, and shows no value', async () => {
    const said = await refusal({ PORT: '70000', KEY_PEPPER: 'too-short-a-pepper', EMBEDDINGS: 'remote' });
    for (const name of ['PORT', 'KEY_PEPPER', 'EMBEDDINGS']) expect(said).toContain(`  ${name}: `);
    for (const value of ['70000', 'too-short-a-pepper', 'remote']) expect(said).not.toContain(value);
  });

  it('has a file where its directory should be: said without a stack', async () => {
    expect(await refusal({ DATA_DIR: process.execPath })).toMatch(/^ {2}DATA_DIR: cannot be used: EEXIST/m);
  });

  it('lacks secrets in production: each is named, and none is made', async () => {
    const given = randomBytes(32).toString('base64url');
    const said = await refusal({ NODE_ENV: 'production', SESSION_KEY: given });
    for (const name of ['KEY_PEPPER', 'EMAIL_HASH_KEY', 'MASTER_KEY']) {
      expect(said).toContain(`${name}: must be set in production`);
    }
    expect(said).not.toContain('SESSION_KEY');
    expect(said).not.toContain(given);
  });
});

describe('two processes on one data directory', () => {
  it('the second is refused, and the first goes on', async () => {
    const first = run();
    const url = await ready(first);
    expect(await refusal()).toMatch(/^Another Tollgraph process is using .*DATA_DIR=other npm start$/m);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    await stop(first);
  });
});

describe('SIGTERM under load', () => {
  it(
    'answers whatever was accepted, stores it, and ends with code 0',
    async () => {
      const product = run();
      const url = await ready(product);
      const traffic = new Traffic('stop', randomFrom(1), root.slugs);
      const load = traffic.run(url);
      const answered = (): number => traffic.calls.filter(({ outcome }) => outcome === 'acknowledged').length;
      await until(() => answered() >= 50);
      await stop(product);
      traffic.stop();
      await load;

      const { byOperation } = foldJournal(await storedEvents());
      // A call that was not answered was not accepted either: nothing was done for it, nothing stored.
      const wrong = traffic.calls.filter(
        ({ operation, outcome }) =>
          (byOperation.get(operation) ?? 0) !== (outcome === 'acknowledged' ? 1 : 0),
      );
      expect(wrong).toEqual([]);
    },
    LESS_THAN_KEEP_ALIVE_MS,
  );
});

describe('SIGTERM twice', () => {
  it('ends at once what the first would have drained for a minute', async () => {
    const product = run({ SHUTDOWN_DRAIN_MS: '60000' });
    const url = await ready(product);
    product.process.kill('SIGTERM');
    let health: { status: string; problems: string[] };
    do {
      health = (await (await fetch(`${url}/health/ready`)).json()) as typeof health;
    } while (health.status === 'ready');
    expect(health.problems).toEqual(['the server is shutting down']);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    product.process.kill('SIGTERM');
    expect(await product.exited).toEqual({ code: 1, signal: null });
  });
});
