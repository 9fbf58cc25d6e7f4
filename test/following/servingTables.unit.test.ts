import { READ_MODELS } from '../../src/capabilities.js';
import { tableNames } from '../../src/following/readModel.js';
import { onServingTables } from '../../src/following/servingTables.js';
import type { Sql } from '../../src/sql/sql.js';
import { SqlError } from '../../src/sql/sql.js';

it.each(READ_MODELS.map(({ name }) => name))(
  'a query of %s that names the tables of an earlier generation goes to those that serve',
  async (name) => {
    const model = READ_MODELS.find((one) => one.name === name) as (typeof READ_MODELS)[number];
    const [table = ''] = model.tables;
    const asked: string[] = [];
    const sql = {
      query: async (text: string) => {
        asked.push(text);
        if (asked.length === 1) throw new SqlError('relation does not exist', '42P01');
        return [];
      },
    } as unknown as Sql;
    const pointers = { generationOf: () => 7, refresh: () => Promise.resolve() };
    await onServingTables(sql, READ_MODELS, pointers).query(`SELECT FROM ${tableNames(model, 1)(table)}`);
    expect(asked).toEqual([
      `SELECT FROM ${tableNames(model, 1)(table)}`,
      `SELECT FROM ${tableNames(model, 7)(table)}`,
    ]);
  },
);
