import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PUBLIC_EVENTS } from '../../src/capabilities.js';
import { mintSecret, signedHeaders } from '../../src/webhooks/signature.js';
import { WAITS } from '../../src/webhooks/carrier.js';

const PAGE = readFileSync('docs/webhooks.md', 'utf8');
const block = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(PAGE)?.[1] ?? '';
const BODY = '{"type":"key.issued","data":{"name":"naïve 雪"}}';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgraph-webhooks-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the page on webhooks', () => {
  it('verifies in Node.js as it shows', async () => {
    const file = join(folder, 'verify.mjs');
    await writeFile(file, block('js'));
    const { verify } = (await import(pathToFileURL(file).href)) as {
      readonly verify: (secret: string, headers: object, body: string) => unknown;
    };
    const [old, secret] = [mintSecret(), mintSecret()];
    const headers = signedHeaders('id', Date.now(), BODY, [secret, old]);
    expect(verify(secret, headers, BODY)).toEqual(JSON.parse(BODY));
    expect(verify(old, headers, BODY)).toEqual(JSON.parse(BODY));
    expect(() => verify(mintSecret(), headers, BODY)).toThrow('signature');
    expect(() => verify(secret, headers, `${BODY} `)).toThrow('signature');
    const late = signedHeaders('id', Date.now() - 301_000, BODY, [secret]);
    expect(() => verify(secret, late, BODY)).toThrow('too old');
  });

  const python = spawnSync('python3', ['--version']).status === 0 ? it : it.skip;
  python('verifies in Python as it shows', () => {
    const [old, secret] = [mintSecret(), mintSecret()];
    const headers = signedHeaders('id', Date.now(), BODY, [secret, old]);
    const script = `${block('python')}
import sys
headers, body = ${JSON.stringify(headers)}, sys.argv[1]
for good in sys.argv[2:4]:
    assert verify(good, headers, body)["type"] == "key.issued"
for bad in [(sys.argv[4], headers, body), (sys.argv[2], headers, body + " "), (sys.argv[2], {**headers, "webhook-timestamp": "1"}, body)]:
    try:
        verify(*bad)
    except ValueError:
        continue
    raise SystemExit("accepted")
print("verified")`;
    const args = ['-c', script, BODY, secret, old, mintSecret()];
    expect(execFileSync('python3', args, { encoding: 'utf8' })).toBe('verified\n');
  });

  it('lists the events that there are, as the capabilities describe them', () => {
    const rows = [...PAGE.matchAll(/^\| `([a-z_]+\.[a-z_]+)` \| (.*) \|$/gm)].map(([, type, when]) => [
      type,
      when,
    ]);
    const told = Object.values(PUBLIC_EVENTS).map(({ type, description }) => [type, description]);
    expect(rows).toEqual(told.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)));
    // No two stored events are told as one.
    expect(new Set(told.map(([type]) => type)).size).toBe(told.length);
  });

  it('says how long a delivery is attempted', () => {
    const hours = WAITS.reduce((sum, wait) => sum + wait, 0) / 3_600_000;
    expect(Math.round(hours)).toBeGreaterThanOrEqual(71);
    expect(hours).toBeLessThan(72);
    expect(PAGE).toContain('eleven attempts over three days');
    expect(WAITS).toHaveLength(10);
  });
});
