import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirInUse, lockDataDir, nodeId, startTime } from '../../src/dataDir.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tollgraph-lock-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the lock on a data directory', () => {
  it('is given to one of many that ask at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDir(directory)));
    const given = asked.flatMap((ask) => (ask.status === 'fulfilled' ? [ask.value] : []));
    const refused = asked.flatMap((ask) => (ask.status === 'rejected' ? [ask.reason as Error] : []));
    expect(given.length).toBe(1);
    expect(refused.every((reason) => reason instanceof DataDirInUse)).toBe(true);
    await given[0]?.release();
  });

  it('can be taken again once it is released, and leaves the last name behind', async () => {
    for (let i = 0; i < 3; i++) await (await lockDataDir(directory)).release();
    expect(await readdir(directory)).toEqual(['lock.3.sock']);
  });
});

describe('the id of a node', () => {
  it('is made once and kept whole', async () => {
    const made = await nodeId(directory, undefined);
    expect(made).toMatch(/^[0-9a-f]{10}$/);
    expect(await nodeId(directory, undefined)).toBe(made);
    expect(await readFile(join(directory, 'node-id'), 'utf8')).toBe(`${made}\n`);
    expect(await readdir(directory)).toEqual(['node-id']);
  });

  it('is later with each start, also when the clock has been set back', async () => {
    const starts = [];
    for (const now of [1_000, 86_400_000, 2_000, 2_000, 90_000_000])
      starts.push(await startTime(directory, now));
    expect(starts).toEqual([1_000, 86_400_000, 86_400_001, 86_400_002, 90_000_000]);
  });
});
