import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NO_STREAM } from '../../src/eventsourcing/eventStore.js';
import type { Use } from '../../src/usage/events.js';
import { usageStream } from '../../src/usage/events.js';
import { periodOf } from '../../src/usage/limits/periods.js';
import { PatternsDocument, LimitsDocument, UsageDocument } from '../generated/graphql.js';
import { newEvent } from '../eventsourcing/fixtures.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';
import { newUse } from './uses.js';
import { quantityIn } from '../support/usage.js';

const LONG = 60_000;
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

let place: Place;
let t: TestApp;
beforeAll(async () => {
  place = await freshPlace({ ready: true });
  t = await startApp({ place });
});
afterAll(async () => {
  await t.close();
  await place.remove();
});

async function restart(): Promise<void> {
  await t.close();
  t = await startApp({ place });
}

/** The command line as a process of its own. */
const tollgraph = (...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, DATA_DIR: place.dataDir };
    execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });

/** Stores a batch of another node, as it stands. */
async function flush(data: object): Promise<string> {
  const event = newEvent({ type: 'UsesRecorded', data: JSON.stringify({ node: 'n', start: 's', ...data }) });
  const { position } = await t.app.parts.store.append(
    usageStream(randomUUID(), new Date().toISOString().slice(0, 10)),
    NO_STREAM,
    [event],
  );
  await t.app.parts.projector.reached('usage', position, LONG);
  return event.id;
}

function used(over: Partial<Use> = {}): Use {
  const at = Date.now();
  const periods = [periodOf('day', at), periodOf('month', at)];
  return newUse({ at, periods, ...over });
}

const health = async (): Promise<{ status: number; warnings: string[] }> => {
  const response = await fetch(`${t.app.url}/health/ready`);
  const { warnings } = (await response.json()) as { warnings: string[] };
  return { status: response.status, warnings };
};
async function usageOf(secret: string): Promise<object> {
  const usage = (await t.query(UsageDocument, {}, secret)).data?.account?.usage;
  return { requests: quantityIn(usage), stale: usage?.stale };
}
/** Undefined while it cannot be told. */
const quotaOf = async (secret: string): Promise<number | undefined> => {
  const { data } = await t.query(LimitsDocument, {}, secret);
  const used = data?.account?.limits?.find(({ name }) => name === 'requests-month')?.used;
  return used === undefined ? undefined : Number(used);
};
const call = (secret: string) => t.query(PatternsDocument, { first: 1 }, secret);

async function file(content: unknown): Promise<string> {
  const path = join(place.dataDir, `${randomUUID()}.json`);
  await writeFile(path, JSON.stringify(content));
  return path;
}

it('one bad use is parked with its account; others are counted, and nobody’s quota is short', async () => {
  const [ill, well] = [await t.customer(), await t.customer()];
  await call(ill.secret);
  const bad = used({ key: ill.keyId, durationUs: -1 });
  const batch = await flush({
    groups: [
      { account: ill.accountId, uses: [used({ key: ill.keyId }), bad, used({ key: ill.keyId })] },
      { account: well.accountId, uses: [used({ key: well.keyId })] },
    ],
  });
  expect(await usageOf(ill.secret)).toMatchObject({ requests: 3, stale: true });
  expect(await usageOf(well.secret)).toMatchObject({ requests: 1, stale: false });
  await t.caughtUp();
  expect(await health()).toEqual({ status: 200, warnings: ['uses that cannot be counted are parked: 1'] });
  expect(await (await fetch(`${t.app.url}/metrics`)).text()).toMatch(/^tollgraph_parked_uses 1$/m);

  await restart();
  // What it spent is held.
  expect([await quotaOf(ill.secret), await quotaOf(well.secret)]).toEqual([4, 1]);

  const id = `${batch}#1`;
  const listed = await tollgraph('parked');
  expect(listed.stdout).toMatch(new RegExp(`^${id} +${ill.accountId} .*"durationUs" is not a time`, 'm'));
  const shown = await tollgraph('parked', 'show', id);
  expect(JSON.parse(shown.stdout)).toEqual(bad);
  const wrong = await tollgraph('parked', 'correct', id, '--file', await file(bad), '--reason', 'a bug');
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toContain('could not be counted either');
  const mended = await file({ ...bad, durationUs: 1 });
  const corrected = await tollgraph('parked', 'correct', id, '--file', mended, '--reason', 'a bug');
  expect(corrected).toMatchObject({ code: 0, stderr: '' });
  expect((await tollgraph('parked')).stdout).toBe('Nothing is parked.\n');
  expect(await usageOf(ill.secret)).toMatchObject({ requests: 4, stale: false });
  expect((await t.app.parts.projector.rebuild('usage')).differing).toEqual([]);

  // Once is enough.
  const again = await tollgraph('parked', 'skip', id, '--reason', 'a bug');
  expect(again.stderr).toContain(`Nothing that is parked has the id "${id}"`);
  await restart();
  expect(await quotaOf(ill.secret)).toBe(4);
  expect((await health()).warnings).toEqual([]);
});

it('with a batch that cannot be read, limits refuse instead of starting at nothing, until it is corrected', async () => {
  const { secret, accountId, keyId } = await t.customer();
  for (let n = 0; n < 7; n++) await call(secret);
  await flush({ gruops: [{ account: accountId, uses: [used({ key: keyId }), used({ key: keyId })] }] });
  // Whose counters are in memory has them.
  expect(await call(secret)).toMatchObject({ status: 200 });
  expect(await usageOf(secret)).toMatchObject({ requests: 8, stale: true });

  await restart();
  const refused = await call(secret);
  expect(refused.status).toBe(503);
  expect(refused.errors?.[0]?.extensions['code']).toBe('TRY_AGAIN');
  expect(await quotaOf(secret)).toBeUndefined();
  const { status, warnings } = await health();
  expect(status).toBe(200);
  expect(warnings).toContain('the read model usage has parked streams: 1');
  expect(warnings.join()).toContain('governed calls of accounts whose limits are not in memory are refused');

  const id = /^(\w+) +usage v/m.exec((await tollgraph('parked')).stdout)?.[1] ?? '';
  const shown = JSON.parse((await tollgraph('parked', 'show', id)).stdout) as {
    data: { gruops: unknown };
    metadata: object;
  };
  const { gruops: groups, ...rest } = shown.data;
  const mended = await file({ data: { groups, ...rest }, metadata: shown.metadata });
  const corrected = await tollgraph('parked', 'correct', id, '--file', mended, '--reason', 'a typing error');
  expect(corrected.stderr).toBe('');
  expect(corrected.stdout).toContain('1 events replayed');
  expect(await call(secret)).toMatchObject({ status: 200 });
  expect(await quotaOf(secret)).toBe(11);
  expect(await usageOf(secret)).toMatchObject({ requests: 11, stale: false });
  expect((await health()).warnings).toEqual([]);
  for (const name of ['usage', 'popularity']) {
    expect((await t.app.parts.projector.rebuild(name)).differing).toEqual([]);
  }
});
