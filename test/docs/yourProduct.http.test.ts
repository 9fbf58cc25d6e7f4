import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Profile } from '../../src/plans/profile.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import { until } from '../support/until.js';

// docs/your-product.md, read as somebody would who wants to sell an API: all its commands, from the first to the last.

const run = promisify(execFile);

/** One that nobody listens at. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

let page: string;
let root: string;
let t: TestApp;
let port: number;
beforeAll(async () => {
  page = await readFile('docs/your-product.md', 'utf8');
  root = await mkdtemp(join(tmpdir(), 'tollgraph-product-'));
  await mkdir(join(root, 'profiles'));
  for (const folder of ['rules', 'web', 'schema']) await cp(folder, join(root, folder), { recursive: true });
  const [, profile = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  await writeFile(join(root, 'profiles', 'weather.yaml'), profile);
  const [, settings = ''] = /^(PROFILE=.*) npm start$/m.exec(page) ?? [];
  const env = Object.fromEntries(
    settings.split(' ').map((setting) => setting.split('=') as [string, string]),
  );
  const { DATA_DIR: _, ...said } = env;
  t = await startApp({ root, env: { ...said, BILLING: 'sandbox' } });
  port = await freePort();
});
afterAll(async () => {
  // The server that the page starts.
  await run('bash', ['-c', '. ./variables; kill "$WEATHER"'], { cwd: root }).catch(() => undefined);
  await t.close();
  await rm(root, { recursive: true, force: true });
});

/** Runs a block in the shell that the blocks before have left. */
async function shell(block: string): Promise<string> {
  const commands = block
    .replaceAll('http://127.0.0.1:4000', t.app.url)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)
    .replaceAll('data-weather', t.place.dataDir)
    .replace(/^(.*weather\.mjs) &$/m, '$1 >/dev/null 2>&1 & WEATHER=$!')
    .replace('sleep 1', `until curl -so /dev/null http://127.0.0.1:${port}/; do sleep 0.1; done`);
  const variables = join(root, 'variables');
  const script = `set -a; . '${variables}' 2>/dev/null || true; ${commands}\nexport -p > '${variables}'`;
  const env = { ...process.env, PORT: String(port), TOLLGRAPH: t.app.url };
  const { stdout } = await run('bash', ['-euc', script], { env });
  return stdout.trim();
}

it('leads from a new file to the first paid plan', async () => {
  const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  expect(blocks.length).toBe(8);
  const [register, verify, server, customer, ask, serve, pay, again] = blocks as [string, ...string[]];

  await shell(register);
  await until(async () => {
    const mails = await readdir(join(t.place.dataDir, 'mail')).catch(() => []);
    return mails.some((name) => name.endsWith('.eml'));
  });
  expect(await shell(verify ?? '')).toContain('VerifyEmailPayload');
  expect(await t.app.parts.policies.reached(await t.app.parts.store.head(), 60_000)).toBe(true);
  await shell(server ?? '');
  await shell(customer ?? '');

  const verdict = JSON.parse(await shell(ask ?? '')) as { valid: boolean; headers: { name: string }[] };
  expect(verdict.valid).toBe(true);
  expect(verdict.headers.map(({ name }) => name)).toContain('x-ratelimit-remaining');
  expect((await shell(serve ?? '')).split('\n')).toEqual([
    '{"forecast":"sunny","plan":"free"}',
    '{"forecast":"sunny","plan":"free"}',
    '{"error":"QUOTA_EXCEEDED"}',
  ]);

  const [, url = ''] = /"url":"([^"]+)"/.exec(await shell(pay ?? '')) ?? [];
  const card = { number: '4242 4242 4242 4242', expiry: '12/44', cvc: '123', email: 'customer@example.com' };
  const paid = await fetch(url, { method: 'POST', body: new URLSearchParams(card), redirect: 'manual' });
  expect(paid.status).toBe(303);
  let answer = '';
  await until(async () => (answer = await shell(again ?? '')).includes('sunny'));
  expect(answer).toBe('{"forecast":"sunny","plan":"pro"}');
});

it('lists every word of a profile', () => {
  const words = (table: string): string[] =>
    [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name as string),
    );
  const [, ofProfile = '', ofPlan = ''] = page.split(/^\| word .*$/m);
  // What is configuration, and no part of what is published.
  const configured = ['analysis', 'dailyReport'];
  expect(words(ofProfile).sort()).toEqual([...Object.keys(Profile.shape), ...configured].sort());
  expect(words(ofPlan).sort()).toEqual(Object.keys(Profile.shape.plans.element.shape).sort());
});
