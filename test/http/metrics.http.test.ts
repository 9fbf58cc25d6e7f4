import { readFile } from 'node:fs/promises';
import { PatternsDocument } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';

let t: TestApp;
beforeAll(async () => {
  t = await startApp();
});
afterAll(() => t.close());

interface Series {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the text format as far as we write it. */
function parse(text: string): Series[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) return [];
    const [, metric = '', labels = '', value] = match;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, k, v]) => [k, v] as const);
    return [{ metric, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
  });
}

interface Scrape {
  readonly text: string;
  readonly value: (metric: string, labels?: object) => number | undefined;
}

async function scrape(): Promise<Scrape> {
  const text = await (await fetch(`${t.app.url}/metrics`)).text();
  const all = parse(text);
  return {
    text,
    value: (metric, labels = {}) =>
      all.find(
        (series) =>
          series.metric === metric &&
          Object.entries(labels).every(([name, value]) => series.labels[name] === value),
      )?.value,
  };
}

/** Everything that has series of its own only once something has happened. */
async function traffic(): Promise<void> {
  const { secret } = await t.customer();
  await t.query(PatternsDocument, { first: 1 }, secret);
  await t.query(PatternsDocument, { first: 1 });
  await t.caughtUp();
}

it('shows exactly the metrics that docs/operating.md lists, with their types, labels and meanings', async () => {
  await traffic();
  const { text } = await scrape();
  const shown = [...text.matchAll(/^# HELP (tollgraph_\w+) (.*)\n# TYPE \1 (\w+)$/gm)].map(
    ([, name = '', help, type]) => {
      const series = parse(text).filter(
        ({ metric }) => metric === name || (type === 'histogram' && metric === `${name}_bucket`),
      );
      const labels = new Set(series.flatMap((one) => Object.keys(one.labels)).filter((l) => l !== 'le'));
      return [name, type, [...labels].sort().join(' '), help].join(' | ');
    },
  );
  const page = await readFile('docs/operating.md', 'utf8');
  const listed = [...page.matchAll(/^\| `(tollgraph_\w+)` *\| (\w+) *\|([^|]*)\| (.*?) *\|$/gm)].map(
    ([, name, type, labels = '', help]) =>
      [name, type, (labels.match(/\w+/g) ?? []).sort().join(' '), help].join(' | '),
  );
  expect(listed.sort()).toEqual(shown.sort());
  // What the rules of the page look at; a label's value is there before anything has happened.
  const looked = [...page.matchAll(/^ +expr: (.*)$/gm)].flatMap(([, rule = '']) => [
    ...rule.matchAll(/(tollgraph_\w+)(?:\{(\w+)="(\w+)"\})?/g),
  ]);
  expect(looked.length).toBeGreaterThan(4);
  for (const [rule, metric, label, value] of looked) {
    const series = parse(text).filter((one) => one.metric === metric);
    const found =
      label === undefined
        ? text.includes(`# TYPE ${metric} `)
        : series.some(({ labels }) => labels[label] === value);
    expect([rule, found]).toEqual([rule, true]);
  }
  expect(text).toMatch(/^process_resident_memory_bytes /m);
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
});

it('measures requests by route, never by the path that was asked for', async () => {
  await fetch(`${t.app.url}/nobody-made-this-up?key=sk_live_secret`);
  await traffic();
  const { text, value } = await scrape();
  const count = 'tollgraph_http_request_duration_seconds_count';
  expect(value(count, { method: 'POST', route: '/graphql', status: '200' })).toBeGreaterThan(0);
  expect(value(count, { method: 'GET', route: '', status: '404' })).toBe(1);
  expect(text).not.toContain('made-this-up');
});

it('measures batches and flushes', async () => {
  await traffic();
  const { value } = await scrape();
  for (const labels of [
    { kind: 'read_model', name: 'accounts' },
    { kind: 'read_model', name: 'usage' },
    { kind: 'policy', name: 'open-account' },
  ]) {
    const batches = value('tollgraph_batch_duration_seconds_count', labels);
    expect(batches).toBeGreaterThan(0);
    expect(value('tollgraph_batch_events_count', labels)).toBe(batches);
    expect(value('tollgraph_batch_events_sum', labels)).toBeGreaterThanOrEqual(batches as number);
  }
  const flushes = value('tollgraph_journal_flush_duration_seconds_count');
  expect(flushes).toBeGreaterThan(0);
  expect(value('tollgraph_journal_flush_uses_sum')).toBeGreaterThanOrEqual(flushes as number);
  expect(value('tollgraph_journal_queue_uses')).toBe(0);
});
