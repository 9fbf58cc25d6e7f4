import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import {
  AnalysisDocument,
  CreateAnalysisDocument,
  DeleteAccountDocument,
  DeleteAnalysisDocument,
  MyAnalysesDocument,
} from '../generated/graphql.js';
import { elapsed } from '../../src/clock.js';
import { allEvents } from '../crash/facts.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';
import { filesWith } from './searched.js';
import type { Collector } from '../telemetry/collector.js';
import { openCollector } from '../telemetry/collector.js';
import { createAnalysis, here, untilEnded, upload } from './stories.js';
import { until } from '../support/until.js';

const LOG = 'Oslo 2019\n\nKim: Stop, you hurt me xyzzy.\n\nI said no.';
const HOUR = 3_600_000;

let t: TestApp;
let place: Place;
let collector: Collector;
let ahead = 0;
let key: string;
let logged: string[];
beforeAll(async () => {
  logged = [];
  const log = Object.fromEntries(
    ['info', 'warn', 'error'].map((level) => [
      level,
      (...parts: unknown[]) => logged.push(parts.map(String).join(' ')),
    ]),
  ) as never;
  const clock = () => Date.now() + ahead;
  place = await freshPlace({ ready: true });
  collector = await openCollector();
  t = await startApp({
    place,
    log,
    env: {
      PROFILE: 'scanner',
      PAYMENT_REQUIRED: 'false',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    },
    time: { clock, elapsed: () => elapsed() + ahead },
  });
  const { token } = await t.register();
  ({ secret: key } = await t.issueKey(token, 'LIVE', ['READ', 'WRITE']));
});
afterAll(async () => {
  await collector.close();
  await place.remove();
});

const analysis = async (id: string, credential = key) =>
  (await t.query(AnalysisDocument, { id }, credential)).data?.analysis;

/** Bodies in the blob port. */
const bodies = async (): Promise<string[]> => readdir(join(t.place.dataDir, 'blobs'));

it('analyses a file that is uploaded with a link, and forgets it with the result', async () => {
  const { id, uploadUrl } = await createAnalysis(t, key, { languages: ['en'] });
  expect(await analysis(id)).toMatchObject({ status: 'AWAITING_FILE', patterns: [], resultUrl: null });
  const received = await upload(uploadUrl, LOG);
  expect([received.status, await received.json()]).toEqual([202, { id, status: 'QUEUED' }]);
  expect(received.headers.get('x-ratelimit-limit')).toBe('50');

  const told = await untilEnded(t, id, key);
  expect(told.at(-1)).toMatchObject({ id, status: 'COMPLETED', progress: 1 });
  const done = await analysis(id);
  expect(done).toMatchObject({
    status: 'COMPLETED',
    fileBytes: LOG.length,
    entryCount: 2,
    eventCount: 2,
    patterns: [
      { name: 'BOUNDARY_LANGUAGE', count: 2 },
      { name: 'HARM_LANGUAGE', count: 1 },
    ],
    failure: null,
    uploadUrl: null,
  });
  // The file goes once it is done with; of the result nothing can be read where it lies.
  await until(async () => (await bodies()).length <= 1);
  for (const name of await bodies()) {
    expect(await readFile(join(t.place.dataDir, 'blobs', name), 'latin1')).not.toContain('xyzzy');
  }
  const url = here(t, done?.resultUrl ?? '');
  const result = await fetch(url);
  expect([result.status, await result.json()]).toMatchObject([
    200,
    { total_events: 2, events_csv: expect.stringContaining('xyzzy') as string },
  ]);
  const report = await fetch(`${url}&as=pdf`);
  expect(report.headers.get('content-type')).toBe('application/pdf');
  expect(
    Buffer.from(await report.arrayBuffer())
      .subarray(0, 5)
      .toString(),
  ).toBe('%PDF-');
  // A download that broke may be tried again for a while.
  ahead += 14 * 60_000;
  expect((await fetch(url)).status).toBe(200);
  ahead += 60_000;
  const again = await fetch(here(t, (await analysis(id))?.resultUrl ?? ''));
  expect([again.status, await again.json()]).toMatchObject([410, { code: 'RESULT_GONE' }]);
});

it('counts an upload as one analysis of the account', async () => {
  const { secret } = await t.customer('pay-per-use');
  const { token } = await t.register();
  const { secret: writer } = await t.issueKey(token, 'LIVE', ['READ', 'WRITE']);
  const { uploadUrl } = await createAnalysis(t, writer);
  expect((await upload(uploadUrl, LOG)).status).toBe(202);
  const query = '{ account { limits { name used } } }';
  const { data } = await t.raw(query, {}, writer);
  expect((data as { account: { limits: object[] } }).account.limits).toContainEqual({
    name: 'analyses-minute',
    used: '1',
  });
  // A key without the scope cannot ask for one.
  const { errors } = await t.query(CreateAnalysisDocument, { input: {} }, secret);
  expect(errors?.[0]?.extensions['code']).toBe('SCOPE_MISSING');
});

it('takes one file, within an hour, with its own link', async () => {
  const { id, uploadUrl } = await createAnalysis(t, key);
  const other = await createAnalysis(t, key);
  const swapped = uploadUrl.replace(id.slice(4), other.id.slice(4));
  for (const url of [swapped, uploadUrl.replace(/token=.*/, 'token=x'), uploadUrl.replace(/\?.*/, '')]) {
    const refused = await upload(url, LOG);
    expect([refused.status, await refused.json()]).toMatchObject([404, { code: 'NOT_FOUND' }]);
  }
  const large = await upload(uploadUrl, new Uint8Array(10 * 1024 * 1024 + 1));
  expect([large.status, await large.json()]).toMatchObject([413, { code: 'BODY_TOO_LARGE' }]);
  expect((await upload(uploadUrl, LOG)).status).toBe(202);
  // Again it is the same; another file it is not.
  expect((await upload(uploadUrl, LOG)).status).toBe(202);
  const second = await upload(uploadUrl, `${LOG} more`);
  expect([second.status, await second.json()]).toMatchObject([409, { code: 'FILE_RECEIVED' }]);
  await untilEnded(t, id, key);
  ahead += HOUR;
  expect((await upload(other.uploadUrl, LOG)).status).toBe(404);
  expect(await analysis(other.id)).toMatchObject({ status: 'AWAITING_FILE', uploadUrl: null });
});

it('says why there is no result', async () => {
  const { id, uploadUrl } = await createAnalysis(t, key);
  await upload(uploadUrl, 'PK\x03\x04nothing');
  await untilEnded(t, id, key);
  expect(await analysis(id)).toMatchObject({
    status: 'FAILED',
    failure: { reason: 'UNREADABLE', refunded: false },
    resultUrl: null,
  });
});

it('tells the owner by mail, where that was asked for', async () => {
  const mails = async () =>
    (await allEvents(t.app.parts.store)).filter(
      ({ type, data }) => type === 'MailRequested' && (data as { kind: string }).kind === 'analysis-ended',
    ).length;
  for (const notify of [false, true]) {
    const { id, uploadUrl } = await createAnalysis(t, key, { notify });
    await upload(uploadUrl, LOG);
    await untilEnded(t, id, key);
    await followed();
    expect(await mails()).toBe(notify ? 1 : 0);
  }
  // The link in it leads to the report, with no other credential.
  const folder = join(t.place.dataDir, 'mail');
  const link = await new Promise<string>((resolve) => {
    const look = async (): Promise<void> => {
      for (const name of await readdir(folder).catch(() => [] as string[])) {
        if (!name.endsWith('.eml')) continue;
        const text = (await readFile(join(folder, name), 'utf8')).replace(/=\n/g, '').replace(/=3D/g, '=');
        const [url] = /http\S+as=pdf&token=\S+/.exec(text) ?? [];
        if (url !== undefined) return resolve(url);
      }
      setImmediate(() => void look());
    };
    void look();
  });
  const report = await fetch(here(t, link));
  expect([report.status, report.headers.get('content-type')]).toEqual([200, 'application/pdf']);
  expect((await fetch(here(t, link.replace(/token=.*\./, '$&x')))).status).toBe(404);
  expect((await upload(here(t, link.replace('/result?', '/file?')), LOG)).status).toBe(404);
});

it('refuses what it does not know, and answers a command once', async () => {
  const refused = async (input: object) => {
    const { data } = await t.query(CreateAnalysisDocument, { input }, key);
    return data?.createAnalysis;
  };
  expect(await refused({ format: 'x' })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await refused({ languages: ['xx'] })).toMatchObject({ code: 'INVALID_INPUT' });
  expect(await refused({ paymentIntentId: '../x' })).toMatchObject({ code: 'INVALID_INPUT' });
  const first = await createAnalysis(t, key, { commandId: 'c1' });
  expect((await createAnalysis(t, key, { commandId: 'c1' })).id).toBe(first.id);
  expect(await refused({ commandId: 'c1', format: 'csv' })).toMatchObject({ code: 'COMMAND_ID_REUSED' });
});

it('lists an account’s own, and deletes them for good', async () => {
  const { token } = await t.register();
  const { secret: writer } = await t.issueKey(token, 'LIVE', ['READ', 'WRITE']);
  const made = [];
  for (let n = 0; n < 3; n++) {
    made.push(await createAnalysis(t, writer));
    ahead += 1_000;
  }
  const [oldest, , newest] = made as [(typeof made)[0], (typeof made)[0], (typeof made)[0]];
  await upload(newest.uploadUrl, LOG);
  await untilEnded(t, newest.id, writer);
  const list = async (variables: { first?: number; after?: string } = {}) =>
    (await t.query(MyAnalysesDocument, variables, writer)).data?.myAnalyses;
  const page = await list({ first: 2 });
  expect(page?.nodes.map(({ id }) => id)).toEqual([newest.id, made[1]?.id]);
  expect((await list({ after: page?.pageInfo.endCursor ?? '' }))?.nodes).toEqual([
    expect.objectContaining({ id: oldest.id }),
  ]);
  // Another account's is as good as none.
  expect(await analysis(newest.id)).toBeNull();
  const remove = async (analysisId: string, credential: string) =>
    (await t.query(DeleteAnalysisDocument, { input: { analysisId } }, credential)).data?.deleteAnalysis;
  expect(await remove(newest.id, key)).toMatchObject({ code: 'NOT_FOUND' });

  const { resultUrl } = (await analysis(newest.id, writer)) ?? {};
  expect(await remove(newest.id, writer)).toMatchObject({ analysisId: newest.id });
  expect(await remove(newest.id, writer)).toMatchObject({ analysisId: newest.id });
  expect(await analysis(newest.id, writer)).toBeNull();
  expect((await fetch(here(t, resultUrl ?? ''))).status).toBe(410);

  await upload(oldest.uploadUrl, LOG);
  await untilEnded(t, oldest.id, writer);
  const keys = () =>
    t.app.parts.sql.query('SELECT id FROM vault.blob_keys WHERE subject = $1', [oldest.id.slice(4)]);
  expect(await keys()).not.toEqual([]);
  await t.query(DeleteAccountDocument, { input: { password: 'correct horse' } }, token);
  expect(await followed()).toContain('AnalysisDeleted');
  expect(await keys()).toEqual([]);
});

/** What happened last, once policies have done what follows from it. */
async function followed(): Promise<string[]> {
  const { store, policies } = t.app.parts;
  for (let before = -1; before < (await store.head());) {
    before = await store.head();
    expect(await policies.reached(before, 60_000)).toBe(true);
  }
  return (await allEvents(store)).slice(-6).map(({ type }) => type);
}

it('counts an analysis once, however often its file comes', async () => {
  const { secret, token } = await t.customer();
  const writing = (await t.issueKey(token, 'LIVE', ['READ', 'WRITE'])).secret;
  const { id, uploadUrl } = await createAnalysis(t, writing);
  for (let n = 0; n < 3; n++) expect((await upload(uploadUrl, LOG)).status).toBe(202);
  const { data } = await t.raw('{ account { limits { meter used } } }', {}, secret);
  const { limits } = data?.['account'] as { limits: { meter: string; used: string }[] };
  expect(limits.filter(({ meter }) => meter === 'analyses').map(({ used }) => used)).toContain('1');
  expect(new Set(limits.filter(({ meter }) => meter === 'analyses').map(({ used }) => used))).toEqual(
    new Set(['1']),
  );

  await untilEnded(t, id, writing);
});

it('holds two files of an address at a time: whoever comes meanwhile is told to wait', async () => {
  const { token } = await t.customer();
  const writing = (await t.issueKey(token, 'LIVE', ['READ', 'WRITE'])).secret;
  const asked = await Promise.all([1, 2, 3, 4].map(async () => createAnalysis(t, writing)));
  const begun = asked.map(({ uploadUrl }) => {
    const open = request(uploadUrl, { method: 'PUT', headers: { 'content-length': LOG.length } });
    // Who is refused before the end of the file may find the connection closed.
    open.on('error', () => undefined);
    open.write(LOG.slice(0, 5));
    const status = once(open, 'response').then(([answer]) => (answer as { statusCode: number }).statusCode);
    return { open, status };
  });
  const refused = new Set<(typeof begun)[number]>();
  await new Promise<void>((resolve, reject) => {
    for (const one of begun) {
      one.status.then((status) => {
        if (status === 429) refused.add(one);
        if (refused.size === 2) resolve();
      }, reject);
    }
  });
  const held = begun.filter((one) => !refused.has(one));
  for (const { open } of held) open.end(LOG.slice(5));
  expect(await Promise.all(held.map(async ({ status }) => status))).toEqual([202, 202]);
});

it('keeps nothing for longer than the profile says', async () => {
  const { id, uploadUrl } = await createAnalysis(t, key);
  await upload(uploadUrl, LOG);
  await untilEnded(t, id, key);
  ahead += 25 * HOUR;
  const { resultUrl } = (await analysis(id)) ?? {};
  expect((await fetch(here(t, resultUrl ?? ''))).status).toBe(410);
  // What was found is still told in numbers.
  expect(await analysis(id)).toMatchObject({ status: 'COMPLETED', eventCount: 2 });
});

// Last: it looks at what all the others have left.
it('says no word of a file in events, logs, traces, tables and files', async () => {
  const all = await allEvents(t.app.parts.store);
  const types = new Set(all.map(({ type }) => type).filter((type) => type.startsWith('Analysis')));
  expect([...types].sort()).toEqual([
    'AnalysisCompleted',
    'AnalysisDeleted',
    'AnalysisFailed',
    'AnalysisFileReceived',
    'AnalysisRequested',
  ]);
  const told = JSON.stringify(all.map(({ data, metadataText }) => [data, metadataText]));
  await t.close();
  // The last spans are sent when it closes.
  expect(collector.spans().map(({ name }) => name)).toContain('PUT /v1/analyses/:id/file');
  const everything = `${told}${logged.join('\n')}${collector.bodies.join('\n')}`;
  for (const word of ['xyzzy', 'Oslo', 'Kim', 'hurt me']) expect(everything).not.toContain(word);
  expect(await filesWith(place.dataDir, ['xyzzy', 'you hurt me', 'I said no'])).toEqual([]);
});
