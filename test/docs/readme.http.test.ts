import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startApp } from '../support/app.js';
import type { TestApp } from '../support/app.js';

const run = promisify(execFile);
const ADDRESS = 'http://127.0.0.1:4000';

let t: TestApp;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  t = await startApp({ patterns: 'patterns', env: { BILLING: 'sandbox' } });
  const { token, secret } = await t.customer();
  env = { ...process.env, SESSION_TOKEN: token, KEY: secret };
});
afterAll(() => t.close());

/** Every command with curl that the README and the pages in docs/ show, whole. */
const PAGES = [
  'README.md',
  ...readdirSync('docs')
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];
// Its commands are steps of one story, which has a test of its own.
const STORY = join('docs', 'your-product.md');
const commands = PAGES.filter((page) => page !== STORY)
  .flatMap((page) => [...readFileSync(page, 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)])
  .map(([, text = '']) => text.trim())
  .filter((text) => text.startsWith('curl') && text.includes('/graphql'));

it.each(PAGES)('the links of %s lead to files that exist', (page) => {
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(
    ([, to = '']) => to,
  );
  expect(links.filter((to) => !existsSync(join(dirname(page), to)))).toEqual([]);
});

it('the README is short enough for a newcomer', () => {
  expect(readFileSync('README.md').byteLength).toBeLessThanOrEqual(12 * 1024);
});

it('shows commands for the first steps', () => {
  expect(commands.length).toBeGreaterThan(4);
});

it.each(commands.map((text) => [text.replace(/\s+/g, ' ').slice(0, 150), text] as const))(
  'what it shows works as printed: %s',
  async (_start, text) => {
    const streams = text.includes('text/event-stream');
    // A stream has no end: it is cut off after its first event, which comes at once.
    const command = text.replaceAll(ADDRESS, t.app.url).replaceAll('curl ', streams ? 'curl -m 3 ' : 'curl ');
    const { stdout } = await run('bash', ['-c', command], { env }).catch((error: unknown) => {
      if (streams) return error as { stdout: string };
      throw error;
    });
    if (streams) {
      expect(stdout).toMatch(/^event: next\ndata: \{"data":\{"usageChanged":\{/m);
      return;
    }
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(answers.length).toBe(text.match(/curl /g)?.length);
    for (const answer of answers) {
      expect(Object.keys(answer)).toContain('data');
      expect(JSON.stringify(answer)).not.toMatch(/"errors"|"code":/);
    }
  },
);

it('docs/examples/keys.mjs shows the life of a key', async () => {
  const { stdout } = await run(process.execPath, ['docs/examples/keys.mjs', t.app.url]);
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^registered developer-\d+@example\.com$/),
    expect.stringMatching(/^issued sk_live_…[0-9A-Za-z]{4}: ok$/),
    'rotated, the new secret: ok',
    expect.stringMatching(/^the old one until \d{4}-.*Z: ok$/),
    'revoked: KEY_REVOKED KEY_REVOKED',
  ]);
});
