import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { startApp } from '../support/app.js';

// Each product's page, read as a new user would: all its commands in one shell, from the first to the last.

const run = promisify(execFile);
const ADDRESS = 'http://127.0.0.1:4000';

/** Refusals that a page shows on purpose. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  videomind: ['Missing API key', 'Email already registered'],
  scanner: ['Input should be auto', 'File type not allowed', 'Payment is not required'],
};

it.each(['specql', 'glyph', 'harmonic', 'videomind', 'scanner'])(
  'docs/products/%s.md works as printed',
  async (name) => {
    const page = readFileSync(`docs/products/${name}.md`, 'utf8');
    const script = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text).join('\n');
    const lines = script.match(/\bcurl /g) ?? [];
    expect(lines.length).toBeGreaterThanOrEqual(10);
    const env = { PROFILE: name, ...(name === 'scanner' && { PAYMENT_REQUIRED: 'false' }) };
    const t = await startApp({ env, patterns: name === 'specql' ? 'patterns' : null });
    try {
      const { secret } = await t.customer();
      // What curl prints ends with its status.
      const commands = script
        .replaceAll(ADDRESS, t.app.url)
        .replaceAll('$(curl -s', '$(curl --silent')
        .replaceAll('curl -s', `curl -s -w '\\n=== %{http_code}\\n'`);
      const { stdout } = await run('bash', ['-euc', commands], {
        env: { ...process.env, KEY: secret },
        maxBuffer: 1e7,
      });
      const answers = stdout.split(/\n=== (?=\d{3}\n)/);
      const refused = answers.slice(0, -1).flatMap((body, index) => {
        const status = Number(answers[index + 1]?.slice(0, 3));
        return status < 400 ? [] : [body.replace(/^\d{3}\n/, '')];
      });
      const shown = SHOWN[name] ?? [];
      expect(refused.map((body) => shown.find((text) => body.includes(text)) ?? body)).toEqual(shown);
      expect(answers.length - 1).toBeGreaterThan(5);
    } finally {
      await t.close();
    }
  },
);
