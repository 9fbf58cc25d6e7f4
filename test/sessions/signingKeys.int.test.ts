import { createPublicKey, randomBytes } from 'node:crypto';
import { Sessions } from '../../src/sessions/sessions.js';
import { LEAD_MS, ROTATION_MS, SigningKeys } from '../../src/sessions/signingKeys.js';
import type { Sql } from '../../src/sql/sql.js';
import { freshSql } from '../support/database.js';

const TOKEN_MS = 15 * 60_000;
const NOON = Date.parse('2026-11-22T12:00:00Z');
const MASTER = randomBytes(32);

let database: Awaited<ReturnType<typeof freshSql>>;
let queries: string[];
let away = false;
/** What happens once a statement is through. */
let afterQuery: ((text: string) => Promise<void>) | undefined;
let sql: Sql;
beforeAll(async () => {
  database = await freshSql();
  sql = {
    ...database.sql,
    query: async <R extends object>(text: string, params?: readonly unknown[]) => {
      queries.push(text);
      if (away) throw new Error('the database is away');
      const found = await database.sql.query<R>(text, params);
      await afterQuery?.(text);
      return found;
    },
    transaction: (...args) => database.sql.transaction(...args),
    script: (text) => database.sql.script(text),
    close: () => database.sql.close(),
  };
});
afterAll(() => database.remove());
beforeEach(async () => {
  queries = [];
  await database.sql.script('DROP TABLE IF EXISTS vault.signing_keys');
});

let passed = 0;

/** A node on which as much time passes as its clock says. */
async function node(): Promise<SigningKeys> {
  const keys = await SigningKeys.open(sql, MASTER, TOKEN_MS, () => passed);
  return new Proxy(keys, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        passed = args.at(-1) as number;
        return Reflect.apply(method, target, args) as unknown;
      };
    },
  });
}

const kidsOf = async (keys: SigningKeys, now: number): Promise<string[]> =>
  (await keys.published(now)).map(({ kid }) => kid);

it('the first key signs at once, and every node knows it', async () => {
  const [one, two] = [await node(), await node()];
  const { kid, privateKey } = await one.signing(NOON);
  expect(await two.signing(NOON)).toMatchObject({ kid });
  const expected = createPublicKey(privateKey).export({ format: 'jwk' });
  expect((await two.verifying(kid, NOON))?.export({ format: 'jwk' })).toEqual(expected);
  expect(await two.published(NOON)).toEqual([{ ...expected, kid, alg: 'EdDSA', use: 'sig' }]);
});

it('nodes that begin at the same moment verify the tokens of each other', async () => {
  const nodes = await Promise.all(Array.from({ length: 5 }, node));
  const issued = await Promise.all(
    nodes.map((keys) =>
      new Sessions(keys).issue({ userId: 'u', accountId: 'a', sessionId: 's', epoch: 0 }, new Date(NOON)),
    ),
  );
  for (const keys of nodes) {
    for (const token of issued) {
      expect(await new Sessions(keys).verify(token, new Date(NOON + 2_000))).toMatchObject({
        kind: 'session',
      });
    }
  }
});

it('a node that adds its key leaves one alone that another node has added since', async () => {
  const [one, two] = [await node(), await node()];
  const other = await two.signing(NOON);
  const rows = 'vault.signing_keys';
  await database.sql.script(`CREATE TABLE vault.kept AS SELECT * FROM ${rows}; DELETE FROM ${rows};`);
  let loads = 0;
  afterQuery = async (text) => {
    // The second time it has just added its own.
    if (!text.startsWith('SELECT * FROM vault.signing_keys') || ++loads !== 2) return;
    await database.sql.script(`INSERT INTO ${rows} SELECT * FROM vault.kept; DROP TABLE vault.kept;`);
  };
  await one.signing(NOON);
  afterQuery = undefined;
  expect(loads).toBe(2);
  expect(await kidsOf(await node(), NOON)).toContain(other.kid);
});

it('a month later there is another: published for an hour, then it signs', async () => {
  const [one, two] = [await node(), await node()];
  const first = await one.signing(NOON);
  const due = NOON + ROTATION_MS - LEAD_MS;
  expect(await one.signing(due - 1)).toBe(first);
  expect(await kidsOf(two, due - 1)).toEqual([first.kid]);

  expect(await one.signing(due)).toBe(first);
  const published = await kidsOf(two, due + 60_000);
  expect(published).toHaveLength(2);
  expect(published[0]).toBe(first.kid);
  expect(await one.signing(due + LEAD_MS - 1)).toBe(first);
  expect((await one.signing(due + LEAD_MS)).kid).toBe(published[1]);
  expect((await two.signing(due + LEAD_MS)).kid).toBe(published[1]);
});

it('the key before verifies until its last token is over, and is then removed with the next one', async () => {
  const keys = await node();
  const first = await keys.signing(NOON);
  let taken = NOON;
  for (const due of [NOON + ROTATION_MS - LEAD_MS, NOON + 2 * ROTATION_MS - LEAD_MS]) {
    await keys.signing(due);
    taken = due + LEAD_MS;
    if (due < NOON + ROTATION_MS) {
      expect(await keys.verifying(first.kid, taken + TOKEN_MS - 1)).toBeDefined();
      expect(await keys.verifying(first.kid, taken + TOKEN_MS)).toBeUndefined();
      expect(await kidsOf(keys, taken + TOKEN_MS)).toHaveLength(1);
    }
  }
  const kept = await database.sql.query<{ kid: string }>(
    'SELECT kid FROM vault.signing_keys ORDER BY signs_at',
  );
  expect(kept).toHaveLength(2);
  expect(kept.map(({ kid }) => kid)).not.toContain(first.kid);
  // After a year without anybody the newest goes on until the next one signs.
  const year = NOON + 365 * 24 * 3_600_000;
  const { kid } = await keys.signing(year);
  expect(kid).toBe(kept[1]?.kid);
  expect((await keys.signing(year + LEAD_MS)).kid).not.toBe(kid);
});

it('an id that nobody has makes it look once a second, however many are made up', async () => {
  const keys = await node();
  await keys.signing(NOON);
  queries = [];
  await Promise.all(Array.from({ length: 50 }, (_, i) => keys.verifying(`k${i}`, NOON + 1_500)));
  for (let i = 0; i < 50; i++) expect(await keys.verifying(`m${i}`, NOON + 2_000)).toBeUndefined();
  expect(queries).toHaveLength(1);
});

it('looks for the keys of others again though its clock was ahead for a moment', async () => {
  let time = 0;
  const [one, two] = await Promise.all([1, 2].map(() => SigningKeys.open(sql, MASTER, TOKEN_MS, () => time)));
  await one?.published(NOON + 3_600_000);
  time += 2_000;
  const issued = await two?.signing(NOON);
  expect(await one?.verifying(issued?.kid ?? '', NOON)).toBeDefined();
});

it('an outage leaves the keys that are known', async () => {
  const keys = await node();
  const { kid } = await keys.signing(NOON);
  away = true;
  try {
    expect((await keys.signing(NOON + 120_000)).kid).toBe(kid);
    expect(await keys.verifying(kid, NOON + 240_000)).toBeDefined();
    expect(await kidsOf(keys, NOON + 360_000)).toEqual([kid]);
  } finally {
    away = false;
  }
});

it('the private half is in the database only under the master key', async () => {
  const { privateKey } = await (await node()).signing(NOON);
  const rows = JSON.stringify(await database.sql.query('SELECT * FROM vault.signing_keys'));
  const { d } = privateKey.export({ format: 'jwk' });
  expect(d).toMatch(/^[\w-]{43}$/);
  expect(rows).not.toContain(d);
  const other = await SigningKeys.open(sql, randomBytes(32), TOKEN_MS);
  await expect(other.signing(NOON)).rejects.toThrow();
});
