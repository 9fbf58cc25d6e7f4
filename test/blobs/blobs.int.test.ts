import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobFiles } from '../../src/adapters/blobs/files.js';
import { blobTable } from '../../src/adapters/postgres/blobTable.js';
import { BlobExists, Blobs } from '../../src/blobs/blobs.js';
import type { BlobStore } from '../../src/blobs/store.js';
import { freshSql } from '../support/database.js';

const MASTER = Buffer.alloc(32, 1);
const HOUR = 3_600_000;
const TEXT = Buffer.from('Kim: I said no, please stop.');
const KEPT = { subject: 'account', expiresAt: null };

let database: Awaited<ReturnType<typeof freshSql>>;
let folder: string;
let now: number;
const clock = (): number => now;
beforeAll(async () => {
  database = await freshSql();
  folder = await mkdtemp(join(tmpdir(), 'tollgraph-blobs-'));
});
afterAll(async () => {
  await database.remove();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  now = Date.now();
});

/** Every body that lies there, as it lies there. */
const STORES = {
  files: {
    open: () => blobFiles(folder),
    bodies: async () => Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name)))),
  },
  'a table': {
    open: () => blobTable(database.sql),
    bodies: async () => {
      const rows = await database.sql.query<{ body: Uint8Array }>('SELECT body FROM vault.blob_bodies');
      return rows.map(({ body }) => Buffer.from(body));
    },
  },
} as const;

describe.each(Object.entries(STORES))('blobs in %s', (_name, { open, bodies }) => {
  let store: BlobStore;
  let blobs: Blobs;
  beforeAll(async () => {
    store = await open();
    blobs = await Blobs.open(database.sql, MASTER, store, clock);
  });
  afterEach(async () => {
    now = Date.now() + 10 * HOUR;
    await blobs.shredSubject('account');
    await blobs.sweep();
    expect(await bodies()).toEqual([]);
    expect(await database.sql.query('SELECT id FROM vault.blob_keys')).toEqual([]);
  });

  it('gives back what it was given, and keeps no word of it readable', async () => {
    const large = Buffer.alloc(300_000, 'I said no. ');
    for (const [id, body] of [
      ['a', TEXT],
      ['b', Buffer.alloc(0)],
      ['c', large],
    ] as const) {
      expect(await blobs.put(id, body, KEPT)).toMatchObject({ bytes: body.length });
      expect((await blobs.get(id))?.equals(body)).toBe(true);
    }
    for (const body of await bodies()) expect(body.includes('said no')).toBe(false);
  });

  it('takes the same again, and nothing else under its id', async () => {
    const first = await blobs.put('a', TEXT, KEPT);
    expect(await blobs.put('a', TEXT, KEPT)).toEqual(first);
    await expect(blobs.put('a', Buffer.from('other'), KEPT)).rejects.toThrow(BlobExists);
    expect(await blobs.get('a')).toEqual(TEXT);
    expect(await blobs.get('none')).toBeNull();
  });

  it('encrypts each with a key of its own, for its own id', async () => {
    await blobs.put('a', TEXT, KEPT);
    await blobs.put('b', TEXT, KEPT);
    const [one, two] = await bodies();
    expect(one?.equals(two as Buffer)).toBe(false);
    // Somebody who can write to the store and to the table of keys gives `b` what is of `a`.
    await database.sql.query(
      `UPDATE vault.blob_keys SET wrapped = (SELECT wrapped FROM vault.blob_keys WHERE id = 'a') WHERE id = 'b'`,
    );
    await expect(blobs.get('b')).rejects.toThrow();
  });

  it('forgets what is shredded at once, also where its body comes back from a backup', async () => {
    await blobs.put('a', TEXT, KEPT);
    const [body] = await bodies();
    const [{ name } = { name: '' }] = await database.sql.query<{ name: string }>(
      'SELECT name FROM vault.blob_keys',
    );
    await blobs.shred(['a', 'none']);
    expect([await blobs.get('a'), await bodies()]).toEqual([null, []]);
    await store.write(name, body as Buffer);
    expect(await blobs.get('a')).toBeNull();
    // It is without a key, and goes once nobody can be writing it any more.
    expect(await blobs.sweep()).toBe(0);
    now += 2 * HOUR;
    expect(await blobs.sweep()).toBe(1);
  });

  it('is over when its time is, to the millisecond, and is swept', async () => {
    await blobs.put('a', TEXT, { subject: 'account', expiresAt: now + 1_000 });
    await blobs.put('b', TEXT, KEPT);
    now += 999;
    expect(await blobs.get('a')).toEqual(TEXT);
    expect(await blobs.sweep()).toBe(0);
    now += 1;
    expect(await blobs.get('a')).toBeNull();
    expect(await blobs.sweep()).toBe(1);
    expect((await bodies()).length).toBe(1);
  });

  it('has an end that is brought forward, never back', async () => {
    await blobs.put('a', TEXT, { subject: 'account', expiresAt: now + 1_000 });
    await blobs.expireBy('a', now + 2_000);
    now += 1_000;
    expect(await blobs.get('a')).toBeNull();
    await blobs.put('b', TEXT, KEPT);
    await blobs.expireBy('b', now + 500);
    expect(await blobs.get('b')).toEqual(TEXT);
    now += 500;
    expect(await blobs.get('b')).toBeNull();
  });

  it('shreds what a subject has, and nothing of another', async () => {
    await blobs.put('a', TEXT, KEPT);
    await blobs.put('b', TEXT, { subject: 'another', expiresAt: null });
    await blobs.shredSubject('account');
    expect([await blobs.get('a'), await blobs.get('b')]).toEqual([null, TEXT]);
    await blobs.shredSubject('another');
  });

  it('has nothing of a body whose writing was cut off, and takes it again', async () => {
    const failing = await Blobs.open(
      database.sql,
      MASTER,
      { ...store, write: () => Promise.reject(new Error('the disk is full')) },
      clock,
    );
    await expect(failing.put('a', TEXT, KEPT)).rejects.toThrow('the disk is full');
    expect(await blobs.get('a')).toBeNull();
    expect((await blobs.put('a', TEXT, KEPT)).bytes).toBe(TEXT.length);
    expect(await blobs.get('a')).toEqual(TEXT);
    await expect(failing.put('b', TEXT, KEPT)).rejects.toThrow();
    expect(await blobs.sweep()).toBe(0);
    now += 2 * HOUR;
    expect(await blobs.sweep()).toBe(1);
    expect(await blobs.get('a')).toEqual(TEXT);
  });

  it('says so where a body was shredded while it was written', async () => {
    const slow = await Blobs.open(
      database.sql,
      MASTER,
      {
        ...store,
        write: async (id, body) => {
          await blobs.shred(['a']);
          await store.write(id, body);
        },
      },
      clock,
    );
    await expect(slow.put('a', TEXT, KEPT)).rejects.toThrow(BlobExists);
    expect(await blobs.get('a')).toBeNull();
  });

  it('finishes a shredding that a crash has cut off', async () => {
    await blobs.put('a', TEXT, KEPT);
    const crashing = await Blobs.open(
      database.sql,
      MASTER,
      { ...store, remove: () => Promise.reject(new Error('killed')) },
      clock,
    );
    await expect(crashing.shred(['a'])).rejects.toThrow('killed');
    expect([await blobs.get('a'), (await bodies()).length]).toEqual([null, 1]);
    expect(await blobs.sweep()).toBe(1);
    expect(await bodies()).toEqual([]);
  });
});

it('removes the file of a writing that was cut off', async () => {
  const blobs = await Blobs.open(database.sql, MASTER, await blobFiles(folder), clock);
  const partial = join(folder, 'x.0.partial');
  await writeFile(partial, 'half');
  await blobs.sweep();
  expect(await readdir(folder)).toEqual(['x.0.partial']);
  await utimes(partial, new Date(now - 2 * HOUR), new Date(now - 2 * HOUR));
  expect(await blobs.sweep()).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});
