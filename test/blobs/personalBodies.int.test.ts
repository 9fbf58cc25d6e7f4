import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { PersonalBodies } from '../../src/blobs/personalBodies.js';
import { PersonalData, SubjectErased } from '../../src/secrets/personalData.js';
import type { Sql } from '../../src/sql/sql.js';
import { freshSql } from '../support/database.js';

let database: Awaited<ReturnType<typeof freshSql>>;
let personal: PersonalData;
/** Statements since the last look. */
let statements = 0;
let kept: PersonalBodies;
beforeAll(async () => {
  database = await freshSql();
  const { sql } = database;
  const counting: Sql = Object.assign(Object.create(sql) as Sql, {
    query: (...args: Parameters<Sql['query']>) => {
      statements++;
      return sql.query(...args);
    },
  });
  personal = await PersonalData.open(counting, Buffer.alloc(32, 1));
  kept = await PersonalBodies.open(counting, personal);
});
afterAll(() => database.remove());
beforeEach(() => {
  statements = 0;
});

const hashOf = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

it('stores what comes at once in few statements, each for whom it is about', async () => {
  const [ada, bob, eve] = [randomUUID(), randomUUID(), randomUUID()];
  await personal.erase([eve]);
  const bodies = Array.from({ length: 40 }, (_, n) => Buffer.from(`body ${n % 20}`));
  statements = 0;
  const put = await Promise.allSettled([
    ...bodies.map((body, n) => kept.put(n % 2 ? ada : bob, body)),
    kept.put(eve, Buffer.from('late')),
  ]);
  // Which keys there are, new ones, which there are now, and the bodies.
  expect(statements).toBeLessThanOrEqual(4);
  const refused = put.at(-1);
  expect(refused).toMatchObject({ status: 'rejected', reason: expect.any(SubjectErased) as unknown });
  for (const [n, body] of bodies.entries()) {
    expect(put[n]).toEqual({ status: 'fulfilled', value: { hash: hashOf(body), bytes: body.byteLength } });
    expect(await kept.get(n % 2 ? ada : bob, hashOf(body))).toEqual(body);
  }
  expect(await kept.get(ada, hashOf(Buffer.from('body 0')))).toBeNull();
  await personal.erase([ada]);
  expect(await kept.get(ada, hashOf(Buffer.from('body 1')))).toBeNull();
});

it('stores what is large by itself, and the same again once', async () => {
  const subject = randomUUID();
  const body = randomBytes(300_000);
  const [first, again] = await Promise.all([kept.put(subject, body), kept.put(subject, body)]);
  expect(again).toEqual(first);
  expect(await kept.get(subject, first.hash)).toEqual(body);
  const rows = await database.sql.query('SELECT 1 FROM vault.blobs WHERE subject = $1', [subject]);
  expect(rows).toHaveLength(1);
});
