import { queriesOf, readModels } from '../../projections/index.js';
import type { Position } from '../../src/eventsourcing/event.js';
import { Behind } from '../../src/following/behind.js';
import type { ReadModels } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';
import type { UsageReading } from '../../src/usage/analytics/analyticsResolvers.js';
import { UsageResolver } from '../../src/usage/analytics/analyticsResolvers.js';
import { Usage } from '../../src/usage/types.js';

/** Models that mutations do not wait for, and whose queries do not wait by themselves either. */
const OTHERWISE: Readonly<Record<string, string>> = {
  usage: 'answers say whether they are stale, and limits wait for exactly what they miss',
  overage: 'read by policies, behind what they have seen, and by what is kept in memory',
  credits: 'read by policies, behind what they have seen, and by what is kept in memory',
  popularity: 'orders patterns by how often they were read',
};

it('lets nobody show a model that mutations do not wait for without saying what it must have seen', () => {
  const models = { access: () => undefined, reached: () => Promise.resolve(true) };
  const queries: Readonly<Record<string, unknown>> = queriesOf({} as Sql, models as unknown as ReadModels);
  const behind = readModels({})
    .filter(({ awaited }) => awaited === false)
    .map(({ name }) => name);
  expect(behind.filter((name) => !(queries[name] instanceof Behind)).sort()).toEqual(
    Object.keys(OTHERWISE).sort(),
  );
});

it.each<[minPosition: Position, stored: Position, awaited: Position]>([
  [0, 7, 7],
  [9, 7, 9],
])(
  'reads denials behind position %i that is asked for and %i that is stored',
  async (position, stored, awaited) => {
    const seen: unknown[] = [];
    const denials = () => {
      seen.push('read');
      return Promise.resolve([]);
    };
    const reached = async (model: string, at: Position): Promise<boolean> => {
      await Promise.resolve();
      seen.push([model, at]);
      return true;
    };
    const calls = new Behind('calls', { denials, sketches: denials }, { reached });
    const resolver = new UsageResolver({ calls, stored: () => stored } as unknown as UsageReading);
    const asked = { account: 'a', environment: 'live', filter: {} } as const;
    const usage = Object.assign(new Usage(), { asked, from: new Date(0), to: new Date(1), position });
    expect(await resolver.denials(usage)).toEqual([]);
    expect(seen).toEqual([['calls', awaited], 'read']);
  },
);
