import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MAX_FOLLOWERS } from '../../src/history/export.js';
import { allEvents } from '../crash/facts.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

interface Line {
  readonly position: string;
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

let t: TestApp;
let operator: { readonly token: string; readonly accountId: string; readonly userId: string };
beforeAll(async () => {
  t = await startApp();
  operator = await t.register('operator@example.com');
  await t.makeOperator(operator);
  await t.customer('team');
});
afterAll(() => t.close());

const ask = (query: string, token = operator.token, signal?: AbortSignal): Promise<Response> =>
  fetch(`${t.app.url}/v1/events.ndjson${query}`, {
    headers: { authorization: `Bearer ${token}` },
    ...(signal && { signal }),
  });
const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
const stored = async (): Promise<string[]> => (await allEvents(t.app.parts.store)).map(({ id }) => id);

describe('the export of all events', () => {
  it('has every event once, in order, and resumes behind any of them', async () => {
    const answer = await ask('');
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const lines = linesOf(await answer.text());
    const ids = await stored();
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.map(({ id }) => id)).toEqual(ids.slice(0, lines.length));
    const middle = lines[5] as Line;
    const rest = linesOf(await (await ask(`?after=${middle.position}`)).text());
    expect(rest.map(({ id }) => id).slice(0, lines.length - 6)).toEqual(lines.slice(6).map(({ id }) => id));
  });

  it('is described with its parameters, as all exports are', async () => {
    const { paths } = (await (await fetch(`${t.app.url}/openapi.json`)).json()) as {
      paths: Record<
        string,
        { get: { parameters: { name: string }[]; responses: { 200: { content: object } } } } | undefined
      >;
    };
    for (const [path, type, names] of [
      ['/v1/events.ndjson', 'application/x-ndjson', ['after', 'types', 'follow']],
      ['/v1/audit.csv', 'text/csv', ['account', 'actor', 'action', 'from', 'to']],
      ['/v1/audit.ndjson', 'application/x-ndjson', ['account', 'actor', 'action', 'from', 'to']],
    ] as const) {
      const described = paths[path]?.get;
      expect([path, described?.parameters.map(({ name }) => name)]).toEqual([path, names]);
      expect(Object.keys(described?.responses[200].content ?? {})).toEqual([type]);
    }
    const ofTimeline = (path: string): string[] =>
      (paths[`/v1/usage/timeline${path}`]?.get.parameters ?? []).map(({ name }) => name);
    expect(ofTimeline('')).toEqual(expect.arrayContaining(['interval', 'groupBy', 'allAccounts']));
    expect(ofTimeline('.csv')).toEqual(ofTimeline(''));
    expect(ofTimeline('.ndjson')).toEqual(ofTimeline(''));
  });

  it('narrows to types', async () => {
    const lines = linesOf(await (await ask('?types=KeyIssued,PlanGranted')).text());
    expect(new Set(lines.map(({ type }) => type))).toEqual(new Set(['KeyIssued', 'PlanGranted']));
    expect(await (await ask('?types=NothingLikeThat')).text()).toBe('');
  });

  it('leaves personal fields sealed', async () => {
    const text = await (await ask('')).text();
    expect(text).not.toContain('operator@example.com');
    const registered = linesOf(text).find(({ type }) => type === 'UserRegistered');
    expect(registered?.data['email']).toMatch(/^v1:/);
  });

  it('goes on with what happens while it follows, and leaves when the reader does', async () => {
    const at = linesOf(await (await ask('')).text()).at(-1)?.position ?? '';
    const stop = new AbortController();
    const answer = await ask(`?follow=1&types=KeyIssued&after=${at}`, operator.token, stop.signal);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    const read = async (until: string): Promise<void> => {
      while (!text.includes(until)) {
        const { value, done } = await reader.read();
        if (done) throw new Error('the answer has ended');
        text += Buffer.from(value).toString();
      }
    };
    // Issued once it follows, one by one.
    await read('\n');
    const first = await t.issueKey(operator.token);
    await read(first.keyId);
    const second = await t.issueKey(operator.token);
    await read(second.keyId);
    expect(linesOf(text).map(({ type }) => type)).toEqual(['KeyIssued', 'KeyIssued']);
    stop.abort();
  });

  it('lets only so many follow', async () => {
    const stop = new AbortController();
    const head = linesOf(await (await ask('')).text()).at(-1)?.position ?? '';
    const many = await Promise.all(
      Array.from({ length: MAX_FOLLOWERS + 1 }, () =>
        ask(`?follow=1&after=${head}`, operator.token, stop.signal),
      ),
    );
    // One that has just left may still be counted.
    expect(many.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(MAX_FOLLOWERS);
    const refused = many.find(({ status }) => status !== 200);
    expect(refused?.status).toBe(429);
    stop.abort();
  });

  it.each([
    ['after=nonsense', 'after'],
    ['types=key-issued', 'types'],
    [`types=${'KeyIssued,'.repeat(100)}KeyIssued`, 'types'],
    ['follow=yes', 'follow'],
    ['since=2026', 'since'],
  ])('refuses ?%s', async (query, field) => {
    const answer = await ask(`?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'INVALID_INPUT', field } }] });
  });

  it('is for operators alone', async () => {
    const { token, secret } = await t.customer();
    for (const credential of [token, secret]) {
      const answer = await ask('', credential);
      expect(answer.status).toBe(403);
    }
    expect((await fetch(`${t.app.url}/v1/events.ndjson`)).status).toBe(401);
  });

  const python = spawnSync('python3', ['--version']).status === 0 ? it : it.skip;
  python('can be copied by the script of the page, which goes on where it left off', async () => {
    const page = readFileSync('docs/event-export.md', 'utf8');
    const script = (/```python\n([\s\S]*?)```/.exec(page)?.[1] ?? '').replaceAll(
      'http://127.0.0.1:4000',
      t.app.url,
    );
    const folder = await mkdtemp(join(tmpdir(), 'tollgraph-export-'));
    try {
      const env = { ...process.env, OPERATOR_TOKEN: operator.token };
      const copy = () => promisify(execFile)('python3', ['-c', script], { cwd: folder, env });
      await copy();
      await t.issueKey(operator.token);
      await copy();
      const lines = linesOf(await readFile(join(folder, 'events.ndjson'), 'utf8'));
      const ids = lines.map(({ id }) => id);
      expect(ids).toEqual((await stored()).slice(0, ids.length));
      expect(lines.at(-1)?.type).toBeDefined();
      expect(lines.filter(({ type }) => type === 'KeyIssued').length).toBeGreaterThan(2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
