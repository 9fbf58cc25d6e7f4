import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseConfig } from '../../src/config.js';
import { parseCsv } from '../audit/parseCsv.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';
import type { OpenApi } from '../../src/rest/openapi.js';
import { askOperations, promisesOf } from '../profiles/product.js';
import { ROOT } from './scan.js';
import { filesWith, ownTemporaryFolder } from './searched.js';
import { zipOf } from './zip.js';

const MB = 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** What the answers that are looked into may hold. */
interface Body {
  readonly total_events: number;
  readonly sequence_counts: Readonly<Record<string, number>>;
  readonly context_summary: readonly { readonly context_key: string }[];
  readonly events_csv: string;
  readonly sequences_csv: string;
  readonly context_summary_csv: string;
  readonly summary_text: string;
  readonly categories: Readonly<Record<string, object>>;
}

const containing = (text: string): string => expect.stringContaining(text) as string;

let place: Place;
let temporary: Awaited<ReturnType<typeof ownTemporaryFolder>>;
let free: TestApp;
let paid: TestApp;
/** How an answer breaks what /openapi.json says. */
let broken: ReturnType<typeof promisesOf>;
let document: OpenApi;
/** Everything that either logged. */
const logged: string[] = [];

beforeAll(async () => {
  const log = Object.fromEntries(
    ['info', 'warn', 'error'].map((level) => [
      level,
      (...parts: unknown[]) => logged.push(parts.map(String).join(' ')),
    ]),
  ) as never;
  place = await freshPlace({ ready: true });
  temporary = await ownTemporaryFolder();
  free = await startApp({
    place,
    log,
    env: { PROFILE: 'scanner', PAYMENT_REQUIRED: 'false', TRUST_PROXY: '1', CORS_ALLOW_ORIGINS: '*' },
  });
  paid = await startApp({ log, env: { PROFILE: 'scanner', TRUST_PROXY: '1' } });
  document = (await (await fetch(`${free.app.url}/openapi.json`)).json()) as OpenApi;
  broken = promisesOf(document);
});
afterAll(async () => {
  await paid.close();
  await temporary.remove();
  await place.remove();
});

let addresses = 0;
/** Each call comes from elsewhere, so that no limit of one address is met by chance. */
const anotherAddress = (): string => `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses++ & 255}`;

async function ask(app: TestApp, path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { 'x-forwarded-for': anotherAddress(), ...(init.headers as Record<string, string>) };
  const response = await fetch(`${app.app.url}${path}`, { ...init, headers });
  const { status } = response;
  // A page for people promises nothing to programs.
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    return { status, headers: response.headers, body: {} as Body };
  }
  const body = (await response.json()) as Body;
  expect({ path, status, broken: broken(init.method ?? 'GET', path, status, body) }).toEqual({
    path,
    status,
    broken: [],
  });
  return { status, headers: response.headers, body };
}

function analyze(
  content: string | Uint8Array,
  name = 'chat.txt',
  fields: Record<string, string> = {},
  app = free,
): Promise<Answer> {
  const form = new FormData();
  form.append('file', new Blob([content]), name);
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  return ask(app, '/analyze', { method: 'POST', body: form });
}

const LOG = 'Oslo 2019\n\nKim: Stop, you hurt me.\n\nI said no.';

describe('the fourteen facts', () => {
  test('1: health', async () => {
    expect(await ask(free, '/health')).toMatchObject({
      status: 200,
      body: { status: 'healthy', payment_enabled: false },
    });
    expect((await ask(paid, '/health')).body).toEqual({ status: 'healthy', payment_enabled: true });
    expect((await ask(free, '/v1/health')).body).toMatchObject({ status: 'ready' });
  });

  test('2: version', async () => {
    expect((await ask(free, '/version')).body).toEqual({ version: '1.0.0' });
  });

  test('3: patterns', async () => {
    const { body } = await ask(free, '/patterns');
    expect(body).toMatchObject({
      total_categories: 6,
      sequences: [
        'HARM_LANGUAGE -> PROTECTOR_CLAIM',
        'BOUNDARY_LANGUAGE -> HARM_LANGUAGE',
        'THREAT_OF_EXPOSURE -> PROTECTOR_CLAIM',
      ],
      window_size: 6,
    });
    expect(body.categories.HARM_LANGUAGE).toEqual({
      phrase_patterns: 2,
      token_patterns: 6,
      description: expect.any(String) as string,
    });
  });

  test('4: an anchor and two lines', async () => {
    const { status, body } = await analyze(LOG);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      total_events: 2,
      unique_patterns: { BOUNDARY_LANGUAGE: 2, HARM_LANGUAGE: 1 },
      sequence_counts: {},
      context_summary: [
        { context_key: 'Oslo 2019', BOUNDARY_LANGUAGE: 2, HARM_LANGUAGE: 1, CONTROL_ACCESS: 0 },
      ],
      summary_text: containing('BOUNDARY_LANGUAGE: 2'),
      sequences_csv: containing('sequence,context_key'),
      context_summary_csv: containing('Oslo 2019,2,0,1,0,0,0'),
    });
    const rows = parseCsv(body.events_csv.split('\n').slice(4).join('\n'));
    expect(rows.map((row) => row.at(-1))).toEqual(['text', 'Stop, you hurt me.', 'I said no.']);
  });

  test.each(['a.exe', 'a.txt.exe', 'txt', ''])('5: the file type of %j is not allowed', async (name) => {
    const { status, body } = await analyze(LOG, name || ' ');
    expect([status, body]).toEqual([
      400,
      { detail: 'File type not allowed. Allowed types: .txt, .log, .csv, .json, .zip', code: '400' },
    ]);
  });

  test('6: an empty file', async () => {
    expect(await analyze('')).toMatchObject({
      status: 200,
      body: { total_events: 0, unique_patterns: {}, sequence_counts: {}, context_summary: [] },
    });
  });

  test('7: harmless lines', async () => {
    const { body } = await analyze('Nothing to see.\n\nThe weather is nice.');
    expect(body.total_events).toBe(0);
  });

  test('8: two anchors', async () => {
    const { body } = await analyze('Oslo 2019\n\nstop\n\nRome 2020\n\nno, stop');
    expect(body.context_summary.map(({ context_key }) => context_key)).toEqual(['Oslo 2019', 'Rome 2020']);
  });

  test('9: branding', async () => {
    const { body } = await analyze(LOG);
    const head = (name: string): string =>
      `# Chat Pattern Scanner Analysis - ${name}\n# Generated by TheAVCfiles Pattern Scanner API v1.0.0\n# https://github.com/TheAVCfiles/codex\n# \n`;
    expect(body.events_csv.startsWith(head('Events'))).toBe(true);
    expect(body.sequences_csv.startsWith(head('Sequences'))).toBe(true);
    expect(body.context_summary_csv.startsWith(head('Context Summary'))).toBe(true);
    expect(body.summary_text).toContain('CHAT PATTERN SCANNER ANALYSIS REPORT');
    expect(body.summary_text).toContain('Generated by TheAVCfiles Pattern Scanner API v1.0.0');
  });

  test('10: no payment id is needed, and asking for an intent is refused', async () => {
    expect((await analyze(LOG)).status).toBe(200);
    const init = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
    expect(await ask(free, '/create-payment-intent', init)).toMatchObject({
      status: 400,
      body: { detail: 'Payment is not required in this mode', code: '400' },
    });
  });

  test.each(['a.txt', 'a.log', 'a.csv', 'A.TXT', 'a.b.Log'])('11 to 13: %s is taken', async (name) => {
    expect((await analyze(LOG, name)).body.total_events).toBe(2);
  });

  test('14: accents, Chinese, a dash', async () => {
    const { body } = await analyze('José — I was scared\n\n再见 STOP, café');
    expect(body.total_events).toBe(2);
    expect(body.events_csv).toContain('BOUNDARY_LANGUAGE:TOKEN,"再见 STOP, café"');
  });
});

describe('what is refused', () => {
  test('no file, a file without a name, another form', async () => {
    const missing = { detail: [{ loc: ['body', 'file'], msg: 'Field required', type: 'missing' }] };
    const form = new FormData();
    form.append('file', 'text');
    for (const body of [form, new FormData(), '{"file":1}', undefined]) {
      expect(
        await ask(free, '/analyze', { method: 'POST', ...(body !== undefined && { body }) }),
      ).toMatchObject({
        status: 422,
        body: missing,
      });
    }
    const broken = {
      method: 'POST',
      body: 'x',
      headers: { 'content-type': 'multipart/form-data; boundary=y' },
    };
    expect((await ask(free, '/analyze', broken)).status).toBe(422);
  });

  test('two files', async () => {
    const form = new FormData();
    form.append('file', new Blob(['no']), 'a.txt');
    form.append('file', new Blob(['no']), 'b.txt');
    expect(await ask(free, '/analyze', { method: 'POST', body: form })).toMatchObject({
      status: 400,
      body: { detail: 'Send one file at a time: 2 came.', code: '400' },
    });
  });

  test('10 MB to the byte is taken, one more is not, and far more neither', async () => {
    expect((await analyze(Buffer.alloc(10 * MB, 'a'))).status).toBe(200);
    for (const size of [10 * MB + 1, 50 * MB]) {
      expect(await analyze(Buffer.alloc(size, 'a'))).toMatchObject({
        status: 413,
        body: { detail: 'File too large. Maximum size: 10MB', code: '413' },
      });
    }
  });

  test('unknown formats and languages, with those there are', async () => {
    expect(await analyze(LOG, 'a.txt', { format: 'x' })).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ['body', 'format'], msg: containing('whatsapp') }] },
    });
    expect(await analyze(LOG, 'a.txt', { language: 'en,xx' })).toMatchObject({ status: 422 });
    expect((await analyze('nein', 'a.txt', { language: 'de, en' })).body.total_events).toBe(1);
  });

  test('unknown paths and methods, in the shape of FastAPI', async () => {
    expect(await ask(free, '/nothing')).toMatchObject({ status: 404, body: { detail: 'Not Found' } });
    for (const [path, method, allow] of [
      ['/analyze', 'GET', 'POST'],
      ['/health', 'POST', 'GET'],
      ['/patterns', 'DELETE', 'GET'],
    ] as const) {
      const { status, headers, body } = await ask(free, path, { method });
      expect([status, headers.get('allow'), body]).toEqual([405, allow, { detail: 'Method Not Allowed' }]);
    }
  });

  test('an upload that is cut off leaves the server as it was', async () => {
    const { hostname, port } = new URL(free.app.url);
    await new Promise<void>((resolve) => {
      const sending = request({
        hostname,
        port,
        path: '/analyze',
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': 1_000_000 },
      });
      sending.on('error', () => resolve());
      sending.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nstop');
      setTimeout(() => sending.destroy(), 100);
    });
    expect((await analyze(LOG)).body.total_events).toBe(2);
  });
});

test('every operation of /openapi.json is served', async () => {
  const ours = ['/analyze', '/create-payment-intent', '/health', '/patterns', '/version'];
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(ours));
  await askOperations(document, async (method, path) => ask(free, path, { method }));
});

test('an analysis takes from the limits of whoever calls, and is recorded', async () => {
  const { headers } = await analyze(LOG);
  expect([headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining')]).toEqual(['50', '49']);
  const { secret } = await free.customer('pay-per-use');
  const form = new FormData();
  form.append('file', new Blob([LOG]), 'a.txt');
  const init = { method: 'POST', body: form, headers: { authorization: `Bearer ${secret}` } };
  expect((await ask(free, '/analyze', init)).status).toBe(200);
  const { data } = await free.raw('{ account { limits { name used } } }', {}, secret);
  expect(data).toMatchObject({
    account: { limits: expect.arrayContaining([{ name: 'analyses-minute', used: '1' }]) as object[] },
  });
});

describe('payment', () => {
  const id = { payment_intent_id: 'pi_unknown' };

  test('comes before everything that is wrong with the file', async () => {
    for (const name of ['a.txt', 'a.exe']) {
      expect(await analyze(LOG, name, {}, paid)).toMatchObject({
        status: 402,
        body: { detail: 'Payment required. Please provide payment_intent_id.', code: '402' },
      });
    }
  });

  test('an intent that nobody knows pays for nothing, in the form or in the query', async () => {
    expect(await analyze(LOG, 'a.txt', id, paid)).toMatchObject({ status: 402, body: { code: '402' } });
    const form = new FormData();
    form.append('file', new Blob([LOG]), 'a.txt');
    expect(
      await ask(paid, '/analyze?payment_intent_id=pi_unknown', { method: 'POST', body: form }),
    ).toMatchObject({ status: 402, body: { detail: 'Payment verification failed' } });
  });

  test('without a payment service there is no intent', async () => {
    expect(await ask(paid, '/create-payment-intent', { method: 'POST' })).toMatchObject({
      status: 503,
      body: { detail: 'Payment service not configured', code: '503' },
    });
  });

  test('free in production only where that is said twice', () => {
    const production = { NODE_ENV: 'production', PAYMENT_REQUIRED: 'false' };
    expect(() => parseConfig(production)).toThrow('PAYMENT_WAIVED_IN_PRODUCTION=yes');
    expect(parseConfig({ ...production, PAYMENT_WAIVED_IN_PRODUCTION: 'yes' }).paymentRequired).toBe(false);
    expect(parseConfig({}).paymentRequired).toBe(true);
  });
});

test('a report for people, as a PDF', async () => {
  const form = new FormData();
  form.append('file', new Blob([LOG]), 'chat.txt');
  const headers = { 'x-forwarded-for': anotherAddress() };
  const response = await fetch(`${free.app.url}/analyze?as=pdf`, { method: 'POST', body: form, headers });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/pdf']);
  expect(response.headers.get('x-ratelimit-remaining')).toBe('49');
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(bytes.subarray(0, 5).toString()).toBe('%PDF-');
  form.set('file', new Blob([LOG]), 'chat.exe');
  const refused = await fetch(`${free.app.url}/analyze?as=pdf`, { method: 'POST', body: form, headers });
  expect([refused.status, await refused.json()]).toMatchObject([400, { code: '400' }]);
});

describe('other files', () => {
  test('a WhatsApp chat in a zip', async () => {
    const chat = ['Kim: stop', 'Bo: no', 'Kim: hurt']
      .map((line) => `[14.08.24, 21:00:10] ${line}`)
      .join('\n');
    const { body } = await analyze(zipOf({ '_chat.txt': chat, 'photo.jpg': 'x' }), 'chat.zip');
    expect(body).toMatchObject({
      total_events: 3,
      read_as: { format: 'whatsapp', encoding: 'utf-8', languages: ['en'], date_order: 'day' },
      timeline: [{ period: '2024-08', BOUNDARY_LANGUAGE: 2, HARM_LANGUAGE: 1 }],
    });
  });

  test('a bomb and a broken zip are refused with a sentence', async () => {
    expect(await analyze(zipOf({ 'a.txt': Buffer.alloc(11 * MB, 'a') }), 'a.zip')).toMatchObject({
      status: 413,
    });
    expect(await analyze('PK\x03\x04nothing', 'a.zip')).toMatchObject({
      status: 400,
      body: { detail: containing('cannot be read'), code: '400' },
    });
  });

  test('an answer that is longer than what is held is whole', async () => {
    const count = 60_000;
    const log = Array.from({ length: count }, (_, n) => `no ${n}, hurt`).join('\n\n');
    const { body } = await analyze(log, 'a.txt', { language: 'en' });
    const events = parseCsv(body.events_csv.split('\n').slice(4).join('\n'));
    const rows = parseCsv(body.sequences_csv.split('\n').slice(4).join('\n'));
    expect([body.total_events, events.length - 1]).toEqual([count, count]);
    expect(rows.length - 1).toBe(body.sequence_counts['BOUNDARY_LANGUAGE -> HARM_LANGUAGE']);
    expect(events.at(-1)?.[9]).toBe(`no ${count - 1}, hurt`);
  });

  test('whoever leaves in the middle of an answer holds nobody up', async () => {
    const log = Array.from({ length: 80_000 }, (_, n) => `no ${n}, hurt`).join('\n\n');
    for (let n = 0; n < 3; n++) {
      const form = new FormData();
      form.append('file', new Blob([log]), 'a.txt');
      const response = await fetch(`${free.app.url}/analyze`, { method: 'POST', body: form });
      await response.body?.cancel();
    }
    expect((await analyze(LOG)).body.total_events).toBe(2);
  });

  test('whoever leaves before the answer begins holds nobody up', async () => {
    const log = Array.from({ length: 80_000 }, (_, n) => `no ${n}, hurt`).join('\n\n');
    const body = `--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${log}\r\n--b--\r\n`;
    const { hostname, port } = new URL(free.app.url);
    // More than there are threads.
    for (let n = 0; n < 6; n++) {
      await new Promise<void>((resolve) => {
        const sending = request({
          hostname,
          port,
          path: '/analyze',
          method: 'POST',
          headers: {
            'content-type': 'multipart/form-data; boundary=b',
            'content-length': Buffer.byteLength(body),
            'x-forwarded-for': anotherAddress(),
          },
        });
        sending.on('error', () => undefined).on('close', resolve);
        sending.end(body, () => setTimeout(() => sending.destroy(), 50 * n));
      });
    }
    expect((await analyze(LOG)).body.total_events).toBe(2);
    expect(logged.filter((line) => line.includes('an analysis failed'))).toEqual([]);
  });

  test('twenty at once are all answered, or asked to come again', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => analyze(`${LOG}\n\nno ${n}`)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(16);
    for (const { status, headers } of answers)
      if (status !== 200) expect(headers.get('retry-after')).toBe('5');
  });
});

describe('the page', () => {
  test('has all its files, and nothing that its policy would stop', async () => {
    const page = await fetch(`${free.app.url}/demo`);
    const html = await page.text();
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(html).not.toMatch(/<script(?![^>]*src=)|\son\w+=|\sstyle=|javascript:/i);
    const wanted = new Set([...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path as string));
    for (const path of wanted) {
      const file = await fetch(`${free.app.url}${path}`);
      expect([path, file.status]).toEqual([path, 200]);
      expect(file.headers.get('content-type')).toMatch(/^text\/(javascript|css); charset=utf-8$/);
      for (const [, other] of (await file.text()).matchAll(/from '\.\/([a-z]+\.js)'/g))
        wanted.add(`/demo/${other}`);
    }
    expect(wanted.size).toBeGreaterThan(6);
  });

  test('knows what may be uploaded and what it costs', async () => {
    expect(await ask(paid, '/demo/settings.json')).toMatchObject({
      status: 200,
      body: {
        extensions: ['.txt', '.log', '.csv', '.json', '.zip'],
        maxBytes: 10 * MB,
        price: { amount: 500, currency: 'usd' },
        paymentRequired: true,
      },
    });
  });
});

test('what the server says of itself fits the product', async () => {
  const html = async (path: string): Promise<string> =>
    (await fetch(`${free.app.url}${path}`, { headers: { accept: 'text/html' } })).text();
  // The playground begins with what this product has, and names its keys.
  const playground = await html('/');
  expect(playground).toContain('cs_live_');
  expect(playground).toContain('WhereLimitsStand');
  expect(playground).not.toContain('searchPatterns');
  // Its curl lines send what the route takes.
  const docs = await html('/docs');
  expect(docs).toContain("-F 'file=@…'");
  expect(docs).toContain('-T …');
  expect(docs).toContain(`-d '{&quot;quantities&quot;:[`);
  const { paths } = (await (await fetch(`${free.app.url}/openapi.json`)).json()) as {
    paths: Record<string, { post?: { requestBody?: { required: boolean } } }>;
  };
  expect(paths['/create-checkout']?.post?.requestBody?.required).toBe(false);
  expect(paths['/analyze']?.post?.requestBody?.required).toBe(true);
});

test('a browser of another origin may ask', async () => {
  const response = await fetch(`${free.app.url}/analyze`, {
    method: 'OPTIONS',
    headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST' },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(response.headers.get('access-control-allow-methods')).toContain('POST');
});

test('nothing of a file is logged or metered', async () => {
  await analyze('Kim: STOP xyzzy', 'xyzzy.txt');
  await analyze('{"messages":[xyzzy', 'xyzzy.json', { format: 'telegram' });
  await analyze(zipOf({ 'xyzzy.txt': 'x' }).subarray(0, 50), 'xyzzy.zip');
  const metrics = await (await fetch(`${free.app.url}/metrics`)).text();
  expect(metrics).toContain('/analyze');
  expect(`${logged.join('\n')}${metrics}`).not.toContain('xyzzy');
});

test('docs/examples/scan.mjs analyses the sample and saves what was found', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tollgraph-scan-'));
  try {
    const env = { ...process.env, SCANNER_URL: free.app.url, OUTPUT: folder };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['docs/examples/scan.mjs', 'docs/examples/chat.txt'],
      { env, cwd: ROOT },
    );
    expect(stdout.split('\n')).toEqual([
      '6 categories, sequences within 6 events, free',
      '4 entries with findings',
      '  PROTECTOR_CLAIM: 2',
      '  BOUNDARY_LANGUAGE: 1',
      '  SURVEILLANCE_CLAIM: 1',
      '  CONTROL_ACCESS: 1',
      '  HARM_LANGUAGE: 1',
      '  THREAT_OF_EXPOSURE: 1',
      '  BOUNDARY_LANGUAGE -> HARM_LANGUAGE: 1',
      '',
    ]);
    expect((await readdir(folder)).sort()).toEqual([
      'contexts.csv',
      'events.csv',
      'sequences.csv',
      'summary.txt',
    ]);
    expect(await readFile(join(folder, 'events.csv'), 'utf8')).toContain('Lakeside 2021,Robin');
  } finally {
    await rm(folder, { recursive: true });
  }
});

// Last: it looks at what all the others have left.
test('no sentence of any file lies in the data directory or a temporary folder', async () => {
  const words = ['xyzzy', 'you hurt me', 'I said no', 'The weather is nice', 'scared', 'Lakeside'];
  // The search finds what is there.
  expect(await filesWith(join(ROOT, 'docs', 'examples'), ['Lakeside'])).not.toEqual([]);
  await free.close();
  expect(await filesWith(place.dataDir, words)).toEqual([]);
  expect(await filesWith(temporary.path, words)).toEqual([]);
});
