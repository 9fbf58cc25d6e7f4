import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { ask, ready } from './product.js';
import { prepareStarts } from './starts.js';

const KEY = /sk_test_[0-9A-Za-z]{32}/;

const { place, run, stop, refusal } = prepareStarts({ ready: true });

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

  it('that fails for a taken port names PORT, and leaves the demo key to the next start', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      const before = await readdir(place().dataDir).catch(() => []);
      expect(await refusal({ PORT: String(port) })).toContain(
        'PORT: another process is listening there already',
      );
      // Told before the start's work, which would have begun there.
      expect(await readdir(place().dataDir).catch(() => [])).toEqual(before);
    } finally {
      other.close();
    }
    const product = run();
    await ready(product);
    expect(product.stdout()).toMatch(KEY);
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
