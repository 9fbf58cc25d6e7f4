import fc from 'fast-check';
import type { Sql, SqlPriority } from '../../src/sql/sql.js';
import { SqlError } from '../../src/sql/sql.js';
import { freshSql, ON_POSTGRES } from '../support/database.js';

let sql: Sql;
let fresh: Awaited<ReturnType<typeof freshSql>>;
beforeAll(async () => {
  fresh = await freshSql();
  ({ sql } = fresh);
});
afterAll(() => fresh.remove());

const PRIORITIES: readonly SqlPriority[] = ['journal', 'query', 'projection'];
/** Statements that come again are prepared: what holds once holds each time. */
const TIMES = [1, 2, 3, 4];

let tables = 0;
async function freshTable(columns: string): Promise<string> {
  const name = `t${++tables}`;
  await sql.script(`CREATE TABLE ${name} (${columns})`);
  return name;
}

// Compiling one that takes JSON apart took a thousand times as long as running it.
(ON_POSTGRES ? it : it.skip)('lets the server compile no statement', async () => {
  expect(await sql.query('SHOW jit')).toEqual([{ jit: 'off' }]);
});

describe.each(PRIORITIES)('with the priority %s', (priority) => {
  it('takes and gives values of every type', async () => {
    const at = new Date('2026-11-23T06:44:12.946Z');
    const bytes = Buffer.from([0, 1, 255, 39, 92]);
    const values = {
      text: `a'b"c\\d\n𝄞 ${'é'.repeat(2_000)}`,
      empty: '',
      whole: 9_007_199_254_740_991,
      number: -0.125,
      yes: true,
      no: false,
      at,
      bytes,
      texts: ['a', 'b"{},\\', '', null],
      numbers: [1, -2, 2_147_483_647],
      times: [at],
      none: null,
    };
    const types =
      'text text bigint float8 boolean boolean timestamptz bytea text[] int[] timestamptz[] text'.split(' ');
    const names = Object.keys(values);
    const text = `SELECT ${names.map((name, i) => `$${i + 1}::${types[i]} AS "${name}"`).join(', ')}`;
    for (const time of TIMES) {
      const [row] = await sql.query<typeof values>(text, Object.values(values), priority);
      expect([time, { ...row, bytes: Buffer.from(row?.bytes ?? []) }]).toEqual([time, values]);
    }
  });

  it('takes any text', async () => {
    const texts = fc.string({ unit: 'binary', maxLength: 3_000 }).map((text) => text.replaceAll('\0', ''));
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const rows = await sql.query<{ text: string; length: number }>(
          'SELECT $1::text AS text, octet_length($1::text) AS length',
          [text],
          priority,
        );
        expect(rows).toEqual([{ text, length: Buffer.byteLength(text) }]);
      }),
      { numRuns: 50 },
    );
  });

  it('does all statements of a transaction or none', async () => {
    const table = await freshTable('a int PRIMARY KEY');
    const insert = (a: number) => ({ text: `INSERT INTO ${table} VALUES ($1) RETURNING a`, params: [a] });
    const count = { text: `SELECT count(*) AS n FROM ${table}` };
    // Only within a transaction.
    const lock = { text: `LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE` };
    for (const time of TIMES) {
      const results = await sql.transaction([lock, insert(time), insert(-time), count], priority);
      expect(results).toEqual([[], [{ a: time }], [{ a: -time }], [{ n: time * 2 }]]);
      expect(await sql.transaction([], priority)).toEqual([]);
      const failed = await sql.transaction([insert(100), insert(time)], priority).catch((e: unknown) => e);
      expect(failed).toBeInstanceOf(SqlError);
      expect(failed).toMatchObject({ code: '23505' });
      expect(await sql.query(count.text, [], priority)).toEqual([{ n: time * 2 }]);
    }
  });

  it('sees a table that has changed, and one that is not there any more', async () => {
    const table = await freshTable('a int');
    const all = `SELECT * FROM ${table}`;
    const add = `INSERT INTO ${table} (a) VALUES ($1)`;
    for (const time of TIMES) {
      await sql.query(add, [time], priority);
      expect(await sql.query(all, [], priority)).toHaveLength(time);
    }
    await sql.script(`ALTER TABLE ${table} ADD COLUMN b text DEFAULT 'b'`);
    for (const _time of TIMES) expect((await sql.query(all, [], priority))[0]).toEqual({ a: 1, b: 'b' });
    await sql.script(`DROP TABLE ${table}`);
    for (const _time of TIMES) {
      await expect(sql.query(all, [], priority)).rejects.toMatchObject({ code: '42P01' });
      await expect(sql.transaction([{ text: all }, { text: all }], priority)).rejects.toMatchObject({
        code: '42P01',
      });
    }
    await sql.script(`CREATE TABLE ${table} (c int)`);
    for (const _time of TIMES) expect(await sql.query(all, [], priority)).toEqual([]);
  });

  it('takes many statements, each of which comes again', async () => {
    for (const time of TIMES.slice(0, 3)) {
      for (let i = 0; i < 250; i++) {
        expect([time, await sql.query(`SELECT ${i} + $1::int AS n`, [time], priority)]).toEqual([
          time,
          [{ n: i + time }],
        ]);
      }
    }
  });
});
